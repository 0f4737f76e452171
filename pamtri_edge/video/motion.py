# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever moves before a fixed camera: background subtraction, for where no detector is at hand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.video.detect import Detection


@dataclass(frozen=True)
class MotionSpec:
    """How moving regions become detections.

    Attributes:
        width: pictures are shrunk to this width; finer motion is noise, and costs time.
        absorb_s: a vehicle that stands still becomes background after so many seconds.
        threshold: squared distance, in variances, from which a pixel is no background.
        warm_up_s: first seconds, in which the background is learnt and nothing is detected.
        least_area: smallest region, as a part of the picture.
        most_area: largest region; more is a change of light, and nothing is detected.
        least_fill: part of its box that a region covers at least; less is scattered noise.
        longest: longer side over shorter side of a box at most.
        close: diameter, as a part of the picture's width, over which parts of one vehicle are joined.
    """

    width: int = 480
    absorb_s: float = 2.0
    threshold: float = 24.0
    warm_up_s: float = 0.5
    least_area: float = 0.0012
    most_area: float = 0.6
    least_fill: float = 0.35
    longest: float = 4.0
    close: float = 0.018


class MotionDetector:
    """Detects moving regions with a mixture of Gaussians per pixel (OpenCV's MOG2); shadows are left out.

    Args:
        rate: frames a second; None is taken as 25.
        spec: how regions become detections.
    """

    def __init__(self, *, rate: float | None = None, spec: MotionSpec | None = None) -> None:
        self._spec = spec or MotionSpec()
        self._background = cv2.createBackgroundSubtractorMOG2(
            varThreshold=self._spec.threshold, detectShadows=True
        )
        rate = rate or 25.0
        # A colour becomes background when its weight passes what the background ratio leaves: that many
        # frames times the learning rate.
        left = 1.0 - self._background.getBackgroundRatio()
        self._learning_rate = left / max(self._spec.absorb_s * rate, 1.0)
        self._warm_up = max(round(self._spec.warm_up_s * rate), 1)
        self._seen = 0

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the moving regions of a (H, W, 3) uint8 RGB picture; see `Detector`."""
        spec = self._spec
        scale = min(spec.width / picture.shape[1], 1.0)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._seen += 1
        warm = self._seen > self._warm_up
        learning_rate = self._learning_rate if warm else -1.0  # OpenCV's own is quick at the beginning
        moving = self._background.apply(cv2.GaussianBlur(small, (3, 3), 0), learningRate=learning_rate)
        if not warm:
            return []
        # MOG2 marks shadows with 127: they would join neighbours and widen every box.
        mask = np.where(moving == 255, 255, 0).astype(np.uint8)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(3)), np.uint8)
        mask = np.asarray(
            cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(max(int(spec.close * small.shape[1]), 3))), np.uint8
        )
        if np.count_nonzero(mask) > spec.most_area * mask.size:
            return []
        return self._regions(mask, scale)

    def _regions(self, mask: NDArray[np.uint8], scale: float) -> list[Detection]:
        spec = self._spec
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        found = []
        for x, y, w, h, area in np.asarray(stats)[1:].tolist():
            if area < spec.least_area * mask.size or area < spec.least_fill * w * h:
                continue
            if max(w, h) > spec.longest * min(w, h):
                continue
            found.append(Detection((x / scale, y / scale, (x + w) / scale, (y + h) / scale)))
        return found


def _disc(diameter: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
