# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations in NumPy, written to be read: what the compiled ones must equal.

Each function fills `out`, which the caller has allocated; arguments are already checked. The arithmetic is
float32 throughout, every step rounded, in the order of `kernels/include/pamtri/*.hpp`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE, SEGMENT_CORNERS

Floats = NDArray[np.float32]

_UPSAMPLING: Final = 4
_WEIGHT_ONE: Final = 2048
_SHARPNESS_SIDE: Final = 64


def decode(heatmaps: Floats, out: Floats, crop_units: bool) -> None:
    """Fill (N, K, 3) x, y, confidence from (N, K, S, S) heatmaps."""
    side = heatmaps.shape[2]
    flat = heatmaps.reshape(-1, side * side)
    maps = np.arange(len(flat))
    cells = flat.argmax(axis=1)  # the first of equals; the first NaN, where there is one
    peaks = flat[maps, cells]
    rows, columns = cells // side, cells % side
    inner = (columns > 1) & (columns < side - 1) & (rows > 1) & (rows < side - 1)

    def quarter_step(distance: int) -> Floats:
        before = flat[maps, np.where(inner, cells - distance, cells)]
        after = flat[maps, np.where(inner, cells + distance, cells)]
        sign = (after > before).astype(np.float32) - (after < before).astype(np.float32)
        step: Floats = np.float32(0.25) * sign
        return step

    places = np.stack([columns + quarter_step(1), rows + quarter_step(side)], axis=1).astype(np.float32)
    if crop_units:
        places = (places + np.float32(0.5)) / np.float32(side)
    places[~(peaks > 0)] = 0.0
    out[...] = np.concatenate([places, peaks[:, None]], axis=1).reshape(out.shape)


def segments(keypoints: Floats, out: Floats, threshold: float) -> None:
    """Fill (N, 13, size, size) with 1 where a segment covers a pixel's center, else 0."""
    size = out.shape[2]
    corners = keypoints[:, SEGMENT_CORNERS]  # (N, 13, 4, 3)
    confident = (corners[..., 2] >= np.float32(threshold)).all(axis=-1)
    centers = np.arange(size, dtype=np.float32) + np.float32(0.5)
    out[...] = 0.0

    with np.errstate(over="ignore", invalid="ignore"):  # corners may lie absurdly far away
        x, y = np.moveaxis(corners[..., :2] * np.float32(size), -1, 0)
        edge_x, edge_y = np.roll(x, -1, axis=-1) - x, np.roll(y, -1, axis=-1) - y
        turns = edge_x * np.roll(edge_y, -1, axis=-1) - edge_y * np.roll(edge_x, -1, axis=-1)
        side = (turns > 0).all(axis=-1).astype(np.float32) - (turns < 0).all(axis=-1).astype(np.float32)
        for vehicle, segment in np.argwhere(confident & (side != 0)):
            inside = np.ones((size, size), bool)
            for corner in range(4):
                at = (vehicle, segment, corner)
                down = (edge_x[at] * side[at[:2]]) * (centers - y[at])
                across = (edge_y[at] * side[at[:2]]) * (centers - x[at])
                inside &= down[:, None] - across[None, :] >= 0
            out[vehicle, segment] = inside


def stack(
    images: Floats,
    heatmaps: Floats | None,
    drawn: Floats | None,
    keypoints: Floats | None,
    out: Floats,
    threshold: float,
) -> None:
    """Fill (N, C, P, P): normalized RGB, upsampled heatmaps, segments (drawn already, or from keypoints)."""
    scale, bias = RGB_AFFINE.T[..., None, None]
    np.multiply(images, scale, out=out[:, :3])
    out[:, :3] += bias
    channel = 3
    if heatmaps is not None:
        for vehicle, k in np.ndindex(heatmaps.shape[:2]):
            out[vehicle, channel + k] = _upsampled(np.clip(heatmaps[vehicle, k], 0, 1))
        channel += heatmaps.shape[1]
    if keypoints is not None:
        segments(keypoints, out[:, channel:], threshold)
    elif drawn is not None:
        out[:, channel:] = drawn
    scale, bias = EXTRA_AFFINE
    out[:, 3:] *= scale
    out[:, 3:] += bias


def crop(frame: NDArray[np.uint8], rectangles: NDArray[np.int32], out: Floats, swap_channels: bool) -> None:
    """Fill (N, 3, size, size) with the resized rectangles of one frame."""
    resize([frame[y1:y2, x1:x2] for x1, y1, x2, y2 in rectangles], out, swap_channels)


def resize(crops: Sequence[NDArray[np.uint8]], out: Floats, swap_channels: bool) -> None:
    """Fill (N, 3, size, size) with the resized pictures."""
    for index, picture in enumerate(crops):
        pixels = _resized(picture, out.shape[2])
        out[index] = np.moveaxis(pixels[..., ::-1] if swap_channels else pixels, -1, 0)


def sharpness(crops: Sequence[NDArray[np.uint8]], out: NDArray[np.float64], swap_channels: bool) -> None:
    """Fill (N,) with the detail over contrast of each picture, at 64x64; 0 without contrast."""
    order = cv2.COLOR_BGR2GRAY if swap_channels else cv2.COLOR_RGB2GRAY
    for index, picture in enumerate(crops):
        small = cv2.resize(picture, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
        gray = cv2.cvtColor(small, order)
        contrast = _spread(gray)
        out[index] = _spread(cv2.Laplacian(gray, cv2.CV_32F)) / contrast if contrast > 0 else 0.0


def note_nearest(
    cosines: Floats,
    first_row: int,
    first_column: int,
    row_best: Floats,
    row_columns: NDArray[np.int32],
    column_best: Floats,
    column_rows: NDArray[np.int32],
) -> None:
    """Note what a tile of cosines (R, C) has that is more alike than what was noted.

    Of equals the one that was noted first stays, then the first. Cosines above 1, as rounding has it, count
    as 1; the tile is scratch.

    Args:
        cosines: (R, C), of some of a first set with some of a second.
        first_row: number of the first row in its set.
        first_column: number of the first column in its set.
        row_best: (R,) the largest cosine so far of each row.
        row_columns: (R,) int32 number of the column that has it.
        column_best: (C,) the largest so far of each column.
        column_rows: (C,) int32 number of the row that has it.
    """
    np.minimum(cosines, 1.0, out=cosines)
    columns, rows = cosines.argmax(axis=1), cosines.argmax(axis=0)
    most = cosines[np.arange(len(cosines)), columns]
    better = most > row_best
    row_best[better], row_columns[better] = most[better], columns[better] + first_column
    most = cosines[rows, np.arange(cosines.shape[1])]
    better = most > column_best
    column_best[better], column_rows[better] = most[better], rows[better] + first_row


def threads() -> int:
    """Return 1: NumPy does these on the calling thread."""
    return 1


def set_threads(count: int | None) -> None:
    """Accept any number: there is one thread."""


def _spread(values: NDArray[Any]) -> float:
    """Return the standard deviation of whole numbers times their count; every step but the last is exact."""
    whole = values.astype(np.int64)
    return math.sqrt(whole.size * int(np.square(whole).sum()) - int(whole.sum()) ** 2)


def _upsampled(heatmap: Floats) -> Floats:
    """Return a heatmap four times as large: bilinear, half-pixel centers, along rows first."""
    side = len(heatmap)
    shifted = np.arange(side * _UPSAMPLING) + _UPSAMPLING // 2
    second = np.clip(shifted // _UPSAMPLING, 0, side - 1)
    first = np.clip(shifted // _UPSAMPLING - 1, 0, side - 1)
    weight = (np.float32(0.125) + np.float32(0.25) * (shifted % _UPSAMPLING)).astype(np.float32)
    rest = np.float32(1.0) - weight
    along = heatmap[:, first] * rest + heatmap[:, second] * weight
    upsampled: Floats = along[first] * rest[:, None] + along[second] * weight[:, None]
    return upsampled


def _resized(picture: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
    """Return (size, size, 3) pixels in OpenCV's fixed-point arithmetic (see `pamtri/crop.hpp`)."""
    top, bottom, top_weight, bottom_weight = _taps(size, picture.shape[0], column=False)
    left, right, left_weight, right_weight = _taps(size, picture.shape[1], column=True)

    def blended_along(rows: NDArray[np.int32]) -> NDArray[np.int32]:
        pixels = picture[rows].astype(np.int32)
        return (pixels[:, left] * left_weight[:, None] + pixels[:, right] * right_weight[:, None]) >> 4

    upper = (blended_along(top) * top_weight[:, None, None]) >> 16
    lower = (blended_along(bottom) * bottom_weight[:, None, None]) >> 16
    return (upper + lower + 2) >> 2


def _taps(size: int, extent: int, *, column: bool) -> tuple[NDArray[np.int32], ...]:
    """Return, for each output line, its two source lines and their weights of 1/2048."""
    scale = 1.0 / (size / extent)
    place = ((np.arange(size) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(place).astype(np.int32)
    fraction = place - first.astype(np.float32)
    if column:
        fraction[(first < 0) | (first >= extent - 1)] = 0.0
    one = np.float32(_WEIGHT_ONE)
    return (
        np.clip(first, 0, extent - 1),
        np.clip(first + 1, 0, extent - 1),
        np.rint((np.float32(1.0) - fraction) * one).astype(np.int32),
        np.rint(fraction * one).astype(np.int32),
    )
