# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles in a single picture: a detector in ONNX form, run by OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.video.detect.decoding import Reader
from pamtri_edge.video.detect.detection import Detection, suppress
from pamtri_edge.video.detect.opened import open_network
from pamtri_edge.video.detect.picture import prepare

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
        keep = suppress(found.boxes, found.scores, self._spec.overlap)
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
