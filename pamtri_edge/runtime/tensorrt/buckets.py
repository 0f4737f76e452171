# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a batch of any size to the few sizes that engines are captured for.

A CUDA graph runs one batch size. So a batch is cut into chunks of the sizes 1, 2, 4, 8, 16 and 32, each run
by the profile that is tuned for it; a chunk may be filled up with items whose results are dropped, where
that is quicker than two smaller runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

BUCKETS: Final[Mapping[int, int]] = {1: 0, 2: 0, 4: 0, 8: 1, 16: 2, 32: 3}
"""Batch size to the number of its profile in `build.PROFILES`."""

LARGEST: Final = max(BUCKETS)

_COSTS: Final = {size: 3.0 + size for size in BUCKETS}
"""What a run takes, in units of one item. A small batch leaves most of a GPU idle, as if three items came on
top; on a Jetson it is less, on a data-center GPU more."""


@dataclass(frozen=True)
class Chunk:
    """A part of a batch and the size it is run at.

    Attributes:
        start: index of its first item.
        count: how many items of the batch it has.
        size: the batch size it is run at; the items from `count` on are filled in.
    """

    start: int
    count: int
    size: int

    @property
    def items(self) -> slice:
        """Its place in the batch."""
        return slice(self.start, self.start + self.count)


def chunks(count: int) -> Iterator[Chunk]:
    """Cut a batch into chunks that together hold each item once, in order."""
    start = 0
    while count - start >= LARGEST:
        yield Chunk(start, LARGEST, LARGEST)
        start += LARGEST
    for size in _cheapest(count - start)[1]:
        taken = min(size, count - start)
        yield Chunk(start, taken, size)
        start += taken


@lru_cache(maxsize=LARGEST)
def _cheapest(count: int) -> tuple[float, tuple[int, ...]]:
    """Return the cost of the cheapest way to run so many items, and its sizes, the larger ones first."""
    if count == 0:
        return 0.0, ()
    options = []
    for size, cost in _COSTS.items():
        rest_cost, rest = _cheapest(max(count - size, 0))
        options.append((cost + rest_cost, tuple(sorted((size, *rest), reverse=True))))
    return min(options)
