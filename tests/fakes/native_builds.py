# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Builds of the project's C++ for tests: unoptimized, and what several rooms need is built once.

folder = native_builds.sanitized(tmp_path_factory, "pipeline_tests", "sink_probe")
folder / "tests" / "pipelines" / "pipeline_tests"
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
# A null pointer ends a program anyway, AddressSanitizer sees what is read beyond an array, processors read
# what is not aligned today, and the others find little at -O0: together a third of the compiler's time.
SANITIZERS = (
    "-fsanitize=address,undefined -fno-sanitize=alignment,null,object-size,pointer-overflow,vptr "
    "-fno-sanitize-recover=all"
)
# GCC forgets nothing of a unit: to look for what it might forget is a tenth of its time.
FORGETTING = "--param ggc-min-expand=10000 --param ggc-min-heapsize=4000000"
QUICK_LINKER = "-fuse-ld=gold"  # a third of the time, for programs of 20 MB
DEBUG = "-O0 -g1"  # lines for the sanitizers; more takes longer to write and link
KEPT = "PAMTRI_TESTS_BUILD"
"""The variable that names a folder to build in, which keeps what it has for the next time."""

_GSTREAMER = ("gstreamer-video-1.0 >= 1.22", "gstreamer-check-1.0 >= 1.22")
_folders: dict[str, Path] = {}


def tool(name: str) -> str | None:
    """Return a program of the environment that runs the tests, or of the system."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def compiler() -> str:
    """Return the C++ compiler that CMake takes too."""
    return os.environ.get("CXX", "c++")


def run(*command: object, **options: object) -> str:
    """Run a command; what it said is in the failure."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    )
    return str(done.stdout)


@cache
def gstreamer_missing() -> str | None:
    """Say what of GStreamer is not there; None where all is."""
    for program in ("pkg-config", "gst-launch-1.0", "cmake"):
        if tool(program) is None:
            return f"there is no {program}; .ci/gstreamer installs GStreamer on Debian and Ubuntu"
    found = subprocess.run(["pkg-config", "--exists", *_GSTREAMER], capture_output=True)
    return None if found.returncode == 0 else "there is no GStreamer 1.22 or later; .ci/gstreamer installs it"


def configure(folder: Path, *, flags: str = "", **definitions: object) -> subprocess.CompletedProcess[str]:
    """Configure the project with its tests and without its Python modules; return what CMake said."""
    given = {
        "PAMTRI_PYTHON": "OFF",
        "PAMTRI_TESTS": "ON",
        "PAMTRI_WERROR": "ON",
        "CMAKE_BUILD_TYPE": "Debug",
        # Many small files that read the same long headers: together they take half as long.
        "CMAKE_UNITY_BUILD": "ON",
        "CMAKE_UNITY_BUILD_BATCH_SIZE": 0,  # all of a target
        "CMAKE_CXX_FLAGS": flags,
        "CMAKE_CXX_FLAGS_DEBUG": DEBUG,
        "Python_EXECUTABLE": sys.executable,
        **definitions,
    }
    cmake, ninja = tool("cmake"), tool("ninja")
    generator = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}") if ninja else ()
    command = (cmake, "-S", TESTS.parent, "-B", folder, *generator, *(f"-D{k}={v}" for k, v in given.items()))
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def build(folder: Path, *targets: str) -> None:
    """Build targets in a configured folder."""
    run(tool("cmake"), "--build", folder, "--parallel", "2", "--target", *targets)


def sanitized(folders: pytest.TempPathFactory, *targets: str) -> Path:
    """Build targets on the fakes of CUDA, TensorRT and DeepStream, with sanitizers where there are some.

    It is one folder for all rooms, with GStreamer where that is at hand. Beside what is built there lies
    `configured.txt`: what CMake said.
    """
    folder = _folders.get("sanitized") or _configured(folders)
    build(folder, *targets)
    return folder


def flags_of(folder: Path) -> str:
    """Return the flags that a configured folder compiles with."""
    flags = re.search(r"^CMAKE_CXX_FLAGS:\w+=(.*)$", (folder / "CMakeCache.txt").read_text(), re.MULTILINE)
    assert flags is not None
    return f"{DEBUG} {flags[1]}"


def sanitizing(*options: str) -> dict[str, str]:
    """Return the environment of a program with sanitizers, with AddressSanitizer's options.

    OpenVINO gives a thread a stack for signals, and unmaps it when it is unloaded. The sanitizer unmaps it
    as that thread ends, unless it keeps out of such stacks: the second time it is another's memory.
    oneTBB opens its own parts in a way that sanitizers refuse, unless it is told.
    """
    return {"ASAN_OPTIONS": ":".join(("use_sigaltstack=0", *options)), "TBB_ENABLE_SANITIZERS": "1"}


@cache
def sanitizers_loaded() -> dict[str, str]:
    """Return the environment in which programs without sanitizers load what was built with them."""
    libraries = []
    # The C++ library with it: it must be there when the sanitizer looks for what throws exceptions.
    for name in ("libasan.so", "libstdc++.so.6"):
        found = subprocess.run([compiler(), f"-print-file-name={name}"], capture_output=True, text=True)
        libraries.append(found.stdout.strip())
    if not all(Path(library).is_absolute() for library in libraries):
        return {}
    # Of what such programs leave to the system at their end nothing is ours.
    return {"LD_PRELOAD": " ".join(libraries), **sanitizing("detect_leaks=0")}


def _configured(folders: pytest.TempPathFactory) -> Path:
    if tool("cmake") is None or shutil.which(compiler()) is None:
        pytest.skip("the C++ tests need cmake and a compiler")
    kept = os.environ.get(KEPT)
    folder = _kept(Path(kept).resolve()) if kept else folders.mktemp("sanitized")
    fakes: dict[str, object] = {
        "PAMTRI_TENSORRT_INCLUDE": TESTS / "pipelines" / "fake_tensorrt",
        "PAMTRI_CUDA_INCLUDE": TESTS / "pipelines" / "fake_cuda",
    }
    if gstreamer_missing() is None:
        fakes |= {"PAMTRI_GSTREAMER": "ON", "PAMTRI_DEEPSTREAM": TESTS / "deepstream" / "fake_nvds"}
    known = " ".join(
        _known(flags, folders.mktemp("flags")) for flags in (SANITIZERS, FORGETTING, QUICK_LINKER)
    )
    done = configure(folder, flags=_with_standard_headers(folder / "standard", known), **fakes)
    if "zlib is not found" in done.stderr:
        pytest.skip("the headers of zlib are not at hand: apt-get install zlib1g-dev")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "configured.txt").write_text(done.stdout)
    _folders["sanitized"] = folder
    return folder


def _kept(folder: Path) -> Path:
    """Return a folder that keeps its build, emptied where that is of another checkout or was moved."""
    cache = folder / "CMakeCache.txt"
    places = {f"CMAKE_HOME_DIRECTORY:INTERNAL={TESTS.parent}", f"CMAKE_CACHEFILE_DIR:INTERNAL={folder}"}
    if cache.exists() and not places <= set(cache.read_text().splitlines()):
        shutil.rmtree(folder)
    return folder


def _known(flags: str, folder: Path) -> str:
    """Return the compiler's flags; none where it has them not."""
    source, program = folder / "main.cpp", folder / "main"
    source.write_text("int main() { return 0; }\n")
    linked = subprocess.run([compiler(), *flags.split(), source, "-o", program], capture_output=True)
    works = linked.returncode == 0 and subprocess.run([program], capture_output=True).returncode == 0
    return flags if works else ""


def _with_standard_headers(folder: Path, flags: str) -> str:
    """Return flags with which a unit finds the headers of `standard.hpp` compiled, in a folder that is kept.

    Programs and libraries take the same (CMakeLists.txt); where there is none, a unit reads the headers.
    """
    # The macro is what a library of the C++ of today has anyway; OpenVINO's targets define it.
    flags, header = f"{flags} -pthread -D_GLIBCXX_USE_CXX11_ABI=1", folder / "standard.hpp"
    compiled = header.with_suffix(".hpp.gch")
    if not compiled.is_file():
        shutil.rmtree(folder, ignore_errors=True)  # what is there is of an earlier form
        folder.mkdir(parents=True)
        shutil.copy(TESTS / "fakes" / "standard.hpp", header)
        part = folder / "part"
        gstreamer = [] if gstreamer_missing() else run("pkg-config", "--cflags", *_GSTREAMER).split()
        command = (compiler(), "-std=c++17", *DEBUG.split(), *flags.split(), "-fPIC", *gstreamer)
        if not subprocess.run([*command, "-x", "c++-header", header, "-o", part]).returncode:
            part.rename(compiled)
    return f"{flags} -include {header}"
