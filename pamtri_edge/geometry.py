# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of reference: frame, crop, window and heatmap, and the maps between them.

Four frames are in use. *Frame*: pixels of the whole picture, edges at integers, so that a box is
x1, y1, x2, y2. *Crop*: the rectangle cut from it, in crop units (0..1 on each axis). *Window*: the padded
square that the original PAMTRI shows its pose network. *Heatmap*: cells of the 64x64 maps.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri_edge.compiled import decisions
from pamtri_edge.errors import InputError

IMAGE_SIZE: Final = 256
"""Side of the square picture that both networks see, in pixels."""

HEATMAP_SIZE: Final = 64
"""Side of a heatmap, in cells: a quarter of the picture's."""

WINDOW_SCALE: Final = 1.25
"""The original's window is this many times the crop's longer side."""

RGB_MEAN: Final = (0.485, 0.456, 0.406)
RGB_STD: Final = (0.229, 0.224, 0.225)
EXTRA_MEAN: Final = 0.449
EXTRA_STD: Final = 0.226
"""Normalization of the RGB channels (of 0..1) and of every heatmap and segment channel."""

Array = TypeVar("Array")


def keypoint_vector(flat: Array, *, out: Any = None, library: Any = np) -> Array:
    """Return keypoints as the re-identification network takes them: less 0.5, so that the center is 0.

    Args:
        flat: (N, 108) x, y in crop units and confidence of each keypoint; of NumPy, CuPy or torch.
        out: an array of `library` for the result.
        library: NumPy or CuPy.
    """
    numbers: Any = flat
    result: Array = numbers - 0.5 if out is None else library.subtract(numbers, np.float32(0.5), out=out)
    return result


class Geometry(str, Enum):
    """How a crop becomes the pictures that the two networks see."""

    UNIFIED = "unified"
    """One picture for both: the crop stretched to 256x256; heatmaps and segments aligned with it."""

    ORIGINAL = "original"
    """As the NVlabs code: pose sees a padded square window, re-identification the stretched crop."""


class CropRule(str, Enum):
    """Which integer rectangle is cut for a box."""

    EXACT = "exact"
    """The box clipped to the frame and rounded outward."""

    NVINFER = "nvinfer"
    """As DeepStream's gst-nvinfer: left and top rounded up to even, width and height down to even."""


_BOXES: Final = "expected (N, 4): x1, y1, x2, y2 in pixels, a row a vehicle"


def crop_rectangles(
    boxes: ArrayLike, frame_width: int, frame_height: int, rule: CropRule = CropRule.EXACT
) -> NDArray[np.int32]:
    """Return the integer rectangle to cut for each box.

    Args:
        boxes: (N, 4) x1, y1, x2, y2 in frame pixels; may reach past the frame.
        frame_width: width of the frame in pixels.
        frame_height: height of the frame in pixels.
        rule: how to round. `NVINFER` follows `get_converted_buffer` of gst-nvinfer: the clipped box's
            left, top, width and height lose their fraction, then are made even.

    Returns:
        (N, 4) int32 x1, y1, x2, y2, inside the frame, right and bottom exclusive, never empty.

    Raises:
        InputError: the boxes are not numbers, or lie between 0 and 1 as shares of the frame do; one is not
            finite, inverted, outside the frame, or nothing is left of it.
        MissingDependencyError: the package was installed without compiled code.
    """
    array = _numbers(boxes)
    if array.size == 0:
        return np.zeros((0, 4), np.int32)
    if array.ndim != 2 or array.shape[1] != 4:
        raise InputError(f"boxes have shape {array.shape}; {_BOXES}.")
    rectangles: NDArray[np.int32] = decisions().crop_rectangles(
        array, int(frame_width), int(frame_height), rule.value
    )
    return rectangles


def _numbers(boxes: ArrayLike) -> NDArray[np.float64]:
    try:
        # A tensor of PyTorch that takes a gradient refuses to be read until it is detached.
        given = np.asarray(boxes.detach() if hasattr(boxes, "detach") else boxes)
        if given.dtype.kind not in "biufO":
            raise InputError(f"boxes are of type {given.dtype}; {_BOXES}.")
        return np.asarray(given, np.float64, order="C")
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"boxes cannot be read as numbers ({error}); {_BOXES}.") from error


def crop_to_frame(keypoints: NDArray[np.float32], rectangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Map keypoints from crop units to frame pixels; confidences pass through.

    Args:
        keypoints: (N, K, 3) float32 x, y in crop units, confidence.
        rectangles: (N, 4) int32 x1, y1, x2, y2 of the crops, in frame pixels.

    Returns:
        (N, K, 3) float32 x, y in frame pixels, confidence.
    """
    mapped: NDArray[np.float32] = keypoints.copy()
    corner = rectangles[:, None, :2].astype(np.float32)
    size = (rectangles[:, None, 2:] - rectangles[:, None, :2]).astype(np.float32)
    mapped[..., :2] = keypoints[..., :2] * size + corner
    return mapped


def window_matrix(crop_width: float, crop_height: float) -> NDArray[np.float64]:
    """Return the affine map from crop pixels to the original's 256x256 window.

    The window is a square of 1.25 times the longer side, centered on the crop: u = (x - W/2) * 256 /
    (1.25 * max(W, H)) + 128, likewise v (`get_affine_transform` of the original, without rotation).

    Args:
        crop_width: W, in pixels.
        crop_height: H, in pixels.

    Returns:
        (2, 3) float64, as `cv2.warpAffine` takes it.
    """
    scale = IMAGE_SIZE / (WINDOW_SCALE * max(crop_width, crop_height))
    half = IMAGE_SIZE / 2
    return np.array(
        [
            [scale, 0.0, half - scale * crop_width / 2],
            [0.0, scale, half - scale * crop_height / 2],
        ]
    )
