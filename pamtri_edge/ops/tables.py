# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The facts of `vehicle` and `geometry` in the form that the operations take them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, RGB_MEAN, RGB_STD
from pamtri_edge.vehicle import SEGMENTS

SEGMENT_CORNERS: Final[NDArray[np.int32]] = np.array([segment.corners for segment in SEGMENTS], np.int32)
"""(13, 4): the four keypoints of every segment, in order around the outline."""

RGB_AFFINE: Final[NDArray[np.float32]] = np.array(
    [(1 / (255 * std), -mean / std) for mean, std in zip(RGB_MEAN, RGB_STD, strict=True)], np.float32
)
"""(3, 2) scale and bias: (value / 255 - mean) / std as one multiplication and one addition."""

EXTRA_AFFINE: Final[NDArray[np.float32]] = np.array((1 / EXTRA_STD, -EXTRA_MEAN / EXTRA_STD), np.float32)
"""(2,) scale and bias of every heatmap and segment channel."""

for _table in (SEGMENT_CORNERS, RGB_AFFINE, EXTRA_AFFINE):
    _table.flags.writeable = False
