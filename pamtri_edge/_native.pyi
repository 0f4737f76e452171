# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled module (kernels/bindings.cpp); arrays are checked by `pamtri_edge.ops`, not here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def threads() -> int: ...
def set_threads(count: int) -> None: ...
def use_plain_loops(plain: bool) -> None: ...
def decode(heatmaps: NDArray[np.float32], out: NDArray[np.float32], crop_units: bool) -> None: ...
def segments(
    keypoints: NDArray[np.float32], corners: NDArray[np.int32], out: NDArray[np.float32], threshold: float
) -> None: ...
def stack(
    images: NDArray[np.float32],
    heatmaps: NDArray[np.float32] | None,
    segments: NDArray[np.float32] | None,
    keypoints: NDArray[np.float32] | None,
    corners: NDArray[np.int32],
    threshold: float,
    rgb_affine: NDArray[np.float32],
    extra_affine: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None: ...
def resize(crops: Sequence[NDArray[np.uint8]], out: NDArray[np.float32], swap_channels: bool) -> None: ...
def crop(
    frame: NDArray[np.uint8],
    rectangles: NDArray[np.int32],
    out: NDArray[np.float32],
    swap_channels: bool,
) -> None: ...
def sharpness(crops: Sequence[NDArray[np.uint8]], out: NDArray[np.float64], swap_channels: bool) -> None: ...
def planar_to_rgb(
    luma: NDArray[np.uint8],
    u: NDArray[np.uint8],
    v: NDArray[np.uint8],
    out: NDArray[np.uint8],
    kr: float,
    kb: float,
    full: bool,
    on_column: bool,
    on_row: bool,
) -> None: ...
def note_nearest(
    cosines: NDArray[np.float32],
    first_row: int,
    first_column: int,
    row_best: NDArray[np.float32],
    row_columns: NDArray[np.int32],
    column_best: NDArray[np.float32],
    column_rows: NDArray[np.int32],
) -> None: ...
