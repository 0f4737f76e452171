# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How what a detector gives becomes boxes, scores and class numbers; the core reads it so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core

Array = NDArray[np.float32]


class BoxForm(Enum):
    """What the four numbers of a box are."""

    CORNERS = "x1, y1, x2, y2 in pixels of the network's picture"
    CENTERS = "center x, center y, width, height in pixels of the network's picture"
    UNIT_CENTERS = "center x, center y, width, height as parts of the network's picture"
    CELLS = "offsets in the cell, and logarithms of sizes in cells"


@dataclass(frozen=True)
class Candidates:
    """What may be vehicles, before suppression; the surest come first, 1,000 at most.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the network's picture.
        scores: (N,) 0 to 1.
        classes: (N,) their numbers.
    """

    boxes: Array
    scores: Array
    classes: NDArray[np.int32]


class Reader:
    """Reads the outputs of a network, of one picture, in the core.

    Args:
        layout: how they are read.
    """

    def __init__(self, layout: Decoder) -> None:
        self._core = _core.Decoder(json.dumps(layout.description()))

    def read(self, outputs: Sequence[NDArray[np.generic]], wanted: Sequence[int], least: float) -> Candidates:
        """Return the boxes of wanted classes with at least a score.

        Raises:
            InputError: the outputs are not what the layout says.
        """
        arrays = [np.ascontiguousarray(output, np.float32) for output in outputs]
        return Candidates(*self._core.read(arrays, list(wanted), least))


class Decoder:
    """How outputs are read: dataclasses of this kind say it."""

    kind = ""

    def description(self) -> dict[str, Any]:
        """Return it as JSON has it, which pipelines read."""
        fields = {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]
        return fields | {"form": fields["form"].name.lower()}


@dataclass(frozen=True)
class Dense(Decoder):
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
        strides: pixels a cell, of each grid; with CELLS only.
    """

    kind = "dense"

    size: tuple[int, int]
    form: BoxForm
    classes: int
    objectness: bool = False
    transposed: bool = False
    logits: bool = False
    boxes_output: int = 0
    scores_output: int | None = None
    strides: tuple[int, ...] = ()


@dataclass(frozen=True)
class Column:
    """Where a number of a detection is: an output, and the column in it; no column where the output is it."""

    output: int = 0
    column: int | None = None


@dataclass(frozen=True)
class Picked(Decoder):
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

    kind = "picked"

    size: tuple[int, int]
    form: BoxForm
    box: Column
    score: Column
    label: Column
    image: Column | None = None
    objectness: Column | None = None
    count: int | None = None
    classes: int | None = None
