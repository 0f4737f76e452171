# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles in a single picture: a YOLOX network run by OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError

COCO_VEHICLES: Final = {"bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7}
"""Class numbers of COCO's vehicles, which the published YOLOX networks know."""

DEFAULT_CLASSES: Final = ("car", "bus", "truck")
"""What a vehicle re-identification network is made for; riders on two wheels are not."""

_COCO_CLASSES: Final = 80
_STRIDES: Final = (8, 16, 32)
_PAD: Final = 114  # grey of YOLOX's letterbox
_MOST: Final = 300  # boxes that go into the suppression: far more than one picture has vehicles
_LARGEST_LOG_SIZE: Final = 12.0  # e^12 cells; anything above is a size in pixels already


@dataclass(frozen=True)
class Detection:
    """A vehicle in a picture.

    Attributes:
        box: x1, y1, x2, y2 in frame pixels, inside the frame.
        score: 0 to 1; 1 where the detector gives none.
    """

    box: tuple[float, float, float, float]
    score: float = 1.0


class Detector(Protocol):
    """Finds vehicles in pictures; may learn from picture to picture."""

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the vehicles in a (H, W, 3) uint8 RGB picture."""

    def restart(self) -> None:
        """Forget the pictures so far: another scene, or another picture size, follows."""


@dataclass(frozen=True)
class YoloxSpec:
    """How detections are chosen.

    Attributes:
        confidence: lowest score (objectness times class) of a detection.
        overlap: two boxes with a higher IoU are one vehicle, whatever their classes.
        classes: names (COCO's) or numbers of the wanted classes; empty for all.
    """

    confidence: float = 0.3
    overlap: float = 0.5
    classes: tuple[str, ...] = DEFAULT_CLASSES


class YoloxDetector:
    """A YOLOX network in ONNX form, as `tools/export_onnx.py` of YOLOX writes it.

    Input (1, 3, S, T) float32, BGR, 0..255, letterboxed with grey at the right and bottom. Output
    (1, cells, 5 + classes): centre, size, objectness, class scores; with or without decoded boxes.

    Args:
        model: the ONNX file.
        spec: how detections are chosen.
        threads: threads to use; None for all.

    Raises:
        InputError: the file is missing, cannot be loaded or is no YOLOX network.
    """

    def __init__(
        self, model: str | Path, *, spec: YoloxSpec | None = None, threads: int | None = None
    ) -> None:
        self._spec = spec or YoloxSpec()
        self._path = Path(model)
        self._network = _compile(self._path, threads)
        shape = self._network.input(0).partial_shape
        if shape.rank.get_length() != 4 or any(shape[k].is_dynamic for k in (1, 2, 3)):
            raise InputError(f"{self._path} takes {shape}; expected a picture of fixed size (1, 3, H, W).")
        self._size = (shape[2].get_length(), shape[3].get_length())
        self._grid, self._stride = _cells(self._size)
        cells, width = self._output_shape()
        if cells != len(self._grid) or width < 6:
            raise InputError(
                f"{self._path} gives ({cells}, {width}) for a picture of {self._size}; expected a YOLOX "
                f"network: ({len(self._grid)}, 5 + classes)."
            )
        self._wanted = _class_numbers(self._spec.classes, width - 5)

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the vehicles in a (H, W, 3) uint8 RGB picture; see `Detector`."""
        tensor, scale = _letterbox(picture, self._size)
        output = self._network([tensor])[0][0]
        boxes, scores = self._decode(output)
        keep = suppress(boxes, scores, self._spec.overlap)
        high, wide = picture.shape[:2]
        boxes = np.clip(boxes[keep] / scale, 0, [wide, high, wide, high])
        sides = boxes[:, 2:] - boxes[:, :2]
        return [
            Detection((float(b[0]), float(b[1]), float(b[2]), float(b[3])), float(score))
            for b, score, side in zip(boxes, scores[keep], sides, strict=True)
            if side.min() >= 1.0
        ]

    def restart(self) -> None:
        """Do nothing: each picture is looked at by itself."""

    def _output_shape(self) -> tuple[int, int]:
        shape = self._network.output(0).partial_shape
        if shape.rank.get_length() != 3 or shape[1].is_dynamic or shape[2].is_dynamic:
            raise InputError(
                f"{self._path} gives {shape}; expected a YOLOX network: (1, cells, 5 + classes)."
            )
        return shape[1].get_length(), shape[2].get_length()

    def _decode(self, output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return boxes (N, 4) in input pixels and scores (N,) of the wanted classes."""
        scores = output[:, 4] * output[:, 5:][:, self._wanted].max(axis=1)
        chosen = np.flatnonzero(scores >= self._spec.confidence)
        chosen = chosen[np.argsort(-scores[chosen])][:_MOST]
        raw = output[chosen]
        if len(raw) and raw[:, 2:4].max() > _LARGEST_LOG_SIZE:
            centre, size = raw[:, :2], raw[:, 2:4]
        else:
            centre = (raw[:, :2] + self._grid[chosen]) * self._stride[chosen]
            size = np.exp(raw[:, 2:4]) * self._stride[chosen]
        return np.concatenate([centre - size / 2, centre + size / 2], axis=1), scores[chosen]


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], overlap: float) -> list[int]:
    """Return the indices of boxes that stay when each removes those that overlap it with a lower score.

    Args:
        boxes: (N, 4) x1, y1, x2, y2.
        scores: (N,).
        overlap: highest IoU that two boxes may have.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        common = np.prod(np.maximum(high - low, 0), axis=1)
        iou = common / np.maximum(areas[best] + areas[order] - common, 1e-9)
        order = order[iou <= overlap]
    return kept


def _compile(path: Path, threads: int | None) -> Any:
    if not path.is_file():
        raise InputError(f"there is no detector {path}; expected a YOLOX network (.onnx), or 'motion'.")
    try:
        import openvino
    except ImportError as error:
        raise MissingDependencyError(f"a detector needs OpenVINO ({error}): pip install openvino") from error
    properties: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if threads:
        properties["INFERENCE_NUM_THREADS"] = threads
    try:
        return openvino.compile_model(str(path), "CPU", properties)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(f"{path} cannot be loaded as a detector ({lines[-1]}).") from error


def _letterbox(picture: NDArray[np.uint8], size: tuple[int, int]) -> tuple[NDArray[np.float32], float]:
    high, wide = picture.shape[:2]
    scale = min(size[0] / high, size[1] / wide)
    small = cv2.resize(picture, (max(int(wide * scale), 1), max(int(high * scale), 1)))
    tensor = np.full((1, 3, *size), _PAD, np.float32)
    tensor[0, :, : small.shape[0], : small.shape[1]] = small[..., ::-1].transpose(2, 0, 1)
    return tensor, scale


def _cells(size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return each cell's column and row (N, 2), and its stride (N, 1)."""
    grids, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(grids).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _class_numbers(names: Sequence[str], count: int) -> list[int]:
    """Return the class numbers of names or numbers."""
    if not names or (tuple(names) == DEFAULT_CLASSES and count != _COCO_CLASSES):
        return list(range(count))  # a network of other classes than COCO's was trained for vehicles alone
    numbers = []
    for name in names:
        if name.isdecimal() and int(name) < count:
            numbers.append(int(name))
        elif count == _COCO_CLASSES and name in COCO_VEHICLES:
            numbers.append(COCO_VEHICLES[name])
        else:
            accepted = ", ".join(COCO_VEHICLES) + ", or " if count == _COCO_CLASSES else ""
            raise InputError(f"{name!r} is no class of this detector; accepted: {accepted}0 to {count - 1}.")
    return numbers
