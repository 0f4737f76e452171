# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled module itself: its stub, its own checks, its sources."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge import _native
from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE, SEGMENT_CORNERS

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ROOT / "kernels"
HEADERS = sorted((KERNELS / "include" / "pamtri").glob("*.hpp"))


def signatures(stub: str) -> dict[str, list[str]]:
    """Return the functions of a stub and the names of their arguments."""
    return {
        node.name: [argument.arg for argument in node.args.args]
        for node in ast.parse(stub).body
        if isinstance(node, ast.FunctionDef)
    }


def test_the_committed_stub_names_what_the_module_has() -> None:
    stubgen = pytest.importorskip("nanobind.stubgen", reason="nanobind generates the stub to compare with")
    generator = stubgen.StubGen(_native)
    generator.put(_native)

    committed = (ROOT / "pamtri_edge" / "_native.pyi").read_text()

    assert signatures(committed) == signatures(generator.get())


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


FRAME = np.zeros((8, 9, 3), np.uint8)
BOX = np.array([[0, 0, 5, 5]], np.int32)
ONE_CORNER = np.array([[0, 1, 2, 36]], np.int32)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: _native.decode(zeros(1, 2, 8, 9), zeros(1, 2, 3), True), "heatmaps must be"),
        (lambda: _native.decode(zeros(1, 2, 8, 8), zeros(2, 2, 3), True), "out must be"),
        (
            lambda: _native.segments(zeros(1, 36, 3), SEGMENT_CORNERS, zeros(1, 12, 8, 8), 0.5),
            "out must be",
        ),
        (lambda: _native.segments(zeros(1, 36, 3), ONE_CORNER, zeros(1, 1, 8, 8), 0.5), "corners must be"),
        (
            lambda: _native.stack(
                zeros(1, 3, 8, 8),
                zeros(1, 2, 3, 3),
                None,
                None,
                SEGMENT_CORNERS,
                0.5,
                RGB_AFFINE,
                EXTRA_AFFINE,
                zeros(1, 5, 8, 8),
            ),
            "heatmaps must be",
        ),
        (lambda: _native.resize([FRAME], zeros(2, 3, 4, 4), False), "out must be"),
        (lambda: _native.resize([FRAME[:, ::2]], zeros(1, 3, 4, 4), False), "side by side"),
        (lambda: _native.resize([FRAME[:0]], zeros(1, 3, 4, 4), False), "must have pixels"),
        (lambda: _native.crop(FRAME, BOX + 4, zeros(1, 3, 4, 4), False), "inside the frame"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_anything_is_read(
    call: Callable[[], None], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        call()


@pytest.mark.parametrize(
    "out",
    [
        pytest.param(np.zeros((1, 2, 3)), id="float64"),
        pytest.param(np.zeros((1, 2, 6), np.float32)[..., ::2], id="not contiguous"),
    ],
)
def test_a_result_is_never_written_to_a_copy(out: np.ndarray) -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _native.decode(zeros(1, 2, 8, 8), out, True)


def test_every_header_compiles_alone_without_a_warning(tmp_path: Path) -> None:
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    strict = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
    for header in HEADERS:
        source = tmp_path / f"{header.stem}.cpp"
        source.write_text(f'#include "pamtri/{header.name}"\n')
        command = [compiler, *strict, f"-I{KERNELS / 'include'}", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_headers_include_nothing_but_each_other() -> None:
    for header in HEADERS:
        included = [line for line in header.read_text().splitlines() if line.startswith("#include")]
        assert all(line.startswith('#include "pamtri/') for line in included), header.name
