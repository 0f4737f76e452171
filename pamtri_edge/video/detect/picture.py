# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a frame to the tensor that a detector takes, and from its boxes back to the frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_PAD: Final = 114  # the gray around a letterboxed picture, in YOLOX's training and in Ultralytics'


class Fit(Enum):
    """How a frame is laid into the network's picture."""

    CORNER = "at its own aspect, at the top left"
    CENTER = "at its own aspect, in the middle"
    STRETCH = "stretched to the whole"


@dataclass(frozen=True)
class PictureSpec:
    """What a network takes.

    Attributes:
        size: height and width of the network's picture, in pixels.
        shape: of the tensor; of a batch larger than 1 the first picture alone is filled.
        dtype: of the tensor.
        channels_last: (..., H, W, 3) instead of (..., 3, H, W).
        bgr: blue first.
        divisor: of the values 0 to 255: 255 for networks that take 0 to 1, else 1.
        mean: subtracted after the division, red first.
        deviation: divided by at last, red first.
        fit: how the frame is laid into the picture.
    """

    size: tuple[int, int]
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    channels_last: bool = False
    bgr: bool = False
    divisor: float = 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    fit: Fit = Fit.CENTER


@dataclass(frozen=True)
class Placement:
    """Where a frame lies in the network's picture: x and y times `scale`, plus `offset`."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (N, 4) boxes of the network's picture as boxes of the frame, in its pixels."""
        moved = boxes.astype(np.float64) - np.array(2 * self.offset)
        return np.asarray(moved / np.array(2 * self.scale))


def prepare(frame: NDArray[np.uint8], spec: PictureSpec) -> tuple[NDArray[np.generic], Placement]:
    """Return the tensor for a (H, W, 3) uint8 RGB frame, and where the frame lies in it."""
    small, placement = _fitted(frame, spec)
    pixels: NDArray[np.float32] = small.astype(np.float32)
    if spec.divisor != 1.0:
        pixels /= np.float32(spec.divisor)
    if any(spec.mean) or spec.deviation != (1.0, 1.0, 1.0):
        pixels -= np.array(spec.mean, np.float32)
        pixels /= np.array(spec.deviation, np.float32)
    if spec.bgr:
        pixels = pixels[..., ::-1]
    if not spec.channels_last:
        pixels = pixels.transpose(2, 0, 1)
    tensor = np.zeros(spec.shape, spec.dtype)
    tensor.reshape(-1, *pixels.shape)[0] = pixels
    return tensor, placement


def _fitted(frame: NDArray[np.uint8], spec: PictureSpec) -> tuple[NDArray[np.uint8], Placement]:
    (high, wide), (rows, columns) = frame.shape[:2], spec.size
    if spec.fit is Fit.STRETCH:
        whole = np.asarray(cv2.resize(frame, (columns, rows)), np.uint8)
        return whole, Placement((columns / wide, rows / high), (0.0, 0.0))
    scale = min(rows / high, columns / wide)
    across, down = max(int(wide * scale), 1), max(int(high * scale), 1)
    left, top = (0, 0) if spec.fit is Fit.CORNER else ((columns - across) // 2, (rows - down) // 2)
    canvas = np.full((rows, columns, 3), _PAD, np.uint8)
    canvas[top : top + down, left : left + across] = cv2.resize(frame, (across, down))
    return canvas, Placement((scale, scale), (float(left), float(top)))
