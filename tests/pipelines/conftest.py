# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ tests of pipelines: built once, with the fakes of CUDA and TensorRT, and run one by one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from small_bundle import bundle_path, golden, manifest, write  # noqa: F401

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SANITIZERS = "-fsanitize=address,undefined -fno-sanitize-recover=all"


def tool(name):
    """Return a program of the environment that runs the tests, or of the system."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def run(*command, **options):
    """Run a command; what it said is in the failure."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    )
    return done.stdout


def configure(folder, **definitions):
    """Configure the project in a folder, without its Python modules."""
    ours = {"PAMTRI_PYTHON": "OFF", "PAMTRI_WERROR": "ON", "Python_EXECUTABLE": sys.executable}
    definitions = ours | definitions
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}") if tool("ninja") else ()
    return subprocess.run(
        [
            tool("cmake"),
            "-S",
            ROOT,
            "-B",
            folder,
            *generator,
            *(f"-D{k}={v}" for k, v in definitions.items()),
        ],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def sanitizers(tmp_path_factory):
    """Return the compiler's flags that find bad memory accesses and leaks; none where it has them not."""
    folder = tmp_path_factory.mktemp("sanitizers")
    source = folder / "main.cpp"
    source.write_text("int main() { return 0; }\n")
    compiler = os.environ.get("CXX", "c++")
    linked = subprocess.run(
        [compiler, *SANITIZERS.split(), source, "-o", folder / "main"], capture_output=True
    )
    works = linked.returncode == 0 and subprocess.run([folder / "main"], capture_output=True).returncode == 0
    return SANITIZERS if works else ""


@pytest.fixture(scope="session")
def programs(tmp_path_factory, sanitizers):
    """Build the test programs; return the folder that they lie in.

    `PAMTRI_TESTS_BUILD` names a folder to build in, which keeps what it has for the next time.
    """
    kept = os.environ.get("PAMTRI_TESTS_BUILD")
    folder = Path(kept).resolve() if kept else tmp_path_factory.mktemp("pipelines")
    configured = configure(
        folder,
        PAMTRI_TESTS="ON",
        PAMTRI_TENSORRT_INCLUDE=HERE / "fake_tensorrt",
        PAMTRI_CUDA_INCLUDE=HERE / "fake_cuda",
        CMAKE_BUILD_TYPE="Debug",
        CMAKE_CXX_FLAGS=f"-O0 {sanitizers}",
    )
    if "zlib is not found" in configured.stderr:
        pytest.skip("the headers of zlib are not at hand: apt-get install zlib1g-dev")
    assert configured.returncode == 0, configured.stdout + configured.stderr
    targets = ("engine_tests", "core_tests", "core_probe", "bundle_probe")
    run(tool("cmake"), "--build", folder, "--parallel", "2", "--target", *targets)
    return folder / "tests" / "pipelines"


@pytest.fixture
def probe(programs):
    """Return what runs bundle_probe with arguments and lines of input, and gives the lines that it tells."""

    def probe(*arguments, lines=""):
        # oneTBB opens its own parts in a way that sanitizers refuse, unless it is told.
        done = subprocess.run(
            [programs / "bundle_probe", *map(str, arguments)],
            input=lines.encode(),
            capture_output=True,
            env={**os.environ, "TBB_ENABLE_SANITIZERS": "1"},
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        return done.stdout.decode().splitlines()

    return probe
