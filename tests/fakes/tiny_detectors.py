# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Detectors of every layout, each of a few convolutions and with the operations its program really exports.

All of them see the same: in a picture of 96x96 a red cell of 8x8 is a vehicle, in a box of 16x16 around it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 96
STRIDES = (8, 16, 32)
CELLS = sum((SIDE // s) ** 2 for s in STRIDES)
_TYPES = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "u8": TensorProto.UINT8}


class Net:
    """A graph in the making. Every method returns names of values."""

    def __init__(self, classes: int = 80, *, bgr: bool = False, scale: float = 1.0, best: int = 2) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.classes = classes
        self.red = 2 if bgr else 0
        self.scale = scale  # of a full red
        self.best = best

    def op(self, kind: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        values = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, values, names, **attributes))
        return names[0] if outputs == 1 else names

    def put_before(self, kind: str, *constants: Any) -> None:
        """Have the picture go through an operation before everything else."""
        result = self.op(kind, "picture", *constants)
        *others, first = self.nodes
        for node in others:
            node.input[:] = [result if name == "picture" else name for name in node.input]
        self.nodes = [first, *others]

    def constant(self, value: Any) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def conv(self, stride: int, bias: NDArray[Any], red: NDArray[Any]) -> str:
        """Give (1, C, h, w): for each cell a bias, and so much more by how red it is."""
        pooled = self.op("AveragePool", "picture", kernel_shape=[stride, stride], strides=[stride, stride])
        weight = np.zeros((len(bias), 3, 1, 1), np.float32)
        weight[:, self.red, 0, 0] = red / self.scale
        return str(self.op("Conv", pooled, weight, bias.astype(np.float32)))

    def surely(self, stride: int) -> str:
        return self.conv(stride, np.array([-30.0]), np.array([48.0]))

    def kinds(self, stride: int, *, red: bool = False) -> str:
        bias = np.full(self.classes, -30.0)
        bias[self.best] = -30.0 if red else 30.0
        gain = np.where(np.arange(self.classes) == self.best, 48.0 if red else 0.0, 0.0)
        return self.conv(stride, bias, gain)

    def flat(self, value: str, channels: int) -> str:
        return str(self.op("Reshape", value, np.array([1, channels, -1], np.int64)))

    def join(self, *values: Any, axis: int) -> str:
        return str(self.op("Concat", *values, axis=axis))

    def scores(self) -> str:
        """Give (1, classes, cells), between 0 and 1."""
        maps = [self.flat(self.kinds(s, red=True), self.classes) for s in STRIDES]
        return str(self.op("Sigmoid", self.join(*maps, axis=2)))

    def boxes(self, *, corners: bool, unit: bool = False) -> str:
        """Give (1, 4, cells) in pixels: from distances, as YOLOv8's head."""
        maps = [self.flat(self.conv(s, np.full(4, 8.0 / s), np.zeros(4)), 4) for s in STRIDES]
        first, second = self.op("Split", self.join(*maps, axis=2), outputs=2, axis=1, num_outputs=2)
        points, steps = grid()
        low, high = self.op("Sub", points + 0.5, first), self.op("Add", points + 0.5, second)
        if not corners:
            middle = self.op("Div", self.op("Add", low, high), np.array(2.0))
            low, high = middle, self.op("Sub", high, low)
        return str(self.op("Mul", self.join(low, high, axis=1), steps / SIDE if unit else steps))

    def by_cells(self, value: str) -> str:
        return str(self.op("Transpose", value, perm=[0, 2, 1]))

    def save(
        self,
        path: Path,
        outputs: dict[str, str],
        *,
        dtype: str = "f32",
        shape: tuple[Any, ...] = (1, 3, SIDE, SIDE),
        metadata: dict[str, str] | None = None,
        sizes: bool = False,
    ) -> Path:
        first = []
        value = "images"
        if dtype != "f32":
            first.append(helper.make_node("Cast", [value], ["cast"], to=TensorProto.FLOAT))
            value = "cast"
        if shape[-1] == 3:
            first.append(helper.make_node("Transpose", [value], ["turned"], perm=[0, 3, 1, 2]))
            value = "turned"
        first.append(helper.make_node("Identity", [value], ["picture"]))
        last = [helper.make_node("Identity", [value], [name]) for name, value in outputs.items()]
        inputs = [helper.make_tensor_value_info("images", _TYPES[dtype], list(shape))]
        if sizes:
            inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["N", 2]))
        integers = ("labels", "num_dets")
        results = [
            helper.make_tensor_value_info(
                name, TensorProto.INT64 if name in integers else TensorProto.FLOAT, None
            )
            for name in outputs
        ]
        graph = helper.make_graph([*first, *self.nodes, *last], "detector", inputs, results, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        helper.set_model_props(model, metadata or {})
        onnx.save(model, str(path))
        return path


def grid() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return columns and rows (1, 2, cells), and strides (1, 1, cells)."""
    places, steps = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: SIDE // stride, : SIDE // stride]
        places.append(np.stack([columns.ravel(), rows.ravel()]))
        steps.append(np.full((1, rows.size), stride))
    return np.concatenate(places, axis=1)[None].astype(float), np.concatenate(steps, axis=1)[None].astype(
        float
    )


def yolox(classes: int = 80, *, decoded: bool = False, best: int = 2) -> tuple[Net, dict[str, str]]:
    net = Net(classes, bgr=True, scale=255.0, best=best)
    maps = []
    for stride in STRIDES:
        size = np.log(16.0 / stride)
        parts = [
            net.conv(stride, np.array([0.5, 0.5, size, size]), np.zeros(4)),
            net.op("Sigmoid", net.surely(stride)),
            net.op("Sigmoid", net.kinds(stride)),
        ]
        maps.append(net.flat(net.join(*parts, axis=1), 5 + classes))
    rows = net.by_cells(net.join(*maps, axis=2))
    if decoded:
        places, steps = (value.transpose(0, 2, 1) for value in grid())
        parts = net.op("Split", rows, np.array([2, 2, classes + 1], np.int64), outputs=3, axis=2)
        center = net.op("Mul", net.op("Add", parts[0], places), steps)
        rows = net.join(center, net.op("Mul", net.op("Exp", parts[1]), steps), parts[2], axis=2)
    return net, {"output": rows}


def yolov5() -> tuple[Net, dict[str, str]]:
    net = Net()
    maps = []
    for stride in STRIDES:
        side = SIDE // stride
        width = 85
        for anchor in (16.0, 1.0, 2.0):  # one box of three has the size; the others are unsure
            sure = np.array([-30.0]), np.array([48.0 if anchor == 16.0 else 0.0])
            parts = [
                net.conv(stride, np.zeros(4), np.zeros(4)),
                net.conv(stride, *sure),
                net.kinds(stride),
            ]
            flat = net.by_cells(net.flat(net.op("Sigmoid", net.join(*parts, axis=1)), width))
            xy, wh, rest = net.op("Split", flat, np.array([2, 2, 81], np.int64), outputs=3, axis=2)
            rows, columns = np.mgrid[:side, :side]
            places = np.stack([columns.ravel(), rows.ravel()], axis=1)[None] - 0.5
            center = net.op(
                "Mul", net.op("Add", net.op("Mul", xy, np.array(2.0)), places), np.array(float(stride))
            )
            size = net.op(
                "Mul", net.op("Pow", net.op("Mul", wh, np.array(2.0)), np.array(2.0)), np.array(anchor)
            )
            maps.append(net.join(center, size, rest, axis=2))
    return net, {"output0": net.join(*maps, axis=1)}


def yolov8(classes: int = 80, *, transposed: bool = False) -> tuple[Net, dict[str, str]]:
    net = Net(classes, best=min(2, classes - 1))
    rows = net.join(net.boxes(corners=False), net.scores(), axis=1)
    return net, {"output0": net.by_cells(rows) if transposed else rows}


def undecoded(*, sides: int) -> tuple[Net, dict[str, str]]:
    """NanoDet's head: scores beside a distribution for each side of the box."""
    net = Net()
    maps = []
    for stride in STRIDES:
        scores = net.op("Sigmoid", net.kinds(stride, red=True))
        both = net.join(scores, net.conv(stride, np.zeros(sides), np.zeros(sides)), axis=1)
        maps.append(net.flat(both, net.classes + sides))
    return net, {"output": net.by_cells(net.join(*maps, axis=2))}


def yolov6() -> tuple[Net, dict[str, str]]:
    net = Net()
    sure = np.ones((1, CELLS, 1))
    parts = [net.by_cells(net.boxes(corners=False)), sure, net.by_cells(net.scores())]
    return net, {"outputs": net.join(*parts, axis=2)}


def yolov10(classes: int = 80) -> tuple[Net, dict[str, str]]:
    net = Net(classes, best=min(2, classes - 1))
    boxes, scores = net.by_cells(net.boxes(corners=True)), net.by_cells(net.scores())
    best = net.op("ReduceMax", scores, np.array([2], np.int64), keepdims=0)
    _, index = net.op("TopK", best, np.array([30], np.int64), outputs=2, axis=1)
    index = net.op("Unsqueeze", index, np.array([2], np.int64))
    boxes = net.op("GatherElements", boxes, net.op("Tile", index, np.array([1, 1, 4], np.int64)), axis=1)
    scores = net.op(
        "GatherElements", scores, net.op("Tile", index, np.array([1, 1, classes], np.int64)), axis=1
    )
    sure, kind = net.op("TopK", scores, np.array([1], np.int64), outputs=2, axis=2)
    return net, {"output0": net.join(boxes, sure, net.op("Cast", kind, to=TensorProto.FLOAT), axis=2)}


def suppressed(columns: str, name: str = "output") -> tuple[Net, dict[str, str]]:
    """YOLOv7's and YOLO-NAS's rows of seven, behind ONNX's own suppression."""
    net = Net()
    boxes, scores = net.by_cells(net.boxes(corners=True)), net.scores()
    limits = (np.array([9], np.int64), np.array(0.5, np.float32), np.array(0.25, np.float32))
    found = net.op("NonMaxSuppression", boxes, scores, *limits)
    image, kind, cell = net.op("Split", found, outputs=3, axis=1, num_outputs=3)
    box = net.op(
        "Gather",
        net.op("Squeeze", boxes, np.array([0], np.int64)),
        net.op("Squeeze", cell, np.array([1], np.int64)),
    )
    best = net.op("GatherND", scores, net.join(image, kind, cell, axis=1))
    parts = {
        "i": net.op("Cast", image, to=TensorProto.FLOAT),
        "b": box,
        "c": net.op("Cast", kind, to=TensorProto.FLOAT),
        "s": net.op("Unsqueeze", best, np.array([1], np.int64)),
    }
    return net, {name: net.join(*(parts[letter] for letter in columns), axis=1)}


def deepstream(form: str = "joined") -> tuple[Net, dict[str, str]]:
    """DeepStream-Yolo: corners and the best class of every cell; `old` has centers in three outputs."""
    if form == "yolox":
        net, outputs = yolox(decoded=True)
        parts = net.op("Split", outputs["output"], np.array([4, 1, 80], np.int64), outputs=3, axis=2)
        turn = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])
        boxes, kinds = net.op("MatMul", parts[0], turn), parts[2]
    else:
        net = Net()
        boxes, kinds = net.by_cells(net.boxes(corners=form != "old")), net.by_cells(net.scores())
    sure = net.op("ReduceMax", kinds, np.array([2], np.int64), keepdims=1)
    kind = net.op("Cast", net.op("ArgMax", kinds, axis=2, keepdims=1), to=TensorProto.FLOAT)
    if form == "old":
        return net, {"boxes": boxes, "scores": sure, "classes": kind}
    if form == "yolox":
        sure = net.op("Mul", sure, parts[1])
    return net, {"output": net.join(boxes, sure, kind, axis=2)}


def _queries(net: Net, count: int = 64) -> tuple[str, str]:
    """Give boxes (1, queries, 4) in parts of the picture, centers and sizes, and logits."""
    boxes = net.by_cells(net.boxes(corners=False, unit=True))
    maps = [net.flat(net.kinds(s, red=True), net.classes) for s in STRIDES]
    logits = net.by_cells(net.join(*maps, axis=2))
    ends = (np.array([0], np.int64), np.array([count], np.int64), np.array([1], np.int64))
    return net.op("Slice", boxes, *ends), net.op("Slice", logits, *ends)


def rt_detr_ultralytics(classes: int = 80) -> tuple[Net, dict[str, str]]:
    net = Net(classes, best=min(2, classes - 1))
    boxes, logits = _queries(net)
    return net, {"output0": net.join(boxes, net.op("Sigmoid", logits), axis=2)}


def rf_detr() -> tuple[Net, dict[str, str]]:
    net = Net(91, scale=(1.0 - 0.485) / 0.229, best=3)
    boxes, logits = _queries(net)
    return net, {"dets": boxes, "labels": logits}


def rt_detr(classes: int = 80) -> tuple[Net, dict[str, str]]:
    net = Net(classes, best=min(2, classes - 1))
    boxes, logits = _queries(net)
    center, size = net.op("Split", boxes, outputs=2, axis=2, num_outputs=2)
    half = net.op("Div", size, np.array(2.0))
    corners = net.join(net.op("Sub", center, half), net.op("Add", center, half), axis=2)
    wanted = net.op(
        "Tile", net.op("Cast", "orig_target_sizes", to=TensorProto.FLOAT), np.array([1, 2], np.int64)
    )
    corners = net.op("Mul", corners, net.op("Unsqueeze", wanted, np.array([1], np.int64)))
    long = net.op("Reshape", net.op("Sigmoid", logits), np.array([1, -1], np.int64))
    scores, index = net.op("TopK", long, np.array([9], np.int64), outputs=2, axis=1)
    kind = net.op("Mod", index, np.array([classes], np.int64))
    query = net.op("Unsqueeze", net.op("Div", index, np.array([classes], np.int64)), np.array([2], np.int64))
    boxes = net.op("GatherElements", corners, net.op("Tile", query, np.array([1, 1, 4], np.int64)), axis=1)
    return net, {"labels": kind, "boxes": boxes, "scores": scores}


def efficient_nms() -> tuple[Net, dict[str, str]]:
    """Four outputs: of the rows, only the first ones count."""
    net, outputs = yolov10()
    parts = net.op("Split", outputs["output0"], np.array([4, 1, 1], np.int64), outputs=3, axis=2)
    scores = net.op("Squeeze", parts[1], np.array([2], np.int64))
    kinds = net.op("Squeeze", parts[2], np.array([2], np.int64))
    count = net.op("Identity", np.array([[1]], np.int64))
    return net, {"num_dets": count, "det_boxes": parts[0], "det_scores": scores, "det_classes": kinds}


def torchvision() -> tuple[Net, dict[str, str]]:
    """Outputs that are numbered, and COCO's ninety-one class numbers."""
    net, outputs = suppressed("bsc")
    parts = net.op("Split", outputs["output"], np.array([4, 1, 1], np.int64), outputs=3, axis=1)
    score, kind = (net.op("Squeeze", part, np.array([1], np.int64)) for part in parts[1:])
    kind = net.op("Add", net.op("Cast", kind, to=TensorProto.INT64), np.array(1, np.int64))
    return net, {"3012": parts[0], "labels": kind, "3014": score}


def constants(
    path: Path, outputs: dict[str, NDArray[Any]], *, shape: tuple[Any, ...] = (1, 3, SIDE, SIDE)
) -> Path:
    """Write a network that gives the same for every picture, and whose graph says nothing of its layout."""
    net = Net()
    nothing = net.op("Mul", net.op("ReduceMean", "picture", keepdims=0), np.array(0.0))
    named = {
        name: net.op("Add", value, net.op("CastLike", nothing, value)) for name, value in outputs.items()
    }
    return net.save(path, named, shape=shape)


Builder = Callable[[], tuple[Net, dict[str, str]]]
