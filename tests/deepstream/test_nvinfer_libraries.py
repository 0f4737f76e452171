# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The libraries that stock nvinfer and nvdspostprocess load; each TEST of the program is a test here.

They are built by their own Makefile on the fakes of DeepStream, with sanitizers, and opened as it does.

    PAMTRI_DEEPSTREAM=/opt/nvidia/deepstream/deepstream pytest tests/deepstream/test_nvinfer_libraries.py

builds them with its headers too; it may name several folders, as PATH does. PAMTRI_POSTPROCESS_INCLUDE names
the folder of nvdspostprocesslib_interface.hpp where it is not in them, PAMTRI_CUDA_INCLUDE CUDA's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import cpp_tests
import native_builds

HERE = Path(__file__).parent
PIPELINES = HERE.parents[1] / "pipelines"
FAKES = [HERE / "fake_nvds", HERE.parent / "pipelines" / "fake_cuda"]


def make(folder: Path, headers: list[Path], flags: str = "") -> Path:
    """Build in a copy of the rooms that the Makefile looks into; return where the libraries are."""
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    for room in ("nvinfer", "deepstream", "gstreamer", "core"):
        shutil.copytree(PIPELINES / room, folder / room)
    includes = f"NVDS_INCLUDES={' '.join(map(str, headers))}"
    given = (f"CXXFLAGS=-Werror {flags or '-O0'}", f"LDFLAGS={flags}", "NVDS_LIBS=")
    native_builds.run("make", "-C", folder / "nvinfer", "-j2", includes, *given)
    return folder / "nvinfer"


@pytest.fixture(scope="module")
def ran(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Build the libraries, and let the program open them that has the tests."""
    folder = tmp_path_factory.mktemp("nvinfer")
    libraries = make(folder, FAKES, native_builds.flags_of(programs.parents[1]))
    # Without plugins: GLib forgets a table of names when it grows, and the sanitizer finds it.
    registry = {"GST_PLUGIN_SYSTEM_PATH_1_0": "", "GST_REGISTRY": str(folder / "registry")}
    environment = {"PAMTRI_LIBRARIES": str(libraries), **registry}
    return cpp_tests.run(programs / "library_tests", environment=environment)


@pytest.mark.parametrize("name", cpp_tests.names_in(HERE / "nvinfer" / "library_tests.cpp"))
def test_it(ran: subprocess.CompletedProcess[str], name: str) -> None:
    cpp_tests.assert_passed(ran, name)


def test_nothing_is_left_in_memory(ran: subprocess.CompletedProcess[str]) -> None:
    assert ran.returncode == 0, ran.stderr


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
    built = make(tmp_path, headers)
    for library in ("libnvdsinfer_pamtri.so", "libnvds_pamtri_postprocess.so"):
        assert (built / library).is_file()


@pytest.mark.parametrize("headers", real_headers() or [None], ids=str)
def test_the_parser_has_the_signature_that_nvinfer_calls(headers: list[Path] | None, tmp_path: Path) -> None:
    tensorrt = os.environ.get("PAMTRI_TENSORRT_INCLUDE", "").split(os.pathsep)[0]
    if headers is None or not tensorrt:
        pytest.skip("name folders with PAMTRI_DEEPSTREAM, PAMTRI_TENSORRT_INCLUDE and PAMTRI_CUDA_INCLUDE")
    (tmp_path / "NvOnnxParser.h").touch()  # it is included, nothing of it is used
    source = tmp_path / "check.cpp"
    source.write_text(
        f'#include <nvdsinfer_custom_impl.h>\n#include "{PIPELINES / "nvinfer" / "parse.cpp"}"\n'
        "CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(NvDsInferParseCustomPamtri);\n"
    )
    places = [part for place in (*headers, tensorrt, tmp_path) for part in ("-isystem", place)]
    flags = ("-std=c++17", "-fsyntax-only", f"-I{PIPELINES / 'core'}")
    native_builds.run(native_builds.compiler(), *flags, *places, source)
