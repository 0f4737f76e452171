# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels on a CPU: `kernels/cuda/*.cu` as they are, compiled after `cuda_on_cpu/` by g++.

    kernels = EmulatedKernels(emulated_kernels.compile_library(folder))
    kernels.launch("pamtri_decode_float", (maps,), (128,), arguments)

Arguments are NumPy scalars and structs, as CuPy takes them; a pointer is a `numpy.uint64`. On the fake CuPy,
`connect()` makes RawModule's functions run here, on the memory of the simulated GPU.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import native_builds

KERNELS = Path(__file__).resolve().parents[2] / "kernels"
HERE = Path(__file__).resolve().parent

FORWARD, BACKWARD = 0, 1
"""In which order the threads of a block run."""

LIBRARY = "libkernels.so"

_KERNEL = re.compile(r"__global__[^(]*\([^)]*\)\s*(\w+)\(")
_FLAGS = (
    "-std=c++17",
    "-O1",
    "-ffp-contract=off",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-clobbered",
    "-U_FORTIFY_SOURCE",  # Ubuntu's default, which takes a jump to another stack for an attack
    "-shared",
    "-fno-gnu-unique",
    "-fPIC",
)
# A GPU reads nothing that is not aligned.
SANITIZED = (*native_builds.SANITIZERS.split(), "-fsanitize=alignment", *native_builds.DEBUG.split())


_UNIT = """#include "cuda_on_cpu.hpp"
#include "launch.cu"
#include "launch_entries.hpp"

namespace emulated {
const std::vector<Kernel>& kernels() {
    static const std::vector<Kernel> all{
KERNELS    };
    return all;
}
}

extern "C" const char* launch(const char* name, const unsigned* grid, const unsigned* block,
        void** arguments, const std::size_t* sizes, std::size_t count, int order) {
    return emulated::launch(name, {grid[0], grid[1], grid[2]}, {block[0], block[1], block[2]},
        arguments, sizes, count, order);
}
"""


def kernel_names() -> list[str]:
    """Return the names of all kernels of the sources."""
    sources = [path for path in sorted((KERNELS / "cuda").glob("*.cu")) if path.stem != "launch"]
    return [name for path in sources for name in _KERNEL.findall(path.read_text())]


def compile_library(folder: Path, *flags: str) -> Path:
    """Compile every kernel into a library in a folder, with more flags; skip where there is no g++."""
    compiler = shutil.which("g++")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs g++ on Linux to run the kernels on the CPU")
    entries = "".join(f'        kernel("{name}", {name}),\n' for name in kernel_names())
    unit, library = folder / "kernels.cpp", folder / LIBRARY
    unit.write_text(_UNIT.replace("KERNELS", entries))
    includes = [f"-I{path}" for path in (HERE / "cuda_on_cpu", KERNELS / "cuda", KERNELS / "include")]
    done = subprocess.run(
        [compiler, *_FLAGS, *flags, *includes, "-o", library, unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return library


class EmulatedKernels:
    """The kernels of a library.

    Attributes:
        library: with the functions of `launch_entries.hpp`, too.
        order: in which order the threads of a block run, `FORWARD` at first.
    """

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        self._launch = self.library.launch
        self._launch.restype = ctypes.c_char_p
        self.order = FORWARD

    def launch(self, name, grid, block, arguments, translate=None):
        """Run a kernel to its end.

        Args:
            name: of the kernel.
            grid: one to three numbers.
            block: one to three numbers.
            arguments: NumPy scalars, and arrays of one struct.
            translate: makes an address of this process from a pointer; as it is by default.
        """
        values = [_argument(value, translate or (lambda pointer: pointer)) for value in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(value.ctypes.data for value in values))
        sizes = (ctypes.c_size_t * len(values))(*(value.nbytes for value in values))
        dimensions = [(ctypes.c_uint * 3)(*(*size, 1, 1)[:3]) for size in (grid, block)]
        failure = self._launch(name.encode(), *dimensions, pointers, sizes, len(values), self.order)
        if failure is not None:
            raise AssertionError(f"{name}: {failure.decode()}")

    def connect(self, cupy_fake):
        """Let the fake CuPy's modules find these kernels."""

        def on(name):
            def run(grid, block, *arguments):
                def translate(pointer):
                    gpu = cupy_fake.state.gpus[cupy_fake.cuda.runtime.pointerGetAttributes(pointer).device]
                    return gpu.view(pointer, 1).ctypes.data

                self.launch(name, grid, block, arguments, translate)

            return run

        for name in kernel_names():
            cupy_fake.kernels[name] = on(name)


def _argument(value, translate):
    """Return a value as cuLaunchKernel reads it: an array of one, its pointers those of this process."""
    if not isinstance(value, (np.generic, np.ndarray)):
        raise AssertionError(f"{value!r} is passed to a kernel without saying how wide it is")
    single = np.array(value).reshape(1)
    assert single.size == 1, "CuPy passes arrays of one element by value"
    _translate_pointers(single, translate)
    return single


def _translate_pointers(array, translate):
    if array.dtype.names is not None:
        for name in array.dtype.names:
            _translate_pointers(array[name], translate)
    elif array.dtype == np.uint64:
        flat = array.reshape(-1)
        assert np.may_share_memory(flat, array)
        for index in np.flatnonzero(flat):
            flat[index] = translate(int(flat[index]))
