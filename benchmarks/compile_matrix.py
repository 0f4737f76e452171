# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels through every compiler for every GPU: registers, shared memory, spills.

`python benchmarks/compile_matrix.py` needs no GPU. It takes the compilers that are installed: nvcc (the
package nvidia-cuda-nvcc, or the one on PATH), NVRTC 13 as CuPy calls it (nvidia-cuda-nvrtc), and the NVRTC of
CUDA 12.6 that JetPack 6 has (nvidia-cuda-nvrtc-cu12). A warning is an error, and so is local memory.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.errors import PamtriError
from pamtri_edge.ops.cuda import compile_options
from pamtri_edge.ops.tasks import KERNELS

STEMS = ("decode", "segments", "stack", "crop", "sharpness")
TARGETS = ("sm_86", "sm_87", "sm_89", "sm_90", "sm_110")
"""Workstation Ampere, Orin, Ada, Hopper, Thor."""
PTX = ("compute_90", "compute_110")
"""What later GPUs compile for themselves."""
JETPACK_6 = ("sm_87",)

_AS_CUPY = ("-ftz=true", "--device-as-default-execution-space")
"""What CuPy adds to the options of a module."""


class CompileError(PamtriError):
    """A kernel that a compiler refuses or warns about."""


@dataclass(frozen=True)
class Compiled:
    """One kernel, compiled.

    Attributes:
        kernel: its name.
        compiler: which, with its version.
        target: the GPU it was compiled for.
        registers: a thread's; None for PTX, which has not been assigned any.
        shared: a block's bytes of shared memory.
        local: a thread's bytes of local memory, its stack.
        spilled: bytes of stores and loads of registers that did not suffice.
    """

    kernel: str
    compiler: str
    target: str
    registers: int | None
    shared: int
    local: int
    spilled: int


def find_nvcc() -> Path | None:
    """Return the CUDA compiler, or None."""
    found = shutil.which("nvcc")
    return _in_packages("cu13/bin/nvcc") or (Path(found) if found else None)


def find_nvrtc(major: int) -> Path | None:
    """Return the runtime compiler of a CUDA version, or None."""
    name = f"libnvrtc.so.{major}"
    return _in_packages(f"cu{major}/lib/{name}") or _in_packages(f"cuda_nvrtc/lib/{name}")


def with_nvcc(nvcc: Path, targets: Sequence[str], ptx: Sequence[str]) -> list[Compiled]:
    """Compile every kernel for every target at once, as the library for C++ is compiled.

    Raises:
        CompileError: an error or a warning.
    """
    version = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=True).stdout
    compiler = f"nvcc {re.findall(r'V([0-9.]+)', version)[0]}"
    codes = [f"arch={target.replace('sm_', 'compute_')},code={target}" for target in (*targets, *ptx)]
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / "kernels.cu"
        unit.write_text("".join(f'#include "{stem}.cu"\n' for stem in STEMS))
        command = [
            nvcc,
            "-std=c++17",
            "-fatbin",
            "--threads",
            "2",
            "-Werror",
            "all-warnings",
            "-Xptxas",
            "-v",
        ]
        command += [part for code in codes for part in ("-gencode", code)]
        command += [*_includes(), "-o", unit.with_suffix(".fatbin"), unit]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CompileError(f"{compiler}: {done.stdout}{done.stderr}")
    for_gpus = list(_read(done.stderr, compiler, None))
    return for_gpus + [
        Compiled(kernel, compiler, target, None, 0, 0, 0)
        for target in ptx
        for kernel in dict.fromkeys(one.kernel for one in for_gpus)
    ]


def with_nvrtc(library: Path, targets: Sequence[str]) -> list[Compiled]:
    """Compile every kernel for every target with a runtime compiler, with the options that CuPy gives it.

    Raises:
        CompileError: an error or a warning.
    """
    nvrtc = ctypes.CDLL(str(library))
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    compiler = f"NVRTC {major.value}.{minor.value}"
    strict = ("-Werror", "all-warnings") if major.value > 12 else ()  # 12.6 knows no such option
    compiled: list[Compiled] = []
    for stem, target in _each(targets):
        code = (KERNELS / "cuda" / f"{stem}.cu").read_bytes()
        options = [option.encode() for option in (*_options(target), *strict)]
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        nvrtc.nvrtcCreateProgram(ctypes.byref(program), code, f"{stem}.cu".encode(), 0, None, None)
        status = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetProgramLog(program, log)
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
        compiled += _judged(log.value.decode(), failed=status != 0, compiler=compiler, target=target)
    return compiled


def with_cupy(targets: Sequence[str]) -> list[Compiled]:
    """Compile every kernel for every target through CuPy's binding of NVRTC.

    Raises:
        CompileError: an error or a warning.
        ImportError: CuPy is not installed.
    """
    from cupy.cuda import nvrtc

    compiler = "CuPy, NVRTC {}.{}".format(*nvrtc.getVersion())
    compiled: list[Compiled] = []
    for stem, target in _each(targets):
        program = nvrtc.createProgram((KERNELS / "cuda" / f"{stem}.cu").read_text(), f"{stem}.cu", (), ())
        failed = False
        try:
            nvrtc.compileProgram(program, (*_options(target), "-Werror", "all-warnings"))
            assert nvrtc.getCUBIN(program)
        except nvrtc.NVRTCError:
            failed = True
        log = nvrtc.getProgramLog(program)
        nvrtc.destroyProgram(program)
        compiled += _judged(log, failed=failed, compiler=compiler, target=target)
    return compiled


def everything() -> Iterator[tuple[str, list[Compiled]]]:
    """Yield what each compiler makes of the kernels, or an empty list where it is not installed."""
    nvcc = find_nvcc()
    yield "nvcc", [] if nvcc is None else with_nvcc(nvcc, TARGETS, PTX)
    library = find_nvrtc(13)
    if library is not None and find_spec("cupy") is not None:
        yield "CuPy", with_cupy(TARGETS)
    else:
        yield "NVRTC 13", [] if library is None else with_nvrtc(library, TARGETS)
    library = find_nvrtc(12)
    yield "NVRTC 12.6", [] if library is None else with_nvrtc(library, JETPACK_6)


def main() -> None:
    """Print registers by kernel and target; fail where a kernel uses local memory."""
    table = Table("compiler", "kernel", "shared B", *TARGETS, *PTX)
    bad = []
    for name, compiled in everything():
        if not compiled:
            console.err.print(f"{name} is not installed: left out.")
        for kernel in sorted({one.kernel for one in compiled}):
            found = {one.target: one for one in compiled if one.kernel == kernel}
            first = next(iter(found.values()))
            cells = [_cell(found.get(target)) for target in (*TARGETS, *PTX)]
            table.add_row(first.compiler, kernel, str(max(one.shared for one in found.values())), *cells)
            bad += [f"{kernel} for {one.target}" for one in found.values() if one.local or one.spilled]
    console.out.print(table)
    console.out.print("Numbers: registers of a thread. Local memory and spills: none is allowed.")
    if bad:
        raise CompileError(f"these use local memory: {', '.join(bad)}.")


def _cell(one: Compiled | None) -> str:
    if one is None:
        return ""
    if one.registers is None:
        return "PTX"
    spills = f", {one.local} B local, {one.spilled} B spilled" if one.local or one.spilled else ""
    return f"{one.registers}{spills}"


def _in_packages(path: str) -> Path | None:
    """Return a file of NVIDIA's Python packages, or None."""
    spec = find_spec("nvidia")
    places = [] if spec is None else [Path(place) / path for place in spec.submodule_search_locations or ()]
    return next((place for place in places if place.is_file()), None)


def _includes() -> Iterable[str]:
    return (option for option in compile_options() if option.startswith("-I"))


def _options(target: str) -> tuple[str, ...]:
    return (f"-arch={target}", *compile_options(), *_AS_CUPY, "--ptxas-options=-v")


def _each(targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((stem, target) for stem in STEMS for target in targets)


def _judged(log: str, *, failed: bool, compiler: str, target: str) -> list[Compiled]:
    if failed or "warning" in log.lower():
        raise CompileError(f"{compiler} for {target}: {log}")
    return list(_read(log, compiler, target))


def _read(log: str, compiler: str, target: str | None) -> Iterator[Compiled]:
    """Yield what the assembler's words say of each kernel."""
    parts = re.split(r"Compiling entry function '(\w+)' for '(\w+)'", log)[1:]
    for kernel, compiled_for, words in zip(parts[::3], parts[1::3], parts[2::3], strict=True):

        def number(pattern: str, words: str = words) -> int:
            found = re.search(pattern, words)
            return int(found[1]) if found else 0

        yield Compiled(
            kernel,
            compiler,
            target or compiled_for,
            number(r"Used (\d+) registers"),
            number(r"(\d+) bytes smem"),
            number(r"(\d+) bytes stack frame"),
            number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
        )


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
