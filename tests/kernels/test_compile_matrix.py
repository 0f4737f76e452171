# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernels compile without a warning for every GPU, and no register is spilled.

The compilers are Python packages that `make` installs where they have wheels; no GPU is needed.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pamtri_edge.ops import cuda, tasks

ROOT = Path(__file__).resolve().parents[2]
KERNELS = 11
NEWEST = "sm_110"


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile_matrix", ROOT / "benchmarks" / "compile_matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def found(place: Path | None, package: str) -> Path:
    if place is None:
        pytest.skip(f"the compiler is not installed: pip install {package}")
    return place


@pytest.fixture
def decode_alone(matrix: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile one kernel's source, where the others come through the same compiler elsewhere."""
    monkeypatch.setattr(matrix, "STEMS", ("decode",))


def check(compiled: list[Any], targets: tuple[str, ...], kernels: int = KERNELS) -> None:
    """Every kernel was compiled for every target, within a block's registers and without local memory."""
    assert Counter(one.target for one in compiled) == dict.fromkeys(targets, kernels)
    assert len({one.kernel for one in compiled}) == kernels
    for one in compiled:
        assert one.registers is None or 0 < one.registers <= 64, one
        assert (one.local, one.spilled) == (0, 0), one


@pytest.mark.usefixtures("decode_alone")  # all of them are in the library for C++
def test_nvcc(matrix: ModuleType) -> None:
    nvcc = found(matrix.find_nvcc(), "nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt nvidia-cuda-runtime")
    targets, ptx = ("sm_90",), matrix.PTX[-1:]
    check(matrix.with_nvcc(nvcc, targets, ptx), (*targets, *ptx), kernels=2)


def test_the_runtime_compiler_of_cuda_13(matrix: ModuleType) -> None:
    library = found(matrix.find_nvrtc(13), "nvidia-cuda-nvrtc")
    check(matrix.with_nvrtc(library, (NEWEST,)), (NEWEST,))


def test_the_runtime_compiler_of_jetpack_6(matrix: ModuleType) -> None:
    library = found(matrix.find_nvrtc(12), "nvidia-cuda-nvrtc-cu12==12.6.85")
    compiled = matrix.with_nvrtc(library, matrix.JETPACK_6)
    check(compiled, matrix.JETPACK_6)
    assert {one.compiler for one in compiled} == {"NVRTC 12.6"}


@pytest.mark.usefixtures("decode_alone")  # all of them are above, by the compiler that CuPy calls
def test_through_cupy(matrix: ModuleType) -> None:
    pytest.importorskip("cupy", reason="CuPy is not installed: pip install cupy-cuda13x")
    found(matrix.find_nvrtc(13), "nvidia-cuda-nvrtc")
    check(matrix.with_cupy((NEWEST,)), (NEWEST,), kernels=2)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("__global__ void f() { int unused; }", "was declared but never referenced"),
        ("__global__ void f() { x; }", 'identifier "x" is undefined'),
    ],
)
def test_a_warning_is_an_error(
    matrix: ModuleType, code: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = found(matrix.find_nvrtc(13), "nvidia-cuda-nvrtc")
    compile_this(matrix, code, tmp_path, monkeypatch)
    with pytest.raises(matrix.CompileError, match=complaint):
        matrix.with_nvrtc(library, ("sm_87",))


def test_local_memory_is_seen(matrix: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = found(matrix.find_nvrtc(13), "nvidia-cuda-nvrtc")
    code = (
        'extern "C" __global__ void f(int* p, int n) {\n'
        "    int a[64];\n"
        "    for (int i = 0; i < 64; ++i) a[i] = p[i];\n"
        "    for (int i = 0; i < n; ++i) a[p[i] & 63] += i;\n"
        "    p[0] = a[n];\n"
        "}\n"
    )
    compile_this(matrix, code, tmp_path, monkeypatch)
    (compiled,) = matrix.with_nvrtc(library, ("sm_87",))
    assert compiled.local >= 256


def compile_this(matrix: ModuleType, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another source stand for the kernels."""
    (folder / "cuda").mkdir()
    (folder / "cuda" / "only.cu").write_text(code)
    monkeypatch.setattr(matrix, "KERNELS", folder)
    monkeypatch.setattr(matrix, "STEMS", ("only",))


def test_the_matrix_names_every_kernel_of_the_sources(matrix: ModuleType) -> None:
    stems = {path.stem for path in (tasks.KERNELS / "cuda").glob("*.cu")} - {"launch"}
    assert stems == set(matrix.STEMS)
    names = [f"pamtri_{stem}_{suffix}(" for stem in stems for suffix in cuda._SUFFIX.values()]
    names += [f"pamtri_{stem}(" for stem in stems]  # of what gives numbers of one type alone
    names += ["pamtri_widen_float("]  # beside the crops that it takes
    text = "".join((tasks.KERNELS / "cuda" / f"{stem}.cu").read_text() for stem in stems)
    assert sum(name in text for name in names) == KERNELS
