# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the operations behind a detector's last layers tell about its outputs, and those before the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pamtri_edge.video.detect.graph import Graph, has, is_layer, sides

_PICKING: Final = ("TopK", "ReduceMax", "NonMaxSuppression", "NonMaxSuppressionIEInternal")


@dataclass(frozen=True)
class Ending:
    """The end of a graph, as far as one output needs it.

    Attributes:
        telling: there are layers with weights behind it; a graph of constants tells nothing.
        scaled: something is multiplied or divided: boxes are decoded inside.
        exponential: sizes are made from logarithms, as YOLOX and YOLOv3 do.
        logistic: scores are between 0 and 1 already.
        picks: the best class, or the best boxes, are chosen inside.
        unit_boxes: boxes come from a logistic function, as DETR's do.
        parts: widths of what is joined side by side, for every joint.
        classes: how many classes the scores had before a choice; None where that is not seen.
        softmax: how many there were under a softmax, the background among them; None without one.
    """

    telling: bool
    scaled: bool
    exponential: bool
    logistic: bool
    picks: bool
    unit_boxes: bool
    parts: frozenset[tuple[int, ...]]
    classes: int | None
    softmax: int | None


def read_ending(graph: Graph, output: int = 0) -> Ending:
    """Return what the end of a graph tells about an output."""
    tail = graph.tail(output)
    units = [sides(node.output(0)) for node in tail if node.get_type_name() == "Sigmoid"]
    soft = [(*sides(node.output(0)), -1)[-2] for node in tail if node.get_type_name() == "Softmax"]
    return Ending(
        telling=any(is_layer(value.get_node()) for node in tail for value in node.input_values()),
        scaled=has(tail, "Multiply", "Divide", "Exp", "Power"),
        exponential=has(tail, "Exp"),
        logistic=has(tail, "Sigmoid", "Softmax", "HSigmoid"),
        picks=has(tail, *_PICKING),
        unit_boxes=any(len(shape) == 3 and shape[-1] == 4 for shape in units),
        parts=frozenset(part for node in tail if node.get_type_name() == "Concat" for part in _parts(node)),
        classes=_classes(tail),
        softmax=next((count for count in soft if count > 1), None),
    )


def scaled_inside(graph: Graph, number: int) -> bool:
    """Tell whether the network itself divides the picture that an input takes by 255."""
    for node in graph.stem(number):
        constants = [
            value.get_node()
            for value in node.input_values()
            if value.get_node().get_type_name() == "Constant"
        ]
        for constant in constants if node.get_type_name() in ("Multiply", "Divide") else ():
            factors = np.asarray(constant.data, np.float64).ravel()
            if len(factors) in (1, 3) and factors.all():
                small = np.minimum(np.abs(factors), 1.0 / np.abs(factors))
                # 1/255, or that with a standard deviation of about 0.22 in it
                if ((small > 0.9 / 255) & (small < 1.1 / (255 * 0.2))).all():
                    return True
    return False


def _parts(joint: Any) -> list[tuple[int, ...]]:
    """Return the widths of a joint's inputs along the axes in which they differ, or in which they add up."""
    shapes = [sides(value) for value in joint.input_values()]
    whole = sides(joint.output(0))
    if len({len(shape) for shape in shapes}) != 1 or not whole:
        return []
    columns = [tuple(shape[axis] for shape in shapes) for axis in range(len(whole))]
    return [part for part, side in zip(columns, whole, strict=True) if min(part) > 0 and sum(part) == side]


def _classes(tail: Sequence[Any]) -> int | None:
    """Return how many classes there were before the best one was chosen."""
    for node in tail:
        kind = node.get_type_name()
        if kind.startswith("NonMaxSuppression"):
            count = (*sides(node.input_value(1)), -1, -1)[1]
            if count > 1:  # with one, the classes were laid side by side before
                return count
        if kind == "ReduceMax" or (kind == "TopK" and sides(node.output(0))[-1:] == (1,)):
            shape = sides(node.input_value(0))
            if len(shape) == 3 and shape[-1] > 1:
                return shape[-1]
    for node in tail:  # the best of one long list of all scores of all classes
        if node.get_type_name() == "TopK":
            source = node.input_value(0).get_node()
            while source.get_type_name() in ("Reshape", "Squeeze", "Unsqueeze") and not _is_table(source):
                source = source.input_value(0).get_node()
            if _is_table(source):
                return sides(source.output(0))[-1]
    return None


def _is_table(node: Any) -> bool:
    shape = sides(node.output(0))
    return len(shape) == 3 and shape[-1] > 1
