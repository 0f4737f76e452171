# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The libraries that stock nvinfer and nvdspostprocess load; each TEST of the program is a test here.

They are built by their own Makefile on the fakes of DeepStream, with sanitizers, and opened as it does.

    PAMTRI_DEEPSTREAM=/opt/nvidia/deepstream/deepstream pytest tests/nvinfer

builds them with its headers too; it may name several folders, as PATH does. PAMTRI_POSTPROCESS_INCLUDE names
the folder of nvdspostprocesslib_interface.hpp where it is not in them, PAMTRI_CUDA_INCLUDE CUDA's.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import native_builds

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = ROOT / "pipelines" / "nvinfer"
CHECKS = HERE.parent / "pipelines"
DEEPSTREAM = HERE.parent / "deepstream"
FAKES = (DEEPSTREAM / "fake_nvds", HERE.parent / "pipelines" / "fake_cuda")
TESTS = re.findall(r"^TEST\((\w+)\)", (HERE / "library_tests.cpp").read_text(), re.MULTILINE)
WARNINGS = "-O0 -Werror"


def needed(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
    if subprocess.run(["pkg-config", "--exists", "gstreamer-base-1.0"]).returncode:
        pytest.skip("there is no GStreamer for pkg-config; .ci/gstreamer installs it")


def run(*command: object, **options: str) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=os.environ | options)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]


def make(folder: Path, headers: list[Path], flags: str = "", *targets: str) -> None:
    """Build in a copy of the rooms that the Makefile looks into."""
    for room in ("nvinfer", "deepstream", "gstreamer", "core"):
        shutil.copytree(SOURCES.parent / room, folder / room)
    includes = " ".join(map(str, headers))
    run(
        *("make", "-C", folder / "nvinfer", "-j2", f"NVDS_INCLUDES={includes}", "NVDS_LIBS="),
        *(f"CXXFLAGS={WARNINGS} {flags}", f"LDFLAGS={flags}", *targets),
    )


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the libraries and the program of the tests; return it."""
    needed("make", "pkg-config", "c++")
    folder = tmp_path_factory.mktemp("nvinfer")
    make(folder, list(FAKES), native_builds.SANITIZERS)
    packages = ("gstreamer-1.0", "gstreamer-base-1.0")
    found = {
        kind: subprocess.run(["pkg-config", kind, *packages], capture_output=True, text=True, check=True)
        for kind in ("--cflags", "--libs")
    }
    rooms = ("core", "engines", "gstreamer", "deepstream")
    run(
        *("c++", "-std=c++17", "-O0", "-rdynamic", *native_builds.SANITIZERS.split()),
        *("-o", folder / "library_tests"),
        *(f"-I{SOURCES.parent / room}" for room in rooms),
        *(f"-I{place}" for place in (*FAKES, DEEPSTREAM, CHECKS)),
        *found["--cflags"].stdout.split(),
        *(HERE / "library_tests.cpp", DEEPSTREAM / "batches.cpp"),
        *(CHECKS / "check.cpp", CHECKS / "check_main.cpp"),
        *(FAKES[0] / "fake_nvds.cpp", FAKES[0] / "fake_gst_nvds.cpp"),
        *found["--libs"].stdout.split(),
        "-ldl",
    )
    return folder / "library_tests"


@pytest.mark.parametrize("name", TESTS)
def test_it(program: Path, name: str) -> None:
    # Without plugins: GLib forgets a table of names when it grows, and the sanitizer finds it.
    registry = {"GST_PLUGIN_SYSTEM_PATH_1_0": "", "GST_REGISTRY": str(program.parent / "registry")}
    libraries = {"PAMTRI_LIBRARIES": str(program.parent / "nvinfer"), **registry}
    done = subprocess.run(
        [program, name], capture_output=True, text=True, timeout=120, env=os.environ | libraries
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"passed {name}\n"


def real_headers() -> list[list[Path]]:
    """Return the folders of headers of each DeepStream that is named."""
    found = []
    for named in filter(None, os.environ.get("PAMTRI_DEEPSTREAM", "").split(os.pathsep)):
        inside = [Path(named) / part for part in ("sources/includes", "includes", ".")]
        first = next(place for place in inside if (place / "nvdsinfer.h").is_file())
        places = [*Path(named).glob("s*rc*/gst-plugins/gst-nvdspostprocess/includes")]
        more = os.environ.get("PAMTRI_POSTPROCESS_INCLUDE")
        cuda = Path(os.environ.get("PAMTRI_CUDA_INCLUDE", "/usr/local/cuda/include"))
        found.append([first, *places, *([Path(more)] if more else []), cuda])
    return found


@pytest.mark.parametrize("headers", real_headers() or [None], ids=str)
def test_the_libraries_are_built_with_the_real_headers(headers: list[Path] | None, tmp_path: Path) -> None:
    if headers is None:
        pytest.skip("name the folder of DeepStream, or of its headers, with PAMTRI_DEEPSTREAM")
    needed("make", "pkg-config", "c++")
    make(tmp_path, headers)
    for library in ("libnvdsinfer_pamtri.so", "libnvds_pamtri_postprocess.so"):
        assert (tmp_path / "nvinfer" / library).is_file()


@pytest.mark.parametrize("headers", real_headers() or [None], ids=str)
def test_the_parser_has_the_signature_that_nvinfer_calls(headers: list[Path] | None, tmp_path: Path) -> None:
    tensorrt = os.environ.get("PAMTRI_TENSORRT_INCLUDE", "").split(os.pathsep)[0]
    if headers is None or not tensorrt:
        pytest.skip("name folders with PAMTRI_DEEPSTREAM, PAMTRI_TENSORRT_INCLUDE and PAMTRI_CUDA_INCLUDE")
    (tmp_path / "NvOnnxParser.h").touch()  # it is included, nothing of it is used
    source = tmp_path / "check.cpp"
    source.write_text(
        f'#include <nvdsinfer_custom_impl.h>\n#include "{SOURCES / "parse.cpp"}"\n'
        "CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(NvDsInferParseCustomPamtri);\n"
    )
    places = [part for place in (*headers, tensorrt, tmp_path) for part in ("-isystem", place)]
    run("c++", "-std=c++17", "-fsyntax-only", f"-I{SOURCES.parent / 'core'}", *places, source)
