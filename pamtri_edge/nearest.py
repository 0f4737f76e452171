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
    with _one_thread_each(), ThreadPoolExecutor(workers) as pool:
        parts = list(
            pool.map(
                lambda low, high: _part(first[low:high], turned, len(second), low, allowed),
                bounds[:-1],
                bounds[1:],
            )
        )
    best, rows = parts[0].best, parts[0].rows.astype(np.int64)
    for part, low in zip(parts[1:], bounds[1:], strict=False):
        better = part.best > best  # of equals the first part's stays
        best = np.where(better, part.best, best)
        rows = np.where(better, part.rows + low, rows)
    return Nearest(
        np.concatenate([part.columns for part in parts]).astype(np.int64),
        np.concatenate([part.cosines for part in parts]),
        rows,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The same for a part of the first set, with the cosine of each of the second set."""

    columns: NDArray[np.int32]
    cosines: Floats
    rows: NDArray[np.int32]
    best: Floats


def _part(first: Floats, turned: list[Floats], count: int, low: int, allowed: Allowed | None) -> _Part:
    found = _Part(
        np.zeros(len(first), np.int32),
        np.full(len(first), -np.inf, np.float32),
        np.zeros(count, np.int32),
        np.full(count, -np.inf, np.float32),
    )
    tile = np.empty((_ROWS, _COLUMNS), np.float32)
    note = operations().note_nearest
    for row in range(0, len(first), _ROWS):
        some = slice(row, row + _ROWS)
        part = first[some]
        for place, block in enumerate(turned):
            at = place * _COLUMNS
            width = block.shape[1]
            out = tile.reshape(-1)[: len(part) * width].reshape(len(part), width)
            here = np.matmul(part, block, out=out)
            if allowed is not None:
                here[~allowed(slice(low + row, low + row + len(part)), slice(at, at + width))] = -np.inf
            others = slice(at, at + width)
            note(
                here,
                row,
                at,
                found.cosines[some],
                found.columns[some],
                found.best[others],
                found.rows[others],
            )
    return found


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
