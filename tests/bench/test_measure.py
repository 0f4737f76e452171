# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured is what was done: with clocks that a test turns by hand."""

import itertools

import pytest

from pamtri_edge.bench import Sustained, Window, measure_batch, pad_waste, peak_bytes, resident_bytes, sustain
from pamtri_edge.bench.measure import LEAST_CALLS, WARM_UP, time_calls


class Clock:
    """Time that passes only when something is done."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def test_as_many_calls_as_fit_into_the_time_after_those_that_warm_up():
    clock, calls = Clock(), []
    taken = time_calls(lambda: (calls.append(1), clock.work(0.1)), 3.05, clock=clock)
    assert len(calls) == len(taken) + WARM_UP
    assert len(taken) == 31
    assert taken == pytest.approx(0.1)


def test_slow_calls_are_repeated_until_a_percentile_means_something():
    clock = Clock()
    assert len(time_calls(lambda: clock.work(100), 1.0, clock=clock)) == LEAST_CALLS


def test_a_row_tells_calls_vehicles_and_percentiles():
    row = measure_batch(lambda: None, batch=4, threads=2, seconds=0.01, waste=0.25, memory=lambda: 7)
    assert (row.batch, row.threads, row.pad_waste, row.memory_bytes) == (4, 2, 0.25, 7)
    assert 0 < row.p50_ms <= row.p95_ms <= row.p99_ms
    assert row.ms_per_vehicle == row.p50_ms / 4
    assert row.vehicles_per_s > 0


@pytest.mark.parametrize(("batch", "waste"), [(1, 0), (3, 0.25), (4, 0), (8, 0)])
def test_padding_is_what_an_engine_of_fixed_sizes_computes_in_vain(batch, waste):
    assert pad_waste(batch, (4,) if batch == 3 else (1, 4)) == pytest.approx(waste)


def test_an_engine_that_takes_vehicles_one_by_one_pads_nothing():
    assert pad_waste(7, ()) == 0


def test_memory_is_the_processes_own_or_unknown(tmp_path):
    assert 1e6 < resident_bytes() <= peak_bytes()
    assert resident_bytes(tmp_path / "nothing") is None
    (tmp_path / "status").write_text("VmHWM:\t  20 kB\n")
    assert peak_bytes(tmp_path / "status") == 20 * 1024
    assert resident_bytes(tmp_path / "status") is None


def paced(rates, cpu, *, on_cpu=True):
    windows = (Window(float(at), rate, ms) for at, (rate, ms) in enumerate(zip(rates, cpu, strict=True)))
    return Sustained(8, on_cpu, tuple(windows))


@pytest.mark.parametrize(
    ("rates", "cpu", "on_cpu", "pace"),
    [
        ([100] * 8, [10] * 8, True, "kept"),
        ([100] * 4 + [95] * 4, [10] * 4 + [10.5] * 4, True, "kept"),
        ([100] * 4 + [80] * 4, [10] * 4 + [12.5] * 4, True, "throttled"),
        ([100] * 4 + [50] * 4, [10] * 8, True, "disturbed"),
        ([100] * 4 + [50] * 4, [10] * 8, False, "throttled"),
        ([80] * 4 + [100] * 4, [10] * 8, True, "kept"),
        ([100], [10], True, "kept"),
    ],
)
def test_a_device_that_grows_slower_is_told_from_one_that_is_shared(rates, cpu, on_cpu, pace):
    assert paced(rates, cpu, on_cpu=on_cpu).pace == pace


def test_one_slow_window_is_no_throttling():
    assert paced([100] * 11 + [40], [10] * 11 + [25]).pace == "kept"


def test_minutes_are_cut_into_windows_that_hold_all_calls():
    clock, cpu, calls, told = Clock(), Clock(), itertools.count(), []

    def call():
        next(calls)
        clock.work(0.25)
        cpu.work(0.5)

    found = sustain(call, batch=2, minutes=1, on_cpu=True, clock=clock, cpu_clock=cpu, on_window=told.append)
    assert [window.at_s for window in found.windows] == pytest.approx(range(60))
    assert [window.vehicles_per_s for window in found.windows] == pytest.approx([8] * 60)
    assert [window.cpu_ms for window in found.windows] == pytest.approx([250] * 60)
    assert next(calls) == 240
    assert told[-1] == pytest.approx(60)
    assert not found.interrupted


def test_what_was_done_until_an_interruption_is_kept():
    clock = Clock()

    def call():
        clock.work(0.5)
        if clock.now > 10:
            raise KeyboardInterrupt

    found = sustain(call, batch=1, minutes=1, on_cpu=True, clock=clock, cpu_clock=clock)
    assert found.interrupted
    assert len(found.windows) == 10


def test_an_interruption_before_there_is_anything_ends_it():
    def call():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sustain(call, batch=1, minutes=1, on_cpu=True)
