# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element of DeepStream on fakes of DeepStream, CUDA and TensorRT: built once, with sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all"
FLAGS = "-O1 -Wno-maybe-uninitialized"  # GCC 12 sees such in optionals that are there
PROGRAMS = ("attach_tests", "surface_tests", "element_tests", "gstnvpamtri_fake", "gstpamtri_fake")


def tool(name: str) -> str | None:
    """Return a program of the environment that runs the tests, or of the system."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def sanitizers(folder: Path) -> str:
    """Return the compiler's flags that find bad memory accesses and leaks; none where it has them not."""
    source, program = folder / "main.cpp", folder / "main"
    source.write_text("int main() { return 0; }\n")
    compiler = os.environ.get("CXX", "c++")
    linked = subprocess.run([compiler, *SANITIZERS.split(), source, "-o", program], capture_output=True)
    works = linked.returncode == 0 and subprocess.run([program], capture_output=True).returncode == 0
    return SANITIZERS if works else ""


def build(folder: Path, *targets: str, **definitions: str) -> Path:
    """Build targets on the fakes; return the folder of the programs."""
    fakes = ROOT / "tests" / "pipelines"
    given = {
        "PAMTRI_PYTHON": "OFF",
        "PAMTRI_WERROR": "ON",
        "PAMTRI_TESTS": "ON",
        "PAMTRI_GSTREAMER": "ON",
        "PAMTRI_DEEPSTREAM": HERE / "fake_nvds",
        "PAMTRI_TENSORRT_INCLUDE": fakes / "fake_tensorrt",
        "PAMTRI_CUDA_INCLUDE": fakes / "fake_cuda",
        "CMAKE_BUILD_TYPE": "Debug",
        "Python_EXECUTABLE": sys.executable,
    } | definitions
    cmake, ninja = tool("cmake"), tool("ninja")
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}") if ninja else ()
    configure = (cmake, "-S", ROOT, "-B", folder, *generator, *(f"-D{k}={v}" for k, v in given.items()))
    for command in (configure, (cmake, "--build", folder, "--parallel", "2", "--target", *targets)):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return folder / "tests" / "deepstream"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the test programs; return the folder that they lie in. PAMTRI_DEEPSTREAM_BUILD: a kept one."""
    for needed in ("pkg-config", "cmake"):
        if tool(needed) is None:
            pytest.skip(f"there is no {needed}; .ci/gstreamer installs GStreamer on Debian and Ubuntu")
    packages = ("gstreamer-video-1.0 >= 1.22", "gstreamer-check-1.0 >= 1.22")
    if subprocess.run(["pkg-config", "--exists", *packages]).returncode:
        pytest.skip("there is no GStreamer 1.22 or later; .ci/gstreamer installs it")
    kept = os.environ.get("PAMTRI_DEEPSTREAM_BUILD")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("deepstream")
    found = sanitizers(tmp_path_factory.mktemp("sanitizers"))
    return build(folder, *PROGRAMS, CMAKE_CXX_FLAGS=f"{FLAGS} {found}")
