# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Figures as pictures: CMC curves, confusion matrices, ranked lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.views import EvaluationSet, Picture
from pamtri_edge.evaluate.attributes import Attributes
from pamtri_edge.evaluate.measure import Described, Evaluation
from pamtri_edge.metrics.distances import distances
from pamtri_edge.plots import new_figure, save_figure

_RANKS: Final = 20  # of a CMC curve
_QUERIES: Final = 8  # whose ranked lists are drawn
_SHOWN: Final = 10  # gallery pictures of each
_SIDE: Final = 128  # pixels of a picture in a ranked list
_FRAME: Final = 6
_GAP: Final = 6
_GREEN: Final = (0, 160, 60)
_RED: Final = (210, 30, 40)
_GRAY: Final = (90, 90, 90)


def cmc_figure(evaluations: Sequence[Evaluation], path: Path) -> Path:
    """Draw the CMC curves of several features on one test set.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    figure, axes = new_figure(6.0, 4.2)
    for one in evaluations:
        label = f"{one.feature}: mAP {100 * one.retrieval.mAP:.1f}"
        axes.plot(range(1, _RANKS + 1), 100 * one.retrieval.cmc[:_RANKS], marker=".", label=label)
    axes.set(
        xlabel="rank", ylabel="queries with a true match, %", xlim=(1, _RANKS), ylim=(0, 101),
        title=evaluations[0].data,
    )  # fmt: skip
    axes.set_xticks([1, *range(5, _RANKS + 1, 5)])
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    return save_figure(figure, path)


def confusion_figure(found: Attributes, path: Path, *, title: str) -> Path:
    """Draw a confusion matrix: shares of each true class in color, counts as numbers.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    side = 2.2 + 0.45 * len(found.classes)
    figure, axes = new_figure(side + 0.6, side)
    totals = found.confusion.sum(axis=1, keepdims=True)
    shares = found.confusion / np.maximum(totals, 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (true, told), count in np.ndenumerate(found.confusion):
        if count:
            color = "white" if shares[true, told] > 0.5 else "black"
            axes.text(told, true, str(count), ha="center", va="center", fontsize=7, color=color)
    places = range(len(found.classes))
    axes.set_xticks(places, found.classes, rotation=60, ha="right")
    axes.set_yticks(places, found.classes)
    axes.set(xlabel="told", ylabel="true", title=f"{title}: {100 * found.accuracy:.1f} % right")
    return save_figure(figure, path)


def ranked_figure(data: EvaluationSet, described: Described, evaluation: Evaluation, path: Path) -> Path:
    """Draw ranked lists: a query at the left, the gallery by distance, green for the query's vehicle.

    The queries are spread from the best answered to the worst, so that neither luck nor choice flatters.

    Args:
        data: the test set.
        described: what the feature says of it.
        evaluation: what it reaches.
        path: the PNG file.

    Raises:
        InputError: a picture cannot be read.
        OSError: the file cannot be written.
    """
    rows = []
    for query in spread_queries(evaluation, _QUERIES):
        ranking = ranked(data, described, query, evaluation)[:_SHOWN]
        cells = [_framed(data.query.read(query), _GRAY), np.full((_SIDE, 3 * _GAP, 3), 255, np.uint8)]
        for index in ranking:
            right = data.gallery.vehicles[index] == data.query.vehicles[query]
            cells.append(_framed(data.gallery.read(int(index)), _GREEN if right else _RED))
        blank = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
        cells += [blank] * (_SHOWN - len(ranking))
        rows.append(_beside(cells))
    gap = np.full((_GAP, rows[0].shape[1], 3), 255, np.uint8)
    sheet = np.concatenate([part for row in rows for part in (row, gap)][:-1])
    path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())  # imwrite hides why it failed
    return path


def spread_queries(evaluation: Evaluation, count: int) -> list[int]:
    """Return at most `count` valid queries, from the best answered to the worst, evenly spread."""
    precision = evaluation.retrieval.average_precision
    valid = np.flatnonzero(evaluation.retrieval.valid)
    order = valid[np.argsort(-precision[valid], kind="stable")]
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [int(order[place]) for place in places]


def ranked(
    data: EvaluationSet, described: Described, query: int, evaluation: Evaluation
) -> NDArray[np.int64]:
    """Return the gallery as one query ranks it; what does not take part is left out, ties as measured."""
    one = described.query.embeddings[query : query + 1]
    row = distances(one, described.gallery.embeddings, evaluation.metric)[0]
    (same,), (kept,) = data.pairs(slice(query, query + 1))
    order = np.lexsort((same, row))
    return np.asarray(order[kept[order]], np.int64)


def _framed(picture: Picture, color: tuple[int, int, int]) -> Picture:
    """Return the picture in a square with a frame, its proportions kept."""
    inner = _SIDE - 2 * _FRAME
    scale = inner / max(picture.shape[:2])
    width, height = (max(round(side * scale), 1) for side in (picture.shape[1], picture.shape[0]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    square = np.full((_SIDE, _SIDE, 3), color, np.uint8)
    square[_FRAME:-_FRAME, _FRAME:-_FRAME] = 235
    top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
    square[top : top + height, left : left + width] = small
    return square


def _beside(cells: Sequence[Picture]) -> Picture:
    gap = np.full((_SIDE, _GAP, 3), 255, np.uint8)
    return np.concatenate([part for cell in cells for part in (cell, gap)][:-1], axis=1)
