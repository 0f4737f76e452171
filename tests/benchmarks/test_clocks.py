# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The clocks of the GPU measurements, on a GPU whose time the test makes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gpu.memories import CudaMemory
from gpu.rounds import interleave

from simulated_gpu import Gpu


class TestCupyClock:
    @pytest.fixture
    def memory(self, bare_gpu: Gpu) -> CudaMemory:
        bare_gpu.costs.update({"device copy": 5.0, "memset": 0.25, "kernel": 2.0})
        return CudaMemory()

    def test_a_copy_is_timed_by_what_the_device_takes(self, memory: CudaMemory) -> None:
        with memory.current():
            take = memory.clock.timer(memory.copy(4096), 0.02)
            assert take() == pytest.approx(5e-3, abs=1e-4)

    def test_the_caches_are_written_through_before_each_call(self, memory: CudaMemory, bare_gpu: Gpu) -> None:
        with memory.current():
            take = memory.clock.timer(memory.copy(4096), 0.02)
            bare_gpu.log.clear()
            take()
        copies = [index for index, name in enumerate(bare_gpu.log) if name == "device copy"]
        assert copies
        assert all(bare_gpu.log[index - 1] == "memset" for index in copies)


def test_rounds_alternate_and_blocks_belong_to_their_round() -> None:
    order: list[str] = []

    class Counting:
        def timer(self, call: Callable[[], object], seconds: float) -> Callable[[], float]:
            assert seconds == 0.5

            def take() -> float:
                call()
                return float(len(order))

            return take

    blocks = interleave(
        {name: lambda name=name: order.append(name) for name in "abc"},
        clock=Counting(),
        rounds=3,
        block=0.5,
        on_round=lambda: order.append("|"),
    )
    assert "".join(order) == "abc|cba|abc|"
    assert [block.wall for block in blocks["a"]] == [1, 7, 9]
