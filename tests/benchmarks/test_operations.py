# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The cases of the kernel measurement: right inputs, counted bytes, results that are really looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gpu import traffic
from gpu.memories import POISON, CudaMemory, HostMemory
from gpu.operations import Case, cases

from pamtri_edge import ops

ALL = list(cases())
BY_NAME = {case.name: case for case in ALL}


@pytest.fixture
def case() -> Case:
    return BY_NAME["segments 64 to fp32"]


@pytest.fixture
def memory() -> HostMemory:
    return HostMemory()


@pytest.mark.parametrize("name", BY_NAME)
@pytest.mark.usefixtures("simulated_gpu")
def test_a_case_gives_the_references_results_with_the_kernels_themselves(
    name: str, rng: np.random.Generator
) -> None:
    memory = CudaMemory()
    with memory.current():
        prepared = BY_NAME[name].prepare(memory, 2, rng)
        assert prepared.check() <= 1e-3


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda out: out[-1, -1, -1].view(np.uint8).fill(POISON), "not written"),
        (lambda out: np.copyto(out, 1 - out), "from the reference's"),
    ],
    ids=["unwritten", "wrong"],
)
def test_a_broken_operation_is_found(
    case: Case,
    memory: HostMemory,
    rng: np.random.Generator,
    spoil: Callable[[Any], None],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = ops.segments

    def broken(*arguments: Any, out: Any, **options: Any) -> Any:
        real(*arguments, out=out, **options)
        spoil(out)

    monkeypatch.setattr(ops, "segments", broken)
    with pytest.raises(AssertionError, match=what):
        case.prepare(memory, 2, rng).check()


@pytest.mark.parametrize("name", [case.name for case in ALL if case.operation != "crop"])
def test_the_bytes_counted_are_those_of_the_arrays(
    name: str, memory: HostMemory, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays: list[Any] = []
    for method in ("upload", "poisoned"):
        plain = getattr(HostMemory, method)
        monkeypatch.setattr(
            HostMemory, method, lambda *given, plain=plain: arrays.append(plain(*given)) or arrays[-1]
        )
    counted = BY_NAME[name].prepare(memory, 3, rng).traffic
    assert counted.total == sum(array.nbytes for array in arrays)
    assert counted.total == 3 * BY_NAME[name].each


@pytest.mark.parametrize(("pixel_format", "read"), [("rgb", 3 * 44), ("rgba", 4 * 44), ("nv12", 44 + 2 * 12)])
def test_a_pixel_under_two_rectangles_is_read_once(pixel_format: str, read: int) -> None:
    rectangles = np.array([[0, 0, 6, 4], [2, 2, 9, 6]], np.int32)  # 24 + 28 pixels, 8 in both
    counted = traffic.crop(rectangles, pixel_format=pixel_format, out_item=2)
    assert counted.read == read
    assert counted.written == 2 * 3 * 256 * 256 * 2
