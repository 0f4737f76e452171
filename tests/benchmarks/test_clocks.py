# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The clocks of the GPU measurements, on a GPU whose time the test makes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from gpu.clocks import CupyClock, HostClock, TorchClock
from gpu.memories import CudaMemory
from gpu.rounds import interleave

import cupy_fake
from simulated_gpu import Gpu


class Torch:
    """A torch whose events tell the time that a test keeps."""

    def __init__(self) -> None:
        self.milliseconds = 0.0
        self.cuda = SimpleNamespace(Event=self._event)

    def _event(self, *, enable_timing: bool) -> SimpleNamespace:
        assert enable_timing
        event = SimpleNamespace(at=0.0)
        event.record = lambda: setattr(event, "at", self.milliseconds)
        event.synchronize = lambda: None
        event.elapsed_time = lambda later: later.at - event.at
        return event

    def work(self, milliseconds: float) -> Callable[[], None]:
        def call() -> None:
            self.milliseconds += milliseconds

        return call


def test_a_row_of_calls_is_timed_as_one() -> None:
    torch = Torch()
    take = TorchClock(torch).timer(torch.work(2.0), 0.1)
    before = torch.milliseconds
    assert take() == pytest.approx(2e-3)
    assert torch.milliseconds - before == pytest.approx(102)  # one that does not count, then 100 ms of them


def test_slow_calls_are_made_once_a_block() -> None:
    torch = Torch()
    take = TorchClock(torch).timer(torch.work(900.0), 0.1)
    before = torch.milliseconds
    assert take() == pytest.approx(0.9)
    assert torch.milliseconds - before == pytest.approx(900)


def test_the_hosts_clock_times_what_fits() -> None:
    calls: list[int] = []
    alone = HostClock().timer(lambda: calls.append(0), 0.0)
    calls.clear()
    assert 0 < alone() < 1
    assert len(calls) == 1
    row = HostClock().timer(lambda: calls.append(0), 1e-3)
    calls.clear()
    assert 0 < row() < 1
    assert len(calls) > 2


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

    def test_a_host_that_launches_slowly_is_given_time(
        self, memory: CudaMemory, bare_gpu: Gpu, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 0.0

        def launch_slowly() -> None:
            nonlocal now
            now += 0.004
            cupy_fake.launch_on_stream("kernel", lambda: None)

        monkeypatch.setattr("gpu.clocks.time", SimpleNamespace(perf_counter=lambda: now))
        with memory.current():
            take = memory.clock.timer(launch_slowly, 0.001)
            bare_gpu.log.clear()
            assert take() == pytest.approx(2e-3, abs=1e-4)
        flushed = 0.25e-3 * bare_gpu.log.count("memset")
        assert flushed >= 2 * 0.004

    def test_the_scratch_is_larger_than_the_cache(self, bare_gpu: Gpu) -> None:
        cupy_fake.cuda.runtime.getDeviceProperties = lambda device: {"l2CacheSize": 1 << 25}
        before = bare_gpu.used
        clock = CupyClock(cupy_fake, cupy_fake.cuda.Stream(non_blocking=True))
        assert clock.cache == 1 << 25
        assert bare_gpu.used - before >= 4 << 25


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
