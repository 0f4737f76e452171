# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The program that measures the kernels: its ratios, its targets, and a broken case among sound ones."""

from __future__ import annotations

from typing import Any

import gpu_kernels
import numpy as np
import pytest
from gpu.memories import CudaMemory
from gpu.operations import cases

from simulated_gpu import Gpu

DECODE = next(case for case in cases() if case.name == "decode fp16")


def row(case: str, share: float, *, moved: int = 10**9) -> dict[str, Any]:
    interval = {"median": share, "low": share - 0.01, "high": share + 0.01}
    return {
        "case": case,
        "operation": case.split()[0],
        "vehicles": 9,
        "read": moved // 2,
        "written": moved // 2,
        "share_of_copy": interval,
    }


@pytest.mark.parametrize(("kernel", "share"), [(4.0, 0.5), (2.0, 1.0), (2.5, 0.8)])
def test_the_share_is_the_copys_time_over_the_kernels(
    simulated_gpu: Gpu, kernel: float, share: float
) -> None:
    simulated_gpu.costs.update({"device copy": 2.0, "pamtri_decode_half": kernel, "wait": 0.0})
    memory = CudaMemory()
    with memory.current():
        found = gpu_kernels.measured(memory, DECODE, 1, np.random.default_rng(1), rounds=3, block=0.001)
    assert found["seconds"] == pytest.approx(kernel / 1e3, rel=0.02)
    assert found["share_of_copy"]["median"] == pytest.approx(share, rel=0.02)
    assert found["bytes_per_second"] == pytest.approx(DECODE.each / found["seconds"])


def test_the_worst_large_case_decides() -> None:
    rows = [
        row("decode fp16", 0.9),
        row("stack a", 0.92),
        row("stack b", 0.7),
        row("stack c", 0.2, moved=10**6),
    ]
    _, decode, stack = gpu_kernels.targets(rows, gpu_kernels.JUDGED, large=gpu_kernels.LARGE)
    assert decode.met
    assert stack.met is False
    assert "stack b" in stack.found
