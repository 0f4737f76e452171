# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From what a detector gives to boxes, scores and class numbers: the arithmetic of each layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

Array = NDArray[np.float32]

MOST_CANDIDATES: Final = 1000
"""Boxes, the surest ones, that go into the suppression."""

_LARGEST: Final = 2.0**31  # pixels: what no picture has, and no integer holds
_ROUNDING: Final = 1e-3
_LARGEST_EXPONENT: Final = 80.0  # e^80 still is a float32


class BoxForm(Enum):
    """What the four numbers of a box are."""

    CORNERS = "x1, y1, x2, y2 in pixels of the network's picture"
    CENTERS = "center x, center y, width, height in pixels of the network's picture"
    UNIT_CENTERS = "center x, center y, width, height as parts of the network's picture"
    CELLS = "offsets in the cell, and logarithms of sizes in cells"


@dataclass(frozen=True)
class Candidates:
    """What may be vehicles, before suppression.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the network's picture.
        scores: (N,) 0 to 1.
    """

    boxes: Array
    scores: Array


class Decoder(Protocol):
    """Reads the outputs of a network, of one picture."""

    def read(self, outputs: Sequence[NDArray[np.generic]], wanted: Sequence[int], least: float) -> Candidates:
        """Return the boxes of wanted classes with at least a score.

        Raises:
            InputError: the outputs are not what the layout says.
        """


@dataclass(frozen=True)
class Dense:
    """A box and a score for each class in every cell of a grid, or for every query.

    Attributes:
        size: height and width of the network's picture.
        form: what the numbers of a box are.
        classes: how many classes there are.
        objectness: the fifth number is a factor of all scores.
        transposed: (1, numbers, cells) instead of (1, cells, numbers).
        logits: the scores still need the logistic function.
        boxes_output: number of the output that has the boxes.
        scores_output: number of the output that has the scores; the boxes' own where they share it.
        strides: (cells, 1) pixels a cell; with CELLS only.
        grid: (cells, 2) column and row of each cell; with CELLS only.
    """

    size: tuple[int, int]
    form: BoxForm
    classes: int
    objectness: bool = False
    transposed: bool = False
    logits: bool = False
    boxes_output: int = 0
    scores_output: int | None = None
    strides: Array | None = None
    grid: Array | None = None

    def read(self, outputs: Sequence[NDArray[np.generic]], wanted: Sequence[int], least: float) -> Candidates:
        """Return the boxes of wanted classes; see `Decoder`."""
        rows = self._rows(outputs[self.boxes_output])
        if self.scores_output is None:
            first = 5 if self.objectness else 4
            by_class = rows[:, first : first + self.classes]
        else:
            by_class = self._rows(outputs[self.scores_output])[:, : self.classes]
        scores = by_class[:, list(wanted)].max(axis=1, initial=-np.inf)
        factor = rows[:, 4] if self.objectness else None
        if self.logits:
            scores, factor = _logistic(scores), None if factor is None else _logistic(factor)
        scores = scores if factor is None else scores * factor
        chosen = _surest(scores, least)
        grid = None if self.grid is None else self.grid[chosen]
        strides = None if self.strides is None else self.strides[chosen]
        return Candidates(_corners(rows[chosen, :4], self.form, self.size, grid, strides), scores[chosen])

    def _rows(self, output: NDArray[np.generic]) -> Array:
        first = output.reshape(output.shape[-2:] if output.ndim < 3 else (-1, *output.shape[-2:])[-3:])
        rows = (first if first.ndim == 2 else first[0]).astype(np.float32, copy=False)
        return rows.T if self.transposed else rows


@dataclass(frozen=True)
class Column:
    """Where a number of a detection is: an output, and the column in it; no column where the output is it."""

    output: int = 0
    column: int | None = None


@dataclass(frozen=True)
class Picked:
    """Detections that the network has picked itself: a box, a score and a class each.

    Attributes:
        size: height and width of the network's picture.
        form: what the numbers of a box are.
        box: the output and the first of the four columns of the boxes.
        score: the scores.
        label: the class numbers.
        image: the numbers of the pictures in the batch; None where the batch is an axis.
        objectness: a factor of the scores; None without.
        count: number of the output that says how many detections count; None where all do.
        classes: how many classes there are at most, for a check.
    """

    size: tuple[int, int]
    form: BoxForm
    box: Column
    score: Column
    label: Column
    image: Column | None = None
    objectness: Column | None = None
    count: int | None = None
    classes: int | None = None

    def read(self, outputs: Sequence[NDArray[np.generic]], wanted: Sequence[int], least: float) -> Candidates:
        """Return the boxes of wanted classes; see `Decoder`."""
        table = self._table(outputs[self.box.output], (self.box.column or 0) + 4)
        boxes = table[:, self.box.column or 0 :][:, :4].astype(np.float32)
        scores = self._numbers(outputs, self.score).astype(np.float32)
        labels = self._numbers(outputs, self.label)
        if not len(boxes) == len(scores) == len(labels):
            raise InputError(
                f"the detector gives {len(boxes)} boxes, {len(scores)} scores and {len(labels)} classes; "
                "expected as many of each."
            )
        if self.objectness is not None:
            scores = scores * self._numbers(outputs, self.objectness).astype(np.float32)
        if self.count is not None:
            scores[int(outputs[self.count].reshape(-1)[0]) :] = -1.0
        if self.image is not None:
            scores[self._numbers(outputs, self.image) != 0] = -1.0
        chosen = _surest(scores, least)
        kinds = labels[chosen].astype(np.float64)
        whole = np.round(kinds)
        if len(kinds) and not (np.abs(kinds - whole).max() < _ROUNDING and whole.min() >= 0):
            raise InputError(
                f"the detector gives class {kinds[np.argmax(np.abs(kinds - whole))]:g}; expected "
                "whole numbers from 0: its columns are in an order that is not known here."
            )
        if self.classes is not None and len(kinds) and whole.max() >= self.classes:
            raise InputError(
                f"the detector gives class {whole.max():.0f}, though it was taken as one of {self.classes} "
                "classes: say which of its classes are vehicles, --classes with their numbers."
            )
        chosen = chosen[np.isin(whole, np.asarray(wanted))]
        return Candidates(_corners(boxes[chosen], self.form, self.size, None, None), scores[chosen])

    def _table(self, output: NDArray[np.generic], columns: int) -> NDArray[np.generic]:
        """Return the rows of the first picture."""
        if self.image is None and output.ndim > 2:
            output = output[0]
        if not output.size:
            return np.zeros((0, columns), np.float32)
        return output.reshape(-1, output.shape[-1])

    def _numbers(self, outputs: Sequence[NDArray[np.generic]], where: Column) -> NDArray[np.generic]:
        output = outputs[where.output]
        if where.column is not None:
            return self._table(output, where.column + 1)[:, where.column]
        boxes = outputs[self.box.output]
        return (output[0] if boxes.ndim > 2 and output.ndim > 1 else output).reshape(-1)


def cells(size: tuple[int, int], strides: Sequence[int]) -> tuple[Array, Array]:
    """Return each cell's column and row (N, 2), and its stride (N, 1), for a picture of a size."""
    grids, steps = [], []
    for stride in strides:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        steps.append(np.full((rows.size, 1), stride))
    return np.concatenate(grids).astype(np.float32), np.concatenate(steps).astype(np.float32)


def _surest(scores: Array, least: float) -> NDArray[np.intp]:
    """Return the indices of the scores that count, the highest first.

    Raises:
        InputError: they are no scores.
    """
    if not np.isfinite(scores).all():
        raise InputError(
            "the detector gives scores that are not finite: its weights are damaged, or it "
            "overflows in half precision. Export it in float32."
        )
    if len(scores) and scores.max() > 1.0 + _ROUNDING:
        raise InputError(
            f"the detector gives a score of {scores.max():g}; expected 0 to 1. Its outputs are not in the "
            "layout that their shapes say, or it takes pictures in another form."
        )
    chosen = np.flatnonzero(scores >= least)
    return chosen[np.argsort(-scores[chosen], kind="stable")][:MOST_CANDIDATES]


def _corners(
    boxes: Array, form: BoxForm, size: tuple[int, int], grid: Array | None, strides: Array | None
) -> Array:
    """Return boxes as x1, y1, x2, y2 in pixels of the network's picture."""
    boxes = boxes.astype(np.float32)
    if form is BoxForm.CELLS and grid is not None and strides is not None:
        center = (boxes[:, :2] + grid) * strides
        extent = np.exp(np.minimum(boxes[:, 2:], _LARGEST_EXPONENT)) * strides
        boxes = np.concatenate([center, extent], axis=1)
    elif form is BoxForm.UNIT_CENTERS:
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], np.float32)
    if form is not BoxForm.CORNERS:
        boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
    if not (np.abs(boxes) < _LARGEST).all():  # false for NaN, too
        raise InputError(
            "the detector gives boxes that are not finite, or billions of pixels large: its weights are "
            "damaged, it overflows in half precision, or its boxes are in another form than its graph says."
        )
    return boxes


def _logistic(values: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), np.float32)
