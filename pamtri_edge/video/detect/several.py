# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which layout a detector with several outputs has: boxes, scores and classes apart."""

from __future__ import annotations

from typing import Final

import numpy as np

from pamtri_edge.video.detect.decoding import BoxForm, Column, Dense, Picked
from pamtri_edge.video.detect.ending import read_ending
from pamtri_edge.video.detect.graph import Graph, Port
from pamtri_edge.video.detect.layout import STRETCHED, Layout, Probe, box_form, refuse, single
from pamtri_edge.video.detect.picture import Feeding, Fit

_AS_IMAGENET: Final = Feeding(Fit.STRETCH, mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225))
_WITH_NO_OBJECT: Final = 92  # DETR's own classes, the last of them for nothing, under a softmax
_WORDS: Final = {
    "count": ("num",),
    "boxes": ("box",),
    "scores": ("score", "conf"),
    "labels": ("class", "label", "cls"),
}


def decide(graph: Graph, size: tuple[int, int], names: int | None, probe: Probe, *, sized: bool) -> Layout:
    """Decide the layout of a network.

    Args:
        graph: the network.
        size: height and width of its picture.
        names: how many classes its metadata names; None for none.
        probe: gives the outputs for a gray picture; asked where a graph tells nothing.
        sized: it has a second input that takes the size to which boxes are scaled.

    Raises:
        InputError: the layout is not known.
    """
    task = graph.metadata.get("task", "detect")
    if task not in ("detect", "segment", "pose"):
        refuse(graph, f"a network for the task {task!r}, not for detection")
    ports = graph.outputs
    if len(ports) == 1:
        return single(graph, size, names, probe)
    if any(port.name.startswith(("detection_", "num_detections")) for port in ports):
        refuse(graph, "TensorFlow's object detection, whose boxes are y1, x1, y2, x2 in parts")
    if len(ports) == 2:
        layout = _queries(graph, size, ports, names)
        if layout is not None:
            return layout
    roles = _roles(ports)
    if roles is not None and not sized and _is_column(ports[roles["scores"]]):
        return _deepstream(graph, size, roles, probe)
    if roles is not None:
        return _picked(graph, size, roles, names, sized=sized)
    if len(ports[0].shape) == 3 and all(len(port.shape) in (4, 5) for port in ports[1:]):
        return single(graph, size, names, probe)  # masks, or the raw maps that older YOLOv5 add
    refuse(graph)


def _picked(
    graph: Graph, size: tuple[int, int], roles: dict[str, int], names: int | None, *, sized: bool
) -> Layout:
    endings = [read_ending(graph, roles[role]) for role in ("labels", "scores")]
    flat = not sized and len(graph.outputs[roles["boxes"]].shape) == 2
    seen = [ending.softmax if flat else ending.classes for ending in endings]
    count = names or seen[0] or seen[1]
    decoder = Picked(
        size,
        BoxForm.CORNERS,
        Column(roles["boxes"]),
        Column(roles["scores"]),
        Column(roles["labels"]),
        count=roles.get("count"),
        classes=count,
    )
    if flat:
        return Layout("torchvision's", decoder, count, base=91)
    if sized:
        return Layout("RT-DETR", decoder, count, STRETCHED)
    return Layout("end-to-end", decoder, count)


def _deepstream(graph: Graph, size: tuple[int, int], roles: dict[str, int], probe: Probe) -> Layout:
    ending = read_ending(graph, roles["boxes"])
    count = read_ending(graph, roles["labels"]).classes or read_ending(graph, roles["scores"]).classes
    boxes = np.asarray(probe()[roles["boxes"]], np.float32).reshape(-1, 4)
    decoder = Picked(
        size,
        box_form(boxes),
        Column(roles["boxes"]),
        Column(roles["scores"], 0),
        Column(roles["labels"], 0),
        classes=count,
    )
    layout = Layout("DeepStream-Yolo's", decoder, count)
    return layout.as_yolox() if ending.exponential else layout


def _queries(graph: Graph, size: tuple[int, int], ports: list[Port], names: int | None) -> Layout | None:
    """RF-DETR's `dets` and `labels`, or Hugging Face's `pred_boxes` and `logits`: boxes and raw scores."""
    number = {port.name: index for index, port in enumerate(ports)}
    for boxes, scores in (("dets", "labels"), ("pred_boxes", "logits")):
        if not {boxes, scores} <= number.keys():
            continue
        box_shape, shape = ports[number[boxes]].shape, ports[number[scores]].shape
        if len(shape) != 3 or len(box_shape) != 3 or box_shape[-1] != 4 or shape[-1] < 1:
            return None
        count = shape[-1]
        if names is not None and names == count - 1:
            count = names  # the last is for nothing
        if count == _WITH_NO_OBJECT:
            refuse(graph, "a DETR with a class for nothing")
        decoder = Dense(
            size,
            BoxForm.UNIT_CENTERS,
            count,
            logits=True,
            boxes_output=number[boxes],
            scores_output=number[scores],
        )
        if boxes == "pred_boxes":
            return Layout("RT-DETR", decoder, count, STRETCHED)
        return Layout("RF-DETR", decoder, count, _AS_IMAGENET)
    return None


def _roles(ports: list[Port]) -> dict[str, int] | None:
    """Return which output has what, by their names, or else by their shapes and types."""
    if len(ports) not in (3, 4):
        return None
    named = {role: number for role, words in _WORDS.items() for number in _called(ports, words)}
    roles = named if len(named) == len(ports) and len(set(named.values())) == len(ports) else _shaped(ports)
    if roles is None or not {"boxes", "scores", "labels"} <= roles.keys():
        return None
    return roles if ports[roles["boxes"]].shape[-1:] == (4,) else None


def _called(ports: list[Port], words: tuple[str, ...]) -> list[int]:
    return [n for n, port in enumerate(ports) if any(word in port.name.casefold() for word in words)][:1]


def _shaped(ports: list[Port]) -> dict[str, int] | None:
    """Return the same of outputs that are numbered, as in torchvision's exports: labels are integers."""
    boxes = [n for n, port in enumerate(ports) if port.shape[-1:] == (4,) and len(port.shape) in (2, 3)]
    rest = [n for n in range(len(ports)) if n not in boxes]
    labels = [n for n in rest if ports[n].dtype in ("i32", "i64")]
    scores = [n for n in rest if ports[n].dtype in ("f16", "f32")]
    if len(ports) != 3 or not len(boxes) == len(labels) == len(scores) == 1:
        return None
    return {"boxes": boxes[0], "labels": labels[0], "scores": scores[0]}


def _is_column(port: Port) -> bool:
    return len(port.shape) == 3 and port.shape[-1] == 1
