# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations in C++ (`kernels/`), with the signatures of `reference`.

Importing this module fails with ImportError where the package was installed without its compiled part.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _native
from pamtri_edge.ops.tables import EXTRA_AFFINE, RGB_AFFINE, SEGMENT_CORNERS

Floats = NDArray[np.float32]

decode, note_nearest, threads = _native.decode, _native.note_nearest, _native.threads


def segments(keypoints: Floats, out: Floats, threshold: float) -> None:
    """Fill (N, 13, size, size) with 1 where a segment covers a pixel's center, else 0."""
    _native.segments(keypoints, SEGMENT_CORNERS, out, threshold)


def stack(
    images: Floats,
    heatmaps: Floats | None,
    drawn: Floats | None,
    keypoints: Floats | None,
    out: Floats,
    threshold: float,
) -> None:
    """Fill (N, C, P, P): normalized RGB, upsampled heatmaps, segments (drawn already, or from keypoints)."""
    _native.stack(
        images, heatmaps, drawn, keypoints, SEGMENT_CORNERS, threshold, RGB_AFFINE, EXTRA_AFFINE, out
    )


def crop(frame: NDArray[np.uint8], rectangles: NDArray[np.int32], out: Floats, swap_channels: bool) -> None:
    """Fill (N, 3, size, size) with the resized rectangles of one frame."""
    _native.crop(_side_by_side(frame), rectangles, out, swap_channels)


def resize(crops: Sequence[NDArray[np.uint8]], out: Floats, swap_channels: bool) -> None:
    """Fill (N, 3, size, size) with the resized pictures."""
    _native.resize([_side_by_side(picture) for picture in crops], out, swap_channels)


def sharpness(crops: Sequence[NDArray[np.uint8]], out: NDArray[np.float64], swap_channels: bool) -> None:
    """Fill (N,) with the detail over contrast of each picture."""
    _native.sharpness([_side_by_side(picture) for picture in crops], out, swap_channels)


def set_threads(count: int | None) -> None:
    """Set how many threads an operation may use; None means every core."""
    _native.set_threads(count or 0)


def _side_by_side(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture whose pixels lie side by side in memory; a rectangle of a larger one does already."""
    if picture.strides[1:] == (3, 1) and picture.strides[0] >= 0:
        return picture
    return np.ascontiguousarray(picture)
