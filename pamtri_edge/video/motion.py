# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever moves before a fixed camera: background subtraction, for where no detector is at hand."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.video.clock import USUAL_RATE
from pamtri_edge.video.detect.detection import Detection

_WIDTH: Final = 480  # pictures are shrunk to this width; finer motion is noise, and costs time
_CONTRAST: Final = 60.0  # grey levels between a usual vehicle and the road
_ABSORB_S: Final = 4.0  # a vehicle of usual contrast that stands still becomes background in about this time
_THRESHOLD: Final = 35  # gray levels, in any color channel, from which a pixel differs from the background
_WARM_UP_S: Final = 0.3  # first seconds, in which nothing is detected
_LEAST_AREA: Final = 0.0012  # smallest region, as a part of the picture
_MOST_AREA: Final = 0.6  # largest total; more is a change of light, and nothing is detected
_LEAST_FILL: Final = 0.35  # part of its box that a region covers at least; less is scattered noise
_LONGEST: Final = 4.0  # longer side over shorter side of a box at most
_CLOSE: Final = (
    0.018  # diameter, as a part of the picture's width, over which parts of one vehicle are joined
)

Picture = NDArray[np.uint8]


class MotionDetector:
    """Detects what differs from a running median of the scene (McFarlane and Schofield, 1995).

    Each pixel of the background moves towards the picture by one grey level at a time, so that a passing
    vehicle leaves no trace, and one that parks fades in. Before comparing, the picture's brightness is
    matched to the background's: cameras change their exposure when a large vehicle comes, and a mixture of
    Gaussians (OpenCV's MOG2) then takes half of the scene for motion unless it learns so fast that
    it also learns slow vehicles. Shadows are not told apart: dark vehicles look like them.

    Args:
        rate: frames a second; None is taken as 25.
    """

    def __init__(self, *, rate: float | None = None) -> None:
        rate = rate or USUAL_RATE
        self._levels_a_frame = _CONTRAST / max(_ABSORB_S * rate, 1.0)
        self._levels_due = 0.0
        self._warm_up = round(_WARM_UP_S * rate)
        self._seen = 0
        self._background: Picture | None = None

    def detect(self, picture: Picture) -> list[Detection]:
        """Return the moving regions of a (H, W, 3) uint8 RGB picture; see `Detector`."""
        scale = min(_WIDTH / picture.shape[1], 1.0)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        differs = self._compare(np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.uint8))
        self._seen += 1
        if self._seen <= self._warm_up:
            return []
        mask = np.asarray(cv2.morphologyEx(differs, cv2.MORPH_OPEN, _disc(3)), np.uint8)
        joint = max(int(_CLOSE * small.shape[1]), 3)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _disc(joint)), np.uint8)
        if np.count_nonzero(mask) > _MOST_AREA * mask.size:
            return []
        return _regions(mask, scale)

    def restart(self) -> None:
        """Learn the background anew; see `Detector`."""
        self._background = None
        self._levels_due = 0.0
        self._seen = 0

    def _compare(self, picture: Picture) -> Picture:
        """Return 255 where the picture differs from the background, and adapt the background."""
        if self._background is None:
            self._background = picture.copy()
        background = self._background
        matched = _matched(picture, background)
        change = cv2.absdiff(matched, background).max(axis=2)
        self._levels_due += self._levels_a_frame
        while self._levels_due >= 1.0:
            self._levels_due -= 1.0
            up = cv2.compare(matched, background, cv2.CMP_GT)  # 255 where it holds
            down = cv2.compare(matched, background, cv2.CMP_LT)
            cv2.add(background, np.minimum(up, 1), dst=background)
            cv2.subtract(background, np.minimum(down, 1), dst=background)
        return np.where(change > _THRESHOLD, 255, 0).astype(np.uint8)


def _regions(mask: Picture, scale: float) -> list[Detection]:
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for x, y, w, h, area in np.asarray(stats)[1:].tolist():
        if area < _LEAST_AREA * mask.size or area < _LEAST_FILL * w * h:
            continue
        if max(w, h) > _LONGEST * min(w, h):
            continue
        found.append(Detection((x / scale, y / scale, (x + w) / scale, (y + h) / scale)))
    return found


def _matched(picture: Picture, background: Picture) -> Picture:
    """Return the picture with each color channel multiplied to the background's brightness.

    The factor is the median over the scene, of which vehicles cover less than half.
    """
    ours, theirs = (np.maximum(p[::4, ::4], 1).astype(np.float32) for p in (picture, background))
    factors = np.median((theirs / ours).reshape(-1, 3), axis=0)
    return np.asarray(cv2.convertScaleAbs(picture * factors.astype(np.float32)), np.uint8)


def _disc(diameter: int) -> Picture:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)), np.uint8)
