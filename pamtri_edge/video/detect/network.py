# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles in a single picture: a detector in ONNX form, opened, fed, run by OpenVINO and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.printable import counted
from pamtri_edge.video.detect.classes import Classes, by_number, classes_of, parsed_names
from pamtri_edge.video.detect.decoding import Dense, Reader
from pamtri_edge.video.detect.detection import Detection
from pamtri_edge.video.detect.ending import scaled_inside
from pamtri_edge.video.detect.graph import Graph, compile_graph, last_line, read_graph
from pamtri_edge.video.detect.layout import Layout, refuse
from pamtri_edge.video.detect.picture import Feeding, PictureSpec, prepare
from pamtri_edge.video.detect.several import decide

_TYPES: Final = {"f32": np.float32, "f16": np.float16, "u8": np.uint8}
_SIZE_TYPES: Final = {"i64": np.int64, "i32": np.int32, "f32": np.float32}
_NAME_KEYS: Final = ("names", "class_names", "classes", "labels", "id2label")
_GRAY: Final = 114
_SMALLEST: Final = 1.0  # side of a box, in frame pixels


@dataclass(frozen=True)
class DetectorSpec:
    """How detections are chosen.

    Attributes:
        confidence: lowest score of a detection.
        overlap: two boxes with a higher IoU are one vehicle, whatever their classes.
        classes: names or numbers of the wanted classes; none at all, or "all", for every one; None for
            the vehicles.
    """

    confidence: float = 0.3
    overlap: float = 0.5
    classes: tuple[str, ...] | None = None


class NetworkDetector:
    """A detector in ONNX form. Its layout is decided once, from the graph; see `layout.ACCEPTED`.

    Args:
        model: the ONNX file.
        spec: how detections are chosen.
        threads: threads to use; None for all.

    Attributes:
        notice: a sentence on the layout and the classes that were taken.

    Raises:
        InputError: the file is missing, cannot be loaded, has a layout that is not known, or does not say
            which of its classes are vehicles.
        MissingDependencyError: OpenVINO is not installed.
    """

    def __init__(
        self, model: str | Path, *, spec: DetectorSpec | None = None, threads: int | None = None
    ) -> None:
        self._spec = spec or DetectorSpec()
        self._opened = opened = open_network(Path(model), threads)
        self._reader = Reader(opened.layout.decoder)
        classes = opened.classes(self._spec.classes)
        self._wanted = classes.wanted(str(opened.graph.path), self._spec.classes)
        notice = classes.notice if self._spec.classes is None else ""
        self.notice = f"{opened.graph.path.name}: layout {opened.layout.name}"
        self.notice += f"; {notice}" if notice else ""

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the vehicles in a (H, W, 3) uint8 RGB picture; see `Detector`.

        Raises:
            InputError: the network gives what is no detection: not finite, or no scores.
        """
        opened = self._opened
        tensor, place = prepare(picture, opened.picture)
        try:
            found = self._reader.read(opened.run(tensor), self._wanted, self._spec.confidence)
        except InputError as error:
            raise InputError(f"{opened.graph.path}: {error}") from error
        keep = _core.suppress(found.boxes, found.scores, self._spec.overlap)
        kept = np.ascontiguousarray(found.boxes[keep], np.float32)
        boxes = place.in_frame(kept, (picture.shape[1], picture.shape[0]))
        sides = boxes[:, 2:] - boxes[:, :2]
        return [
            Detection((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(score))
            for b, score, side in zip(boxes, found.scores[keep], sides, strict=True)
            if side.min() >= _SMALLEST
        ]

    def restart(self) -> None:
        """Do nothing: each picture is looked at by itself."""


@dataclass(frozen=True)
class Opened:
    """A network that is ready to run.

    Attributes:
        graph: what was read of its file.
        network: OpenVINO's compiled model.
        input: number of the input that takes pictures.
        picture: how pictures are laid into it.
        sizes: for the number of the input that takes a size, if there is one, what it is given.
        layout: how the outputs are read.
        names: of the classes, by number, as the metadata has them.
    """

    graph: Graph
    network: Any
    input: int
    picture: PictureSpec
    sizes: dict[int, NDArray[np.generic]]
    layout: Layout
    names: dict[int, str]

    def run(self, tensor: NDArray[np.generic]) -> Sequence[NDArray[np.generic]]:
        """Return the outputs for a tensor of a picture.

        Raises:
            InputError: the network fails on it.
        """
        return _run(self.graph, self.network, {self.input: tensor, **self.sizes})

    def classes(self, asked: Sequence[str] | None) -> Classes:
        """Return the classes.

        Args:
            asked: what will be asked for: names that do not fit the outputs do not matter for numbers.

        Raises:
            InputError: the names do not fit, and classes are asked for by name.
        """
        known = _fitting(self.graph, self.layout, self.names, asked)
        return classes_of(str(self.graph.path), names=known, count=self.layout.classes, base=self.layout.base)


def open_network(path: Path, threads: int | None = None) -> Opened:
    """Read a network, compile it, and decide its layout.

    Raises:
        InputError: the file is missing, cannot be loaded, or has a layout that is not known.
        MissingDependencyError: OpenVINO is not installed.
    """
    graph = read_graph(path)
    number, sized = _inputs(graph)
    graph.fix(number)
    frame = _picture(graph, number)
    network = compile_graph(graph, threads)
    sizes = {one: _size_tensor(graph, one, frame.size) for one in sized}
    names = _names(graph)
    gray = np.full(frame.shape, _GRAY if frame.dtype == np.uint8 else _GRAY / 255).astype(frame.dtype)
    layout = decide(
        graph,
        frame.size,
        len(names) or None,
        lambda: _run(graph, network, {number: gray, **sizes}),
        sized=bool(sizes),
    )
    return Opened(graph, network, number, _fed(graph, number, frame, layout), sizes, layout, names)


def _run(graph: Graph, network: Any, tensors: Mapping[int, Any]) -> Sequence[NDArray[np.generic]]:
    try:
        results: Any = network(dict(tensors))
    except RuntimeError as error:
        raise InputError(f"{graph.path} failed on a picture ({last_line(error)}).") from error
    return [results[number] for number in range(len(network.outputs))]


def _inputs(graph: Graph) -> tuple[int, list[int]]:
    """Return the number of the input that takes pictures, and those that take its size."""
    ports = graph.inputs
    pictures = [number for number, port in enumerate(ports) if len(port.shape) in (3, 4)]
    sizes = [number for number, port in enumerate(ports) if len(port.shape) == 2 and port.shape[1] in (2, -1)]
    known = all(ports[number].dtype in _SIZE_TYPES for number in sizes)
    if len(pictures) != 1 or len(pictures) + len(sizes) != len(ports) or len(sizes) > 1 or not known:
        refuse(
            graph, "expected one input for pictures, (1, 3, H, W) or (1, H, W, 3), and at most one of a size"
        )
    return pictures[0], sizes


def _picture(graph: Graph, number: int) -> PictureSpec:
    """Return what the tensor of an input is like; how pictures are laid into it follows from the layout."""
    port = graph.inputs[number]
    sides = port.shape[-3:]
    if min(port.shape) < 1 or 3 not in (sides[0], sides[2]) or port.dtype not in _TYPES:
        refuse(graph, "expected pictures of three channels, float32, float16 or uint8")
    last = sides[0] != 3
    size = (sides[0], sides[1]) if last else (sides[1], sides[2])
    return PictureSpec(size, port.shape, np.dtype(_TYPES[port.dtype]), channels_last=last)


def _fed(graph: Graph, number: int, frame: PictureSpec, layout: Layout) -> PictureSpec:
    """Return how pictures are laid into the tensor: as the layout has it, less what the network does."""
    feeding = layout.feeding
    if frame.dtype == np.uint8 or scaled_inside(graph, number):
        feeding = Feeding(feeding.fit, feeding.bgr, divisor=1.0)
    return replace(frame, feeding=feeding)


def _size_tensor(graph: Graph, number: int, size: tuple[int, int]) -> NDArray[np.generic]:
    """Return the size to which a network scales its boxes: that of its own picture, width first."""
    port = graph.inputs[number]
    return np.tile(np.array([size[1], size[0]], _SIZE_TYPES[port.dtype]), (port.shape[0], 1))


def _names(graph: Graph) -> dict[int, str]:
    for key in _NAME_KEYS:
        names = parsed_names(graph.metadata.get(key, ""))
        if names:
            return names
    return {}


def _fitting(
    graph: Graph, layout: Layout, names: Mapping[int, str], asked: Sequence[str] | None
) -> Mapping[int, str]:
    """Return the names, or none where they are not those of the network's classes and nobody asks for any.

    An open-vocabulary YOLO exported for one class keeps COCO's names, for one.

    Raises:
        InputError: they do not fit, and classes are asked for by name.
    """
    count = layout.classes
    shaped = isinstance(layout.decoder, Dense) and layout.decoder.scores_output is None
    if not shaped or count is None or len(names) in (0, count):
        return names
    if not by_number(asked):
        numbers = "0" if count == 1 else f"numbers from 0 to {count - 1}"
        refuse(
            graph,
            f"{counted(count, 'class', 'classes')} by its outputs, but its metadata names "
            f"{len(names)}, so that no name is sure; say which are vehicles by number (--classes {numbers}), "
            "or take all (--classes all)",
        )
    return {}
