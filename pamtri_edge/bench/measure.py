# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Calls of one batch size, timed one by one, and what this process holds in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core

WARM_UP: Final = 2
"""Calls before the clock runs: first calls allocate, and on a GPU may tune."""

LEAST_CALLS: Final = 10
"""However slow: of fewer calls no percentile says anything."""

_STATUS: Final = Path("/proc/self/status")

Clock = Callable[[], float]


@dataclass(frozen=True)
class BatchSpeed:
    """How fast one batch size is.

    Attributes:
        batch: vehicles a call.
        threads: CPU threads of the networks; None on a GPU.
        calls: how many calls were timed.
        vehicles_per_s: vehicles of all calls by their time.
        p50_ms: half of the calls took at most this long, in milliseconds a call.
        p95_ms: 95 of 100 calls did.
        p99_ms: 99 of 100 calls did.
        pad_waste: share of what the engine computed that was padding, 0 to 1.
        memory_bytes: the most that the process has held so far, all included; None if unknown.
    """

    batch: int
    threads: int | None
    calls: int
    vehicles_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    pad_waste: float
    memory_bytes: int | None

    @property
    def ms_per_vehicle(self) -> float:
        """Milliseconds a vehicle, of the median call."""
        return self.p50_ms / self.batch


def time_calls(
    call: Callable[[], object], seconds: float, *, clock: Clock = time.perf_counter
) -> NDArray[np.float64]:
    """Return how many seconds each call took: as many calls as fit into the time, at least `LEAST_CALLS`."""
    for _ in range(WARM_UP):
        call()
    taken: list[float] = []
    begin = clock()
    while len(taken) < LEAST_CALLS or clock() - begin < seconds:
        start = clock()
        call()
        taken.append(clock() - start)
    return np.array(taken)


def measure_batch(
    call: Callable[[], object],
    *,
    batch: int,
    threads: int | None,
    seconds: float,
    waste: float = 0.0,
    memory: Callable[[], int | None] = lambda: None,
) -> BatchSpeed:
    """Time calls of one batch size.

    Args:
        call: describes a batch once.
        batch: how many vehicles it describes.
        threads: what the figures are said to be of.
        seconds: how long, about.
        waste: see `pad_waste`.
        memory: asked at the end.
    """
    taken = time_calls(call, seconds)
    p50, p95, p99 = (1e3 * float(value) for value in np.percentile(taken, [50, 95, 99]))
    return BatchSpeed(
        batch, threads, len(taken), batch * len(taken) / float(taken.sum()), p50, p95, p99, waste, memory()
    )


def pad_waste(batch: int, sizes: Sequence[int]) -> float:
    """Return the share of padding in what an engine computes for a batch.

    Args:
        batch: how many vehicles.
        sizes: the batch sizes that the engine was built for; none, if it takes each vehicle by itself.
    """
    if not sizes:
        return 0.0
    return 1 - batch / sum(size for _, _, size in _core.chunks(list(sizes), batch))


def resident_bytes(status: Path = _STATUS) -> int | None:
    """Return the bytes that are in memory now; None where the system does not tell."""
    return _field(status, "VmRSS:")


def peak_bytes(status: Path = _STATUS) -> int | None:
    """Return the most bytes that were in memory at once so far; None where the system does not tell."""
    return _field(status, "VmHWM:")


def _field(status: Path, name: str) -> int | None:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None
