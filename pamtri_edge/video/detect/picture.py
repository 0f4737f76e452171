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

from pamtri_edge import _core

_PAD: Final = 114  # the gray around a letterboxed picture, in YOLOX's training and in Ultralytics'


class Fit(Enum):
    """How a frame is laid into the network's picture."""

    CORNER = "at its own aspect, at the top left"
    CENTER = "at its own aspect, in the middle"
    STRETCH = "stretched to the whole"


@dataclass(frozen=True)
class Feeding:
    """How a frame becomes the numbers of the network's picture.

    Attributes:
        fit: how the frame is laid into the picture.
        bgr: blue first.
        divisor: of the values 0 to 255: 255 for networks that take 0 to 1, else 1.
        mean: subtracted after the division, red first.
        deviation: divided by at last, red first.
    """

    fit: Fit = Fit.CENTER
    bgr: bool = False
    divisor: float = 255.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)


PLAIN: Final = Feeding()


@dataclass(frozen=True)
class PictureSpec:
    """What a network takes.

    Attributes:
        size: height and width of the network's picture, in pixels.
        shape: of the tensor; of a batch larger than 1 the first picture alone is filled.
        dtype: of the tensor.
        channels_last: (..., H, W, 3) instead of (..., 3, H, W).
        feeding: how a frame becomes its numbers.
    """

    size: tuple[int, int]
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    channels_last: bool
    feeding: Feeding = PLAIN


def prepare(frame: NDArray[np.uint8], spec: PictureSpec) -> tuple[NDArray[np.generic], _core.FramePlace]:
    """Return the tensor for a (H, W, 3) uint8 RGB frame, and where the frame lies in it."""
    small, placement = _fitted(frame, spec)
    pixels: NDArray[np.float32] = small.astype(np.float32)
    feeding = spec.feeding
    if feeding.divisor != 1.0:
        pixels /= np.float32(feeding.divisor)
    if any(feeding.mean) or feeding.deviation != (1.0, 1.0, 1.0):
        pixels -= np.array(feeding.mean, np.float32)
        pixels /= np.array(feeding.deviation, np.float32)
    if feeding.bgr:
        pixels = pixels[..., ::-1]
    if not spec.channels_last:
        pixels = pixels.transpose(2, 0, 1)
    tensor = np.zeros(spec.shape, spec.dtype)
    tensor.reshape(-1, *pixels.shape)[0] = pixels
    return tensor, placement


def _fitted(frame: NDArray[np.uint8], spec: PictureSpec) -> tuple[NDArray[np.uint8], _core.FramePlace]:
    (high, wide), (rows, columns) = frame.shape[:2], spec.size
    place = _core.place_frame((wide, high), (columns, rows), spec.feeding.fit.name.lower())
    x1, y1, x2, y2 = place.filled
    canvas = np.full((rows, columns, 3), _PAD, np.uint8)
    canvas[y1:y2, x1:x2] = cv2.resize(frame, (x2 - x1, y2 - y1))
    return canvas, place
