# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The program that measures the kernels: its ratios, its targets, and a broken case among sound ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gpu_kernels
import numpy as np
import pytest
from gpu.memories import CudaMemory, HostMemory
from gpu.operations import cases
from gpu.traffic import Traffic

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


def test_a_large_batch_moves_as_much_as_is_promised() -> None:
    for case in cases():
        if case.operation in gpu_kernels.JUDGED:
            assert -(-gpu_kernels.LARGE // case.each) * case.each >= 512e6


def test_a_case_that_is_broken_is_reported_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.operations._prepared", lambda *_: _Broken())
    case = next(case for case in cases() if case.name == "segments 64 to fp32")
    found = gpu_kernels.measured(HostMemory(), case, 2, np.random.default_rng(1), rounds=3, block=0.001)
    assert "not written" in found["failure"]
    assert "seconds" not in found
    right, *_ = gpu_kernels.targets([found, row("decode fp16", 0.9)], {"segments"}, large=1)
    assert right.met is False
    assert "segments 64 to fp32" in right.found
    gpu_kernels.show([found])


class _Broken:
    traffic = Traffic(1, 1)

    def check(self) -> float:
        raise AssertionError("a value was not written")


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


def test_what_was_not_measured_is_not_met() -> None:
    met = [target.met for target in gpu_kernels.targets([], gpu_kernels.JUDGED, large=1)]
    assert met == [None, None, None]


def test_only_what_the_memory_takes_is_chosen() -> None:
    on_host = [case.name for case in gpu_kernels.chosen(HostMemory(), "")]
    assert on_host == [case.name for case in cases() if case.dtypes == {"float32"}]
    assert [case.name for case in gpu_kernels.chosen(HostMemory(), "decode")] == ["decode fp32"]


@pytest.mark.parametrize(("kernel", "code"), [(2.6, 0), (2.7, 1)])
def test_the_program_ends_as_the_bandwidth_says(
    simulated_gpu: Gpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: float, code: int
) -> None:
    costs = {"device copy": 2.0, "wait": 0.0, "pamtri_decode_half": kernel, "pamtri_decode_float": 2.2}
    simulated_gpu.costs.update(costs)
    monkeypatch.setattr("gpu.record.gpu", lambda: {"name": "Simulated GPU"})
    monkeypatch.setattr(gpu_kernels, "LARGE", 10**6)
    monkeypatch.setattr(gpu_kernels, "SMALL", 1)
    with pytest.raises(SystemExit) as ended:
        gpu_kernels.main(only="decode", rounds=3, block=0.001, seed=None, output=tmp_path, rehearse=False)
    assert ended.value.code == code
    (path,) = tmp_path.iterdir()
    written = json.loads(path.read_text())
    assert [(row["case"], row["vehicles"]) for row in written["rows"]] == [
        ("decode fp32", 2),
        ("decode fp32", 1),
        ("decode fp16", 4),
        ("decode fp16", 1),
    ]
    assert "least 7" in written["targets"][1]["found"]
    assert simulated_gpu.used < 1 << 20  # the arrays of the cases are gone, the scratch of the clock is left
