# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`-DPAMTRI_CUDA=ON` builds the operations on a GPU into a library that a C++ program links."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KERNELS = 11

# No device is needed where there is nothing to do; with something to do, the missing driver is told.
_PROGRAM = """
#include <cstdio>

#include "launch.hpp"

int main() {
    using namespace pamtri::cuda;
    const int corners[1][4] = {{0, 1, 2, 3}};
    const CropOptions options;
    if (decode(nullptr, Type::kFloat, 0, 64, true, nullptr, nullptr) != cudaSuccess) return 1;
    if (segments(nullptr, 0, 36, corners, 1, 0.5f, 64, Type::kHalf, nullptr, nullptr)) return 2;
    pamtri::StackTask task{};
    task.size = 64;
    if (stack(task, 0, Type::kFloat, nullptr) != cudaSuccess) return 3;
    if (crop(nullptr, 0, options, nullptr, nullptr) != cudaSuccess) return 4;
    if (decode(nullptr, Type::kByte, 1, 64, true, nullptr, nullptr) != cudaErrorInvalidValue) return 5;
    int devices = 0;
    if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) return 0;
    const cudaError_t error = decode(nullptr, Type::kFloat, 1, 64, true, nullptr, nullptr);
    std::printf("%s", cudaGetErrorName(error));
    return error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice ? 0 : 6;
}
"""


def program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def toolkit() -> Path:
    """Return the folder of the packages that nvcc comes as."""
    spec = importlib.util.find_spec("nvidia")
    places = [] if spec is None else [Path(place) / "cu13" for place in spec.submodule_search_locations or ()]
    for place in places:
        if (place / "bin" / "nvcc").is_file() and (place / "lib" / "libcudart_static.a").is_file():
            return place
    pytest.skip("nvcc is not installed: pip install nvidia-cuda-nvcc nvidia-cuda-runtime")


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_program_in_cpp_links_it(tmp_path: Path) -> None:
    cuda, compiler = toolkit(), os.environ.get("CXX", program("c++"))
    build = tmp_path / "build"
    options = {
        "PAMTRI_PYTHON": "OFF",
        "PAMTRI_CUDA": "ON",
        "PAMTRI_WERROR": "ON",
        "CMAKE_CUDA_COMPILER": cuda / "bin" / "nvcc",
        "CMAKE_CUDA_FLAGS": "-Xptxas=-v",
        "CMAKE_MAKE_PROGRAM": program("ninja"),
    }
    definitions = [f"-D{name}={value}" for name, value in options.items()]
    said = run(program("cmake"), "-S", ROOT, "-B", build, "-G", "Ninja", *definitions)
    assert "86-real;87-real;89-real;90;110" in said  # those of the compile matrix, unless some are named
    run(program("cmake"), "-S", ROOT, "-B", build, "-DCMAKE_CUDA_ARCHITECTURES=90-real")
    said = run(program("cmake"), "--build", build, "--target", "pamtri_cuda")
    kernels = re.findall(r"Compiling entry function '(\w+)' for 'sm_90'", said)
    assert len(kernels) == len(set(kernels)) == KERNELS
    used = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", said)
    assert used == [("0", "0", "0")] * KERNELS
    assert max(int(number) for number in re.findall(r"Used (\d+) registers", said)) <= 64

    source, linked = tmp_path / "main.cpp", tmp_path / "main"
    source.write_text(_PROGRAM)
    includes = [f"-I{ROOT / 'kernels' / name}" for name in ("include", "cuda")]
    includes += ["-isystem", str(cuda / "include")]
    libraries = [build / "kernels" / "libpamtri_cuda.a", cuda / "lib" / "libcudart_static.a"]
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
    run(compiler, *flags, *includes, "-o", linked, source, *libraries, "-ldl", "-lrt", "-lpthread")
    run(linked)
