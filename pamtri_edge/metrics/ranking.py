# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Retrieval as Market-1501 and VeRi measure it: mean average precision and the CMC curve.

For every query the gallery is ranked by distance. Left out of the ranking are *junk* (gallery ids below
0) and, where cameras are given, pictures of the query's own vehicle by the query's own camera. Whatever
else has another id is a distractor and stays. A query without a true match left cannot be answered: it is
skipped and counted.

Average precision is the mean, over a query's true matches, of the precision at each one's rank (not
interpolated). With `top` only matches within so many ranks count, and the mean is still over all of
them: the rank-K mAP of CityFlow, `map_cut_K` of TREC.

**Ties.** Of several gallery pictures at the same distance the false matches rank first. So the figures do
not depend on the order of the gallery, are those of a ranking that exists, and a feature that cannot tell
pictures apart gains nothing by luck: they are the least that any order within the ties gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.metrics.distances import distance_blocks
from pamtri_edge.printable import counted
from pamtri_edge.progress import Progress
from pamtri_edge.words import Metric

RANKS: Final = 50
"""How long a CMC curve is."""


@dataclass(frozen=True, eq=False)
class Retrieval:
    """How well the queries found their vehicles.

    Attributes:
        mAP: mean of `average_precision` over the valid queries, 0 to 1.
        cmc: (50,) float64; `cmc[k - 1]` is the share of valid queries with a true match in the first k.
        average_precision: (Q,) float64, 0 to 1; NaN where the query is not valid.
        first_match: (Q,) int64 rank of the first true match, from 1; 0 where the query is not valid.
        ranks: for each query the ranks of all its true matches, ascending, from 1.
        valid: (Q,) bool, whether the query has a true match.
        top: how many ranks counted, or None for all.
    """

    mAP: float  # noqa: N815 - what everybody calls it
    cmc: NDArray[np.float64]
    average_precision: NDArray[np.float64]
    first_match: NDArray[np.int64]
    ranks: tuple[NDArray[np.int64], ...]
    valid: NDArray[np.bool_]
    top: int | None = None

    @property
    def queries(self) -> int:
        """How many queries were answered."""
        return int(self.valid.sum())

    @property
    def skipped(self) -> int:
        """How many queries have no true match, and so count nowhere."""
        return len(self.valid) - self.queries

    def rank(self, k: int) -> float:
        """Return the share of valid queries with a true match in the first k, for k of 1 to 50."""
        return float(self.cmc[k - 1])

    def top_mean(self, top: int) -> float:
        """Return the rank-K mAP: as `mAP`, but only matches within the first `top` ranks count."""
        return float(np.mean([average_precision(ranks, top) for ranks in self.ranks if len(ranks)]))

    @property
    def mINP(self) -> float:  # noqa: N802 - what everybody calls it
        """The mean inverse negative penalty: true matches over the rank of the last one, 0 to 1.

        Source: Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook" (TPAMI 2021).
        """
        return float(np.mean([len(ranks) / ranks[-1] for ranks in self.ranks if len(ranks)]))

    def to_json(self) -> dict[str, Any]:
        """Return the figures, without those of the single queries."""
        record: dict[str, Any] = {"mAP": self.mAP, "mINP": self.mINP}
        record |= {"queries": self.queries, "skipped": self.skipped}
        if self.top is not None:
            record["top"] = self.top
        return {**record, "cmc": [float(value) for value in self.cmc]}


def retrieval(
    distances: ArrayLike,
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    query_cameras: ArrayLike | None = None,
    gallery_cameras: ArrayLike | None = None,
    top: int | None = None,
    *,
    progress: Progress | None = None,
) -> Retrieval:
    """Measure a ranking.

    One row of distances is looked at at a time, so a memory-mapped matrix may be larger than memory.

    Args:
        distances: (Q, G) floats, smaller is more alike; any monotonic measure gives the same figures.
        query_ids: (Q,) integers, which vehicle each query shows; below 0: unknown, the query is skipped.
        gallery_ids: (G,) integers; below 0: junk, left out.
        query_cameras: (Q,) integers; None compares within a camera too.
        gallery_cameras: (G,) integers; given if and only if `query_cameras` is.
        top: count only matches within so many ranks; 100 is the paper's rank-100 mAP.
        progress: told after every query.

    Raises:
        InputError: shapes that do not fit each other, a distance that is NaN, or no query with a true match.
    """
    matrix = np.asanyarray(distances)
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiu":
        raise InputError(
            f"distances have shape {matrix.shape} and dtype {matrix.dtype}; expected (Q, G) numbers, a row "
            "for each query."
        )
    rows = (np.asarray(matrix[q]) for q in range(len(matrix)))
    cameras = (query_cameras, gallery_cameras)
    return _measure(rows, matrix.shape, (query_ids, gallery_ids), cameras, top, progress)


def retrieval_of(
    query: NDArray[np.float32],
    gallery: NDArray[np.float32],
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    query_cameras: ArrayLike | None = None,
    gallery_cameras: ArrayLike | None = None,
    top: int | None = None,
    *,
    metric: Metric = "cosine",
    between: bool = False,
    progress: Progress | None = None,
) -> Retrieval:
    """Measure the ranking that features give; their distances are never all in memory at once.

    Args:
        query: (Q, D) float32 features.
        gallery: (G, D) float32 features.
        query_ids: see `retrieval`, likewise what follows.
        gallery_ids: see there.
        query_cameras: see there.
        gallery_cameras: see there.
        top: see there.
        metric: how features are compared; see `pamtri_edge.metrics.distances`.
        between: leave out whatever a query's own camera took, not only its matches.
        progress: told after every query.

    Raises:
        InputError: see `retrieval`; features that do not fit each other or are not finite.
    """
    rows = (row for block in distance_blocks(query, gallery, metric) for row in block)
    shape = (len(query), len(gallery))
    cameras = (query_cameras, gallery_cameras)
    return _measure(rows, shape, (query_ids, gallery_ids), cameras, top, progress, between)


def check_answerable(
    query_ids: ArrayLike,
    gallery_ids: ArrayLike,
    query_cameras: ArrayLike | None = None,
    gallery_cameras: ArrayLike | None = None,
) -> None:
    """Refuse labels by which no query has a true match, before hours of describing pictures.

    Args:
        query_ids: see `retrieval`, likewise what follows.
        gallery_ids: see there.
        query_cameras: see there.
        gallery_cameras: see there.

    Raises:
        InputError: there is no query with a true match.
    """
    asked, known = np.asarray(query_ids), np.asarray(gallery_ids)
    if query_cameras is None or gallery_cameras is None:
        found = bool(np.isin(asked[asked >= 0], known).any())
    else:
        places: dict[int, set[int]] = {}
        for vehicle, camera in zip(known.tolist(), np.asarray(gallery_cameras).tolist(), strict=True):
            places.setdefault(vehicle, set()).add(camera)
        pairs = zip(asked.tolist(), np.asarray(query_cameras).tolist(), strict=True)
        found = any(vehicle >= 0 and places.get(vehicle, set()) - {camera} for vehicle, camera in pairs)
    if not found:
        raise InputError(_no_match(len(asked), len(known), query_cameras is not None))


def _measure(
    rows: Iterable[NDArray[Any]],
    shape: tuple[int, ...],
    all_ids: tuple[ArrayLike, ArrayLike],
    all_cameras: tuple[ArrayLike | None, ArrayLike | None],
    top: int | None,
    progress: Progress | None,
    between: bool = False,
) -> Retrieval:
    queries, size = shape
    ids = _labels(all_ids[0], queries, "query_ids"), _labels(all_ids[1], size, "gallery_ids")
    cameras = _cameras(*all_cameras, queries, size)
    if top is not None and top < 1:
        raise InputError(f"top is {top}; expected how many ranks count, 1 or more.")
    check_answerable(*ids, *(cameras or (None, None)))
    precision = np.full(queries, np.nan)
    first = np.zeros(queries, np.int64)
    found: list[NDArray[np.int64]] = []
    wanted = ids[1] >= 0
    for q, row in enumerate(rows):
        if np.isnan(row).any():
            column = int(np.isnan(row).argmax())
            raise InputError(f"the distance of query {q} to gallery picture {column} is NaN.")
        same = ids[1] == ids[0][q]
        kept = wanted if cameras is None else wanted & ~((same | between) & (cameras[1] == cameras[0][q]))
        ranks = match_ranks(row[same & kept], row[~same & kept])
        if len(ranks):
            first[q], precision[q] = ranks[0], average_precision(ranks, top)
        found.append(ranks)
        if progress is not None:
            progress(q + 1, queries)
    valid = first > 0
    cmc = np.array([(first[valid] <= k).mean() for k in range(1, RANKS + 1)])
    return Retrieval(float(precision[valid].mean()), cmc, precision, first, tuple(found), valid, top)


def match_ranks(true: NDArray[Any], false: NDArray[Any]) -> NDArray[np.int64]:
    """Return the ranks, from 1 and ascending, of a query's true matches; at equal distance they come last.

    Args:
        true: (M,) distances of the true matches, in any order.
        false: (F,) distances of all others that are ranked.
    """
    # Only the false matches before each true one need counting: sorting values is much cheaper than
    # sorting the indices of the whole gallery.
    before = np.searchsorted(np.sort(false), np.sort(true), side="right")
    return np.asarray(before + np.arange(1, len(true) + 1), np.int64)


def average_precision(ranks: NDArray[np.int64], top: int | None = None) -> float:
    """Return the mean precision at the ranks of all true matches, of which those past `top` give 0.

    Args:
        ranks: (M,) ascending, from 1; M at least 1.
        top: how many ranks count; None for all.
    """
    precisions = np.arange(1, len(ranks) + 1) / ranks
    counted = precisions if top is None else precisions[ranks <= top]
    return float(counted.sum() / len(ranks))


def _labels(values: ArrayLike, count: int, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.shape != (count,) or (array.dtype.kind not in "iu" and array.size):
        raise InputError(
            f"{what} have shape {array.shape} and dtype {array.dtype}; expected ({count},) whole numbers, as "
            "many as the distances have " + ("rows." if what.startswith("query") else "columns.")
        )
    return array.astype(np.int64)


def _cameras(
    query: ArrayLike | None, gallery: ArrayLike | None, queries: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    if (query is None) != (gallery is None):
        raise InputError(
            "cameras are given for one side only; give query_cameras and gallery_cameras, or neither."
        )
    if query is None or gallery is None:
        return None
    return _labels(query, queries, "query_cameras"), _labels(gallery, size, "gallery_cameras")


def _no_match(queries: int, size: int, cameras: bool) -> str:
    if not queries or not size:
        return (
            f"there is nothing to measure: {counted(queries, 'query', 'queries')} and "
            f"{counted(size, 'gallery picture')}."
        )
    elsewhere = " that another camera took" if cameras else ""
    which = "the one query has no" if queries == 1 else f"none of the {queries} queries has a"
    return (
        f"{which} true match among {counted(size, 'gallery picture')}{elsewhere}; "
        "check that both sides count identities alike" + (", or leave the cameras out." if cameras else ".")
    )
