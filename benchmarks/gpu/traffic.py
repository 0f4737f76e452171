# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The bytes that an operation cannot do without: each input value once, each output value once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.geometry import HEATMAP_SIZE, IMAGE_SIZE
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS

_FLOAT = 4


@dataclass(frozen=True)
class Traffic:
    """Bytes that must be read, and bytes that must be written."""

    read: int
    written: int

    @property
    def total(self) -> int:
        """Bytes both ways, as a copy of half as many moves them."""
        return self.read + self.written


def decode(vehicles: int, *, item: int) -> Traffic:
    """Return the traffic of decode on heatmaps of so many bytes a value."""
    maps = vehicles * NUM_KEYPOINTS
    return Traffic(maps * HEATMAP_SIZE**2 * item, maps * 3 * _FLOAT)


def stack(
    vehicles: int, *, image_item: int, heatmap_item: int, out_item: int, segments: bool = False
) -> Traffic:
    """Return the traffic of stack: RGB, heatmaps and keypoints in, all channels out."""
    channels = 3 + NUM_KEYPOINTS + NUM_SEGMENTS * segments
    plane = IMAGE_SIZE**2
    read = 3 * plane * image_item + NUM_KEYPOINTS * HEATMAP_SIZE**2 * heatmap_item
    read += NUM_KEYPOINTS * 3 * _FLOAT * segments
    return Traffic(vehicles * read, vehicles * channels * plane * out_item)


def segments(vehicles: int, *, size: int, item: int) -> Traffic:
    """Return the traffic of segments: keypoints in, masks out."""
    return Traffic(vehicles * NUM_KEYPOINTS * 3 * _FLOAT, vehicles * NUM_SEGMENTS * size**2 * item)


def crop(rectangles: NDArray[np.int32], *, pixel_format: str, out_item: int) -> Traffic:
    """Return the traffic of crop: each pixel of the frame that a rectangle covers once, all pictures out.

    Args:
        rectangles: (N, 4) int32 x1, y1, x2, y2; at most twice as large as the result, so that all their
            pixels are read.
        pixel_format: "rgb" (3 bytes a pixel), "rgba" (4), or "nv12" (1, and 2 for each 2 by 2 pixels).
        out_item: bytes of a value of the result.
    """
    right, bottom = (int(edge) for edge in rectangles[:, 2:].max(axis=0))
    covered = np.zeros((bottom + bottom % 2, right + right % 2), bool)
    for x1, y1, x2, y2 in rectangles:
        covered[y1:y2, x1:x2] = True
    pixels = int(covered.sum())
    if pixel_format == "nv12":
        pairs = covered[::2, ::2] | covered[1::2, ::2] | covered[::2, 1::2] | covered[1::2, 1::2]
        read = pixels + 2 * int(pairs.sum())
    else:
        read = pixels * {"rgb": 3, "rgba": 4}[pixel_format]
    return Traffic(read, len(rectangles) * 3 * IMAGE_SIZE**2 * out_item)
