# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The same call for minutes: does the device keep its pace?

A device that grows hot lowers its clocks; a device that is shared gives its time to others. Both make calls
longer, but only the first makes them cost more processor time. So both are noted, window by window.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

SLOWER: Final = 0.10
"""From the first quarter to the last; less is what any machine varies by."""

_WINDOWS: Final = 60
_LEAST_WINDOW_S: Final = 0.5

Pace = Literal["kept", "throttled", "disturbed"]
"""It kept its pace; the device became slower; other programs took its time."""


@dataclass(frozen=True)
class Window:
    """Some seconds of calls, one after another.

    Attributes:
        at_s: when it began, in seconds since the first.
        vehicles_per_s: vehicles by the time on the clock.
        cpu_ms: milliseconds of processor time a vehicle, all threads of this process together.
    """

    at_s: float
    vehicles_per_s: float
    cpu_ms: float


@dataclass(frozen=True)
class Sustained:
    """What a device did for minutes.

    Attributes:
        batch: vehicles a call.
        on_cpu: the network ran on the processors, so that their time tells of the device.
        windows: in order of time.
        interrupted: it was stopped before its time was over.
    """

    batch: int
    on_cpu: bool
    windows: tuple[Window, ...]
    interrupted: bool = False

    @property
    def first(self) -> float:
        """Vehicles a second in the first quarter."""
        return _median(window.vehicles_per_s for window in self._quarter(last=False))

    @property
    def last(self) -> float:
        """Vehicles a second in the last quarter."""
        return _median(window.vehicles_per_s for window in self._quarter(last=True))

    @property
    def slower(self) -> float:
        """How much slower the last quarter was, as a share of the first; below 0: it was faster."""
        return 1 - self.last / self.first

    @property
    def pace(self) -> Pace:
        """Whether the pace was kept, and if not, by what it was lost."""
        if self.slower < SLOWER:
            return "kept"
        if not self.on_cpu:
            return "throttled"
        before, after = (
            _median(window.cpu_ms for window in self._quarter(last=last)) for last in (False, True)
        )
        # Of the loss at least half must be the processor's own: the rest may be neighbors.
        return "throttled" if after / before - 1 >= 0.5 * (self.first / self.last - 1) else "disturbed"

    def _quarter(self, *, last: bool) -> tuple[Window, ...]:
        count = max(1, len(self.windows) // 4)
        return self.windows[-count:] if last else self.windows[:count]


def sustain(
    call: Callable[[], object],
    *,
    batch: int,
    minutes: float,
    on_cpu: bool,
    clock: Callable[[], float] = time.perf_counter,
    cpu_clock: Callable[[], float] = time.process_time,
    on_window: Callable[[float], None] = lambda _: None,
) -> Sustained:
    """Call again and again for so many minutes, or until it is interrupted (Ctrl-C).

    Args:
        call: describes a batch once.
        batch: how many vehicles it describes.
        minutes: how long.
        on_cpu: the network runs on the processors.
        clock: seconds.
        cpu_clock: processor seconds of this process.
        on_window: told after each window how many seconds have passed.

    Raises:
        KeyboardInterrupt: it was interrupted before the first window was over.
    """
    seconds = 60 * minutes
    length = max(_LEAST_WINDOW_S, seconds / _WINDOWS)
    windows: list[Window] = []
    begin = clock()
    try:
        while (at := clock() - begin) < seconds:
            cpu, calls = cpu_clock(), 0
            while (passed := clock() - begin - at) < length or calls == 0:
                call()
                calls += 1
            vehicles = batch * calls
            windows.append(Window(at, vehicles / passed, 1e3 * (cpu_clock() - cpu) / vehicles))
            on_window(clock() - begin)
    except KeyboardInterrupt:
        if not windows:
            raise
        return Sustained(batch, on_cpu, tuple(windows), interrupted=True)
    return Sustained(batch, on_cpu, tuple(windows))


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))
