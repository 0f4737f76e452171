# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which layout a detector with a single output has: decided once, from its graph, before the first frame.

Shapes alone do not tell (1, 8400, 84) of a transposed YOLOv8 from a YOLOX of 79 classes, nor raw boxes from
decoded ones; the metadata and the operations behind the last layers do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.video.detect.decoding import Array, BoxForm, Column, Decoder, Dense, Picked
from pamtri_edge.video.detect.ending import Ending, read_ending
from pamtri_edge.video.detect.graph import Graph
from pamtri_edge.video.detect.picture import PLAIN, Feeding, Fit

_PYRAMIDS: Final = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32), (4, 8, 16, 32, 64))
_ANCHORS: Final = 3  # boxes a cell of YOLOv3, v5 and v7
_COCO: Final = 80
_MOST_PICKED: Final = 7
STRETCHED: Final = Feeding(Fit.STRETCH)

ACCEPTED: Final = (
    "YOLOX (raw or decoded), YOLOv5 and v7, YOLOv6, YOLOv8 to v13, end-to-end YOLOs (v10, v26, or with "
    "suppression inside), DeepStream-Yolo's exports, RT-DETR, D-FINE, DEIM, RF-DETR, or boxes, scores and "
    "labels as torchvision gives them"
)
"""The layouts, for messages."""

Probe = Callable[[], Sequence[NDArray[np.generic]]]
"""Gives the outputs for a gray picture."""


@dataclass(frozen=True)
class Layout:
    """How a network is fed and read.

    Attributes:
        name: for messages.
        decoder: reads the outputs.
        classes: how many classes there are; None where the network does not say.
        feeding: how a frame becomes the network's picture.
        base: the published numbering of classes, 80 or 91, that a network goes by that says nothing.
    """

    name: str
    decoder: Decoder
    classes: int | None
    feeding: Feeding = PLAIN
    base: int = _COCO

    def as_yolox(self) -> Layout:
        """Return it with the picture that YOLOX takes."""
        return replace(self, feeding=Feeding(Fit.CORNER, bgr=True, divisor=1.0))


def single(graph: Graph, size: tuple[int, int], names: int | None, probe: Probe) -> Layout:
    """Decide the layout of a network by its first output.

    Args:
        graph: the network.
        size: height and width of its picture.
        names: how many classes its metadata names; None for none.
        probe: gives the outputs for a gray picture; asked where a graph tells nothing.

    Raises:
        InputError: the layout is not known.
    """
    shape = graph.outputs[0].shape
    ending = read_ending(graph)
    if len(shape) == 2 and shape[1] in (6, _MOST_PICKED):
        return _flat(graph, size, ending)
    if len(shape) != 3 or shape[2] < 0:
        refuse(graph)
    rows, width = shape[1:]
    if ending.telling and (_undecoded(ending, width) or _undecoded(ending, rows)):
        refuse(graph, "boxes that are not decoded, as of NanoDet or of YOLOv8 for RKNN")
    if _grid(size, width) and not _grid(size, rows) and rows > 4:
        return _without_objectness(graph, size, rows, ending, names, transposed=True)
    grid = _grid(size, rows)
    if grid is None:
        return _queries(graph, size, width, ending, names)
    strides, anchors = grid
    if anchors == _ANCHORS and width > 5:
        count = _counted(graph, names, width - 5)
        decoder = Dense(size, BoxForm.CENTERS, count, objectness=True, logits=_logits(ending))
        return Layout("YOLOv5 or v7", decoder, count)
    if width in (6, _MOST_PICKED) and ending.picks:
        return _deepstream(size, width, ending, probe)
    objectness = _has_objectness(width, ending, names)
    if objectness is None and width == 6 and not ending.telling:
        return _deepstream(size, width, ending, probe)
    if objectness is False:
        return _without_objectness(graph, size, width, ending, names, transposed=False)
    if width < 6:
        refuse(graph)
    return _yolox(graph, size, width, strides, ending, names, probe)


def refuse(graph: Graph, why: str = "") -> NoReturn:
    """Raise what says that a layout is not known.

    Raises:
        InputError: always.
    """
    inputs, outputs = (", ".join(map(str, ports)) for ports in (graph.inputs, graph.outputs))
    raise InputError(
        f"{graph.path} takes {inputs} and gives {outputs}: {why or 'no layout of a known detector'}. "
        f"Accepted: {ACCEPTED}. Export the network again in one of these."
    )


def box_form(boxes: Array) -> BoxForm:
    """Tell corners from centers by all boxes of a grid: few are wider than their center is far right."""
    boxes = boxes[np.abs(boxes).sum(axis=1) > 0]
    right_way = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return BoxForm.CORNERS if len(boxes) == 0 or right_way.mean() > 0.9 else BoxForm.CENTERS


def _yolox(
    graph: Graph,
    size: tuple[int, int],
    width: int,
    strides: tuple[int, ...],
    ending: Ending,
    names: int | None,
    probe: Probe,
) -> Layout:
    count = _counted(graph, names, width - 5)
    decoded = Dense(size, BoxForm.CENTERS, count, objectness=True, logits=_logits(ending))
    raw = replace(decoded, form=BoxForm.CELLS, strides=strides)
    if not ending.telling:
        rows = np.asarray(probe()[0], np.float32).reshape(-1, width)[: graph.outputs[0].shape[1]]
        decoder = decoded if _plausible(decoded, rows) > _plausible(raw, rows) else raw
        return Layout("YOLOX", decoder, count).as_yolox()
    if ending.scaled and not ending.exponential:
        return Layout("YOLOv6", decoded, count)
    return Layout("YOLOX", decoded if ending.exponential else raw, count).as_yolox()


def _plausible(layout: Dense, rows: Array) -> int:
    """Count the rows that are boxes of a picture's size, as far as any numbers are there."""
    there = np.abs(rows[:, :4]).sum(axis=1) > 0
    boxes = rows[there, :4].astype(np.float64)
    if layout.form is BoxForm.CELLS:
        cells = _core.detector_cells((layout.size[1], layout.size[0]), layout.strides)[there]
        boxes[:, :2] = (boxes[:, :2] + cells[:, :2]) * cells[:, 2:]
        boxes[:, 2:] = np.exp(np.minimum(boxes[:, 2:], 50.0)) * cells[:, 2:]
    frame = np.array(layout.size[::-1])
    inside = (boxes[:, :2] > -0.5 * frame) & (boxes[:, :2] < 1.5 * frame)
    sized = (boxes[:, 2:] >= 1.0) & (boxes[:, 2:] < 2.0 * frame)
    return int((inside & sized).all(axis=1).sum())


def _without_objectness(
    graph: Graph, size: tuple[int, int], width: int, ending: Ending, names: int | None, *, transposed: bool
) -> Layout:
    count = _counted(graph, names, width - 4)
    decoder = Dense(size, BoxForm.CENTERS, count, transposed=transposed, logits=_logits(ending))
    return Layout("YOLOv8 to v13", decoder, count)


def _queries(graph: Graph, size: tuple[int, int], width: int, ending: Ending, names: int | None) -> Layout:
    """A list of fixed length: detections that were picked inside, or DETR's queries."""
    picked = ending.picks or not ending.telling
    extra = graph.metadata.get("task") in ("segment", "pose") and ending.picks
    if (width == 6 and (picked or (4, 2) not in ending.parts)) or (extra and width > 6):
        decoder = Picked(
            size, BoxForm.CORNERS, Column(0, 0), Column(0, 4), Column(0, 5), classes=names or ending.classes
        )
        layout = Layout("end-to-end", decoder, names or ending.classes)
        if ending.unit_boxes:
            return replace(layout, name="DeepStream-Yolo's DETR", feeding=STRETCHED)
        return layout.as_yolox() if ending.exponential else layout
    if graph.outputs[0].name.startswith("detections"):
        refuse(graph, "EfficientDet, whose boxes are y1, x1, y2, x2")
    if width == _MOST_PICKED and ending.picks:
        return _flat(graph, size, ending)
    if width < 5 or (ending.telling and (4, width - 4) not in ending.parts):
        refuse(graph)
    count = _counted(graph, names, width - 4)
    decoder_ = Dense(size, BoxForm.UNIT_CENTERS, count, logits=_logits(ending))
    return Layout("RT-DETR", decoder_, count, STRETCHED)


def _flat(graph: Graph, size: tuple[int, int], ending: Ending) -> Layout:
    """Rows of all pictures of the batch, one below the other."""
    width = graph.outputs[0].shape[-1]
    columns = (0, 4, 5)  # box, score, class
    image = None
    if width == _MOST_PICKED:
        image = Column(0, 0)
        # YOLO-NAS puts the score before the class, YOLOv7 behind it.
        columns = (1, 5, 6) if "predictions" in graph.outputs[0].name else (1, 6, 5)
    box, score, label = (Column(0, column) for column in columns)
    decoder = Picked(size, BoxForm.CORNERS, box, score, label, image=image, classes=ending.classes)
    layout = Layout("end-to-end", decoder, ending.classes)
    return layout.as_yolox() if ending.exponential and width == 6 else layout


def _deepstream(size: tuple[int, int], width: int, ending: Ending, probe: Probe) -> Layout:
    rows = np.asarray(probe()[0], np.float32).reshape(-1, width)
    objectness = Column(0, 6) if width == _MOST_PICKED else None
    decoder = Picked(
        size,
        box_form(rows[:, :4]),
        Column(0, 0),
        Column(0, 4),
        Column(0, 5),
        objectness=objectness,
        classes=ending.classes,
    )
    layout = Layout("DeepStream-Yolo's", decoder, ending.classes)
    return layout.as_yolox() if ending.exponential else layout


def _grid(size: tuple[int, int], rows: int) -> tuple[tuple[int, ...], int] | None:
    """Return the strides and the anchors a cell of a grid with so many boxes; None where there is none."""
    for anchors in (1, _ANCHORS):
        for strides in _PYRAMIDS:
            if rows == anchors * sum((size[0] // s) * (size[1] // s) for s in strides):
                return strides, anchors
    return None


def _has_objectness(width: int, ending: Ending, names: int | None) -> bool | None:
    """Tell whether the fifth number of a row is an objectness; None where nothing tells."""
    if names is not None and width - names in (4, 5):
        return width - names == 5
    for part in ending.parts:
        if part[-2:] == (1, width - 5) and sum(part) == width:
            return True
    if (4, width - 4) in ending.parts:
        return False
    return {_COCO + 4: False, _COCO + 5: True}.get(width)


def _undecoded(ending: Ending, width: int) -> bool:
    """Tell whether scores are joined with the distributions of a box's sides, and no box is ever joined."""
    if any(4 in part or part[:2] == (2, 2) or part == (1, 1, 1, 1) for part in ending.parts):
        return False
    return any(
        len(part) == 2 and sum(part) == width and not {4, 5} & set(part) and any(one % 4 == 0 for one in part)
        for part in ending.parts
    )


def _counted(graph: Graph, names: int | None, count: int) -> int:
    """Return how many classes there are: what the shapes say, less a segmentation's or pose's own numbers."""
    if names is not None and names < count and graph.metadata.get("task") in ("segment", "pose"):
        return names
    return count  # names that do not fit are the affair of whoever asks for classes by them


def _logits(ending: Ending) -> bool:
    return ending.telling and not ending.logistic
