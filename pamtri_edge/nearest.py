# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbors both ways between two large sets of vectors, without the matrix of all cosines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.ops.host import operations
from pamtri_edge.processors import available_processors

Floats = NDArray[np.float32]

Allowed = Callable[[slice, slice], NDArray[np.bool_]]
"""Tells of some rows of the first set and some of the second, each with each, which pairs may be."""

_ROWS: Final = 256
_COLUMNS: Final = 512  # with these rows half a megabyte of cosines: it stays in a core's cache


@dataclass(frozen=True, eq=False)
class Nearest:
    """Who is nearest to whom.

    Attributes:
        columns: (A,) int64 the most alike of the second set to each of the first; of equals the first.
        cosines: (A,) float32 their cosine, at most 1; -inf where no pair is allowed.
        rows: (B,) int64 the most alike of the first set to each of the second; of equals the first.
    """

    columns: NDArray[np.int64]
    cosines: Floats
    rows: NDArray[np.int64]


def nearest(first: Floats, second: Floats, allowed: Allowed | None = None) -> Nearest:
    """Return the nearest neighbors of two sets of unit vectors, (A, D) and (B, D), none of them empty.

    Args:
        first: (A, D) float32.
        second: (B, D) float32.
        allowed: which pairs are looked at; None for all.
    """
    if len(first) <= _ROWS and len(second) <= _COLUMNS:
        cosines = np.clip(first @ second.T, -1.0, 1.0)
        if allowed is not None:
            cosines[~allowed(slice(0, len(first)), slice(0, len(second)))] = -np.inf
        columns = cosines.argmax(axis=1)
        return Nearest(columns, cosines[np.arange(len(first)), columns], cosines.argmax(axis=0))
    workers = max(1, min(available_processors(), -(-len(first) // _ROWS)))
    bounds = np.linspace(0, len(first), workers + 1).astype(int).tolist()
    turned = [np.ascontiguousarray(second[at : at + _COLUMNS].T) for at in range(0, len(second), _COLUMNS)]
    cosines = np.full(len(first), -np.inf, np.float32)
    columns = np.zeros(len(first), np.int32)
    best = np.full((workers, len(second)), -np.inf, np.float32)
    rows = np.zeros(best.shape, np.int32)

    def note_part(worker: int) -> None:
        """Note what a part of the first set has: its own rows, and a worker's share of the columns."""
        tile = np.empty((_ROWS, _COLUMNS), np.float32)
        for row in range(bounds[worker], bounds[worker + 1], _ROWS):
            some = slice(row, min(row + _ROWS, bounds[worker + 1]))
            part = first[some]
            for at, block in zip(range(0, len(second), _COLUMNS), turned, strict=True):
                others = slice(at, at + block.shape[1])
                here = tile.reshape(-1)[: len(part) * block.shape[1]].reshape(len(part), -1)
                np.matmul(part, block, out=here)
                if allowed is not None:
                    here[~allowed(some, others)] = -np.inf
                noted = (cosines[some], columns[some], best[worker, others], rows[worker, others])
                operations().note_nearest(here, row, at, *noted)

    with _one_thread_each(), ThreadPoolExecutor(workers) as pool:
        list(pool.map(note_part, range(workers)))
    winners = best.argmax(axis=0)  # of equals the first part's
    chosen = rows[winners, np.arange(len(second))]
    return Nearest(columns.astype(np.int64), cosines, chosen.astype(np.int64))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep the linear algebra from using threads of its own beside ours, where threadpoolctl is installed."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1, "blas"):
        yield
