# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations between the networks: decode, segments, stack, crop. This is their one door.

NumPy arrays in, NumPy arrays out. The work is done by the compiled module where the package has it, else by
the reference in NumPy; the results are the same. The environment variable `PAMTRI_OPS` settles it:
`native` or `reference`. Every operation takes `out=`, memory of the caller's for the result, and accepts
an empty batch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.arrays import check_choice, check_crops, check_picture
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.geometry import IMAGE_SIZE, Geometry, window_matrix
from pamtri_edge.ops import reference
from pamtri_edge.ops.checks import LARGEST_SIZE, check_array, check_out, check_size, check_threshold
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS, SEGMENT_CONFIDENCE

__all__ = [
    "crop",
    "decode",
    "implementation",
    "resize",
    "segments",
    "set_threads",
    "stack",
    "threads",
    "window",
]

Floats = NDArray[np.float32]


class _Operations(Protocol):
    """What `reference` and `native` both are: functions that fill `out` from checked arguments."""

    def decode(self, heatmaps: Floats, out: Floats, crop_units: bool) -> None: ...

    def segments(self, keypoints: Floats, out: Floats, threshold: float) -> None: ...

    def stack(
        self,
        images: Floats,
        heatmaps: Floats | None,
        drawn: Floats | None,
        keypoints: Floats | None,
        out: Floats,
        threshold: float,
    ) -> None: ...

    def crop(
        self, frame: NDArray[np.uint8], rectangles: NDArray[np.int32], out: Floats, swap_channels: bool
    ) -> None: ...

    def resize(self, crops: Sequence[NDArray[np.uint8]], out: Floats, swap_channels: bool) -> None: ...

    def threads(self) -> int: ...

    def set_threads(self, count: int | None) -> None: ...


def implementation() -> Literal["native", "reference"]:
    """Tell which code does the work: "native" (compiled) or "reference" (NumPy).

    Raises:
        InputError: `PAMTRI_OPS` is set to another word.
        MissingDependencyError: `PAMTRI_OPS=native`, but the package was installed without compiled code.
    """
    return "reference" if _operations() is reference else "native"


def threads() -> int:
    """Return how many threads an operation may use, the calling one included."""
    return _operations().threads()


def set_threads(count: int | None) -> None:
    """Set how many threads an operation may use, for the whole process.

    Args:
        count: 1 to 1024; None, the initial setting, means every core this process may use. The reference
            always uses one.

    Raises:
        InputError: another value.
    """
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= 1024):
        raise InputError(f"the number of threads is {count!r}; expected 1 to 1024, or None for all cores.")
    _operations().set_threads(count)


def decode(heatmaps: Floats, *, geometry: Geometry = Geometry.UNIFIED, out: Floats | None = None) -> Floats:
    """Return the keypoint of every heatmap: its first highest cell, moved a quarter towards the higher side.

    The quarter step is taken where the cell is at least two cells from the left and top border and one from
    the others, as in the original; equal neighbours mean no step. A heatmap whose peak is at or below zero
    has no place: x and y are 0. Nothing is clipped.

    Args:
        heatmaps: (N, K, S, S) float32.
        geometry: `UNIFIED` gives x and y in crop units, (cell + 0.5 + step) / S; `ORIGINAL` gives heatmap
            cells, cell + step.
        out: (N, K, 3) float32, for the result.

    Returns:
        (N, K, 3) float32 x, y, confidence; the confidence is the peak as it is.

    Raises:
        InputError: a wrong shape or dtype, or a peak that is NaN or infinite (a NaN anywhere in a heatmap
            makes its peak NaN; a lone minus infinity below a finite peak is not looked for).
    """
    crop_units = check_choice(geometry, [known.value for known in Geometry], "geometry") == Geometry.UNIFIED
    maps = check_array(heatmaps, "heatmaps", ("N", "K", "S", "S"))
    if maps.shape[2] == 0 or maps.shape[2] > 4096:
        raise InputError(f"heatmaps have shape {maps.shape}; expected a side from 1 to 4096 cells.")
    keypoints = check_out(out, (*maps.shape[:2], 3), heatmaps)
    _operations().decode(maps, keypoints, crop_units)
    _refuse_unless_finite(keypoints[..., 2], "heatmap", "the pose network or its input is broken")
    return keypoints


def segments(
    keypoints: Floats,
    *,
    size: int = IMAGE_SIZE,
    threshold: float = SEGMENT_CONFIDENCE,
    out: Floats | None = None,
) -> Floats:
    """Return the 13 segments between the keypoints as masks.

    A segment is drawn if all four of its keypoints have at least the confidence `threshold` and its outline
    is strictly convex; it then covers the pixels whose centres lie inside or on the outline, whose corners
    are not rounded. This is the `unified` geometry's drawing.

    Args:
        keypoints: (N, 36, 3) float32 x, y in crop units (they may lie outside 0..1), confidence.
        size: side of the masks, in pixels.
        threshold: the least confidence.
        out: (N, 13, size, size) float32, for the result.

    Returns:
        (N, 13, size, size) float32 of 0 and 1, in the order of `vehicle.SEGMENTS`.

    Raises:
        InputError: a wrong shape or dtype, or a value that is not finite.
    """
    points = _check_keypoints(keypoints)
    side = check_size(size)
    masks = check_out(out, (len(points), NUM_SEGMENTS, side, side), keypoints)
    _operations().segments(points, masks, check_threshold(threshold))
    return masks


def stack(
    images: Floats,
    heatmaps: Floats | None = None,
    segments: Floats | None = None,
    *,
    keypoints: Floats | None = None,
    threshold: float = SEGMENT_CONFIDENCE,
    out: Floats | None = None,
) -> Floats:
    """Return the normalised input of the re-identification network: RGB, heatmaps, segments.

    RGB becomes (v / 255 - mean) / std; heatmaps are clipped to 0..1 and upsampled four times (bilinear,
    half-pixel centres, borders repeated); every channel after RGB becomes (v - 0.449) / 0.226.

    Args:
        images: (N, 3, P, P) float32 RGB, 0..255; P = 256 for the published networks, any multiple of 4.
        heatmaps: (N, K, P / 4, P / 4) float32, or None for a stack without them.
        segments: (N, Q, P, P) float32 of 0 and 1, or None for a stack without them.
        keypoints: (N, 36, 3) float32 as `segments()` takes them, instead of `segments`: the 13 channels are
            then drawn straight into the result.
        threshold: the least confidence, where `keypoints` are given.
        out: (N, C, P, P) float32, for the result.

    Returns:
        (N, C, P, P) float32, C = 3 + K + Q. A NaN of an input stays NaN.

    Raises:
        InputError: shapes or dtypes that are wrong or do not fit, both `segments` and `keypoints`, or
            keypoints that are not finite.
    """
    pictures = check_array(images, "images", ("N", 3, "P", "P"))
    count, _, side, _ = pictures.shape
    if side == 0 or side % 4 or side > LARGEST_SIZE:
        raise InputError(f"images have shape {pictures.shape}; expected a side that is a multiple of 4.")
    if segments is not None and keypoints is not None:
        raise InputError("stack() was given segments and keypoints; expected one of the two.")
    channels = 3
    if heatmaps is not None:
        heatmaps = check_array(heatmaps, "heatmaps", (count, "K", side // 4, side // 4))
        channels += heatmaps.shape[1]
    if segments is not None:
        segments = check_array(segments, "segments", (count, "Q", side, side))
        channels += segments.shape[1]
    if keypoints is not None:
        keypoints = _check_keypoints(keypoints, count)
        channels += NUM_SEGMENTS
    result = check_out(out, (count, channels, side, side), images, heatmaps, segments, keypoints)
    _operations().stack(pictures, heatmaps, segments, keypoints, result, check_threshold(threshold))
    return result


def crop(
    frame: NDArray[np.uint8],
    rectangles: NDArray[np.int32],
    *,
    size: int = IMAGE_SIZE,
    swap_channels: bool = False,
    out: Floats | None = None,
) -> Floats:
    """Return rectangles of a frame, each stretched to a square.

    Bilinear with half-pixel centres, no antialiasing, rounded to whole numbers, the same to the bit as
    `cv2.resize(frame[y1:y2, x1:x2], (size, size), interpolation=cv2.INTER_LINEAR)`.

    Args:
        frame: (H, W, 3) uint8.
        rectangles: (N, 4) int32 x1, y1, x2, y2 inside the frame, right and bottom exclusive (as
            `geometry.crop_rectangles` returns them).
        size: side of the result, in pixels.
        swap_channels: exchange the first and the third channel: RGB out of a BGR frame.
        out: (N, 3, size, size) float32, for the result.

    Returns:
        (N, 3, size, size) float32, whole numbers 0..255.

    Raises:
        InputError: a wrong shape or dtype, or a rectangle that is empty or reaches past the frame.
    """
    check_picture(frame, "the frame")
    boxes = check_array(rectangles, "rectangles", ("N", 4), np.int32)
    height, width = frame.shape[:2]
    outside = (
        (boxes[:, :2] < 0).any(axis=1)
        | (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
        | (boxes[:, 2:] > (width, height)).any(axis=1)
    )
    if outside.any():
        index = int(outside.argmax())
        raise InputError(
            f"rectangle {index} is {boxes[index].tolist()}; expected x1 < x2 and y1 < y2 within the frame of "
            f"{width} x {height} pixels (geometry.crop_rectangles makes such rectangles of boxes)."
        )
    side = check_size(size)
    result = check_out(out, (len(boxes), 3, side, side), frame)
    _operations().crop(frame, boxes, result, swap_channels)
    return result


def resize(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    size: int = IMAGE_SIZE,
    swap_channels: bool = False,
    out: Floats | None = None,
) -> Floats:
    """Return whole pictures, each stretched to a square, with the arithmetic of `crop`.

    Args:
        crops: a sequence of (H, W, 3) uint8 pictures of any sizes, or one (N, H, W, 3) array.
        size: side of the result, in pixels.
        swap_channels: exchange the first and the third channel.
        out: (N, 3, size, size) float32, for the result.

    Returns:
        (N, 3, size, size) float32, whole numbers 0..255.

    Raises:
        InputError: a picture of another form.
    """
    pictures = check_crops(crops)
    side = check_size(size)
    result = check_out(out, (len(pictures), 3, side, side), *pictures)
    _operations().resize(pictures, result, swap_channels)
    return result


def window(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    swap_channels: bool = False,
    out: Floats | None = None,
) -> Floats:
    """Return each picture in the padded square window that the `original` geometry shows its pose network.

    This is `cv2.warpAffine` itself, with `geometry.window_matrix`, bilinear, black outside.

    Args:
        crops: a sequence of (H, W, 3) uint8 pictures of any sizes, or one (N, H, W, 3) array.
        swap_channels: exchange the first and the third channel.
        out: (N, 3, 256, 256) float32, for the result.

    Returns:
        (N, 3, 256, 256) float32, whole numbers 0..255.

    Raises:
        InputError: a picture of another form.
    """
    pictures = check_crops(crops)
    result = check_out(out, (len(pictures), 3, IMAGE_SIZE, IMAGE_SIZE), *pictures)
    for index, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        warped = cv2.warpAffine(
            picture, window_matrix(width, height), (IMAGE_SIZE, IMAGE_SIZE), flags=cv2.INTER_LINEAR
        )
        result[index] = np.moveaxis(warped[..., ::-1] if swap_channels else warped, -1, 0)
    return result


@cache
def _operations() -> _Operations:
    wanted = os.environ.get("PAMTRI_OPS", "")
    if wanted not in ("", "native", "reference"):
        raise InputError(f"PAMTRI_OPS is {wanted!r}; accepted: 'native', 'reference', or unset.")
    if wanted == "reference":
        return reference
    try:
        from pamtri_edge.ops import native
    except ImportError as error:
        if wanted == "native":
            raise MissingDependencyError(
                f"PAMTRI_OPS=native, but the compiled operations cannot be loaded ({error}); "
                "reinstall the package with a C++17 compiler at hand: pip install --force-reinstall ."
            ) from error
        return reference
    return native


def _check_keypoints(keypoints: Any, count: int | None = None) -> Floats:
    points = check_array(keypoints, "keypoints", ("N" if count is None else count, NUM_KEYPOINTS, 3))
    _refuse_unless_finite(points, "keypoint", "blank ones have confidence 0, not NaN")
    return points


def _refuse_unless_finite(values: Floats, what: str, hint: str) -> None:
    """Raise if a value of (N, K) or (N, K, 3) is NaN or infinite; name the first vehicle and keypoint."""
    finite = np.isfinite(values)
    if not finite.all():
        vehicle, index = np.argwhere(~finite)[0][:2]
        raise InputError(f"{what} {index} of vehicle {vehicle} holds NaN or infinity; {hint}.")
