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
from typing import Final

from pamtri_edge import _core
from pamtri_edge.runtime.tensorrt.build import PROFILES

BUCKETS: Final[Mapping[int, int]] = dict(
    _core.buckets_of([(profile.smallest, profile.largest) for profile in PROFILES])
)
"""Batch size to the number of its profile in `build.PROFILES`."""

LARGEST: Final = max(BUCKETS)


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
    """Cut a batch into chunks that together hold each item once, in order: see pipelines/core/buckets.hpp."""
    return (Chunk(*part) for part in _core.chunks(list(BUCKETS), count))
