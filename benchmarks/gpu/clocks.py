# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long a device works on a call: CUDA events with CuPy or torch, and the host's clock for rehearsals.

Events on a stream that has nothing to do also count the time until the host has launched what lies between
them. `CupyClock` therefore lets the device write through its caches first, for longer than the host needs to
launch the call: what is measured then is the work alone, and it finds nothing in the caches. `TorchClock`
times many calls in a row, as a pipeline makes them: where launching is what takes long, that counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

Call = Callable[[], object]
Timer = Callable[[], float]
"""Takes one block of calls; returns the seconds a call."""

_MOST_CALLS: Final = 2000
_MOST_SINGLE_CALLS: Final = 9
_LEAST_SCRATCH: Final = 1 << 26
_HEADROOM: Final = 2.0
"""How many times as long as the host's launching the device is kept busy before the first event."""


class Clock(Protocol):
    """Times calls that put work on a device and need not wait for it."""

    def timer(self, call: Call, seconds: float) -> Timer:
        """Make a few calls to find out how many take about so long; return what times that many."""
        ...


class HostClock:
    """The host's clock, for calls that are done when they return."""

    def timer(self, call: Call, seconds: float) -> Timer:
        """Return what times a row of calls; see `_in_a_row`."""
        return _in_a_row(call, self._row, seconds)

    @staticmethod
    def _row(call: Call, calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls


class TorchClock:
    """Events on torch's current stream around a row of calls.

    Args:
        torch: the module.
    """

    def __init__(self, torch: Any) -> None:
        self._torch = torch

    def timer(self, call: Call, seconds: float) -> Timer:
        """Return what times a row of calls; see `_in_a_row`."""
        return _in_a_row(call, self._row, seconds)

    def _row(self, call: Call, calls: int) -> float:
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(calls):
            call()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3 / calls


class CupyClock:
    """Events on a stream around single calls, each after the caches were written through.

    Args:
        cupy: the module.
        stream: CuPy's stream on which the calls put their work.

    Attributes:
        cache: bytes of the device's L2 cache.
    """

    def __init__(self, cupy: Any, stream: Any) -> None:
        self._cupy = cupy
        self._stream = stream
        properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())
        self.cache = int(properties["l2CacheSize"])
        self._scratch = cupy.empty(max(4 * self.cache, _LEAST_SCRATCH), "uint8")
        self._flush(1)
        stream.synchronize()
        self._flushing = min(self._events(lambda: self._flush(1)) for _ in range(5))

    def timer(self, call: Call, seconds: float) -> Timer:
        """Return what times up to nine single calls, as many as fit, and gives their median."""
        launching = sorted(self._launching(call) for _ in range(4))[1]
        ahead = 1 + int(_HEADROOM * launching / max(self._flushing, 1e-7))

        def once() -> float:
            self._flush(ahead)
            return self._events(call)

        calls = min(_MOST_SINGLE_CALLS, _fitting(once() + ahead * self._flushing, seconds))
        return lambda: statistics.median(once() for _ in range(calls))

    def _launching(self, call: Call) -> float:
        """Return the seconds that the host takes to launch a call on a device that has nothing to do."""
        start = time.perf_counter()
        call()
        taken = time.perf_counter() - start
        self._stream.synchronize()
        return taken

    def _events(self, call: Call) -> float:
        start, end = self._cupy.cuda.Event(), self._cupy.cuda.Event()
        start.record(self._stream)
        call()
        end.record(self._stream)
        end.synchronize()
        return float(self._cupy.cuda.get_elapsed_time(start, end)) / 1e3

    def _flush(self, times: int) -> None:
        for value in range(times):
            self._scratch.data.memset_async(value % 256, self._scratch.nbytes, self._stream)


def _in_a_row(call: Call, row: Callable[[Call, int], float], seconds: float) -> Timer:
    """Return what times as many calls in a row as take about so long.

    One more goes before them and does not count, since the caches then hold what another left there; calls
    that are longer than a row each stand alone.
    """
    once = row(call, 1)
    if once < seconds:
        once = row(call, 3)  # a device that had nothing to do has low clocks at first
    calls = _fitting(once, seconds)

    def take() -> float:
        if calls > 1:
            call()
        return row(call, calls)

    return take


def _fitting(once: float, seconds: float) -> int:
    return max(1, min(_MOST_CALLS, round(seconds / max(once, 1e-7))))
