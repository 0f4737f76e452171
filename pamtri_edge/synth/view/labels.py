# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is written about a rendered vehicle: keypoints, who sees them, segments, box."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.view.camera import Camera
from pamtri_edge.synth.view.filters import resized
from pamtri_edge.synth.view.raster import Bytes, Floats, Model, Samples
from pamtri_edge.vehicle import NUM_KEYPOINTS

Flags = NDArray[np.bool_]

_TOLERANCE: Final = 0.022
"""Of depth, as a share of the vehicle's length: keypoints lie on rounded edges, a little inside."""
_LEAST_TOLERANCE: Final = 0.06
_MOST_TOLERANCE: Final = 0.16
_REACH: Final = 0.009
"""Half of the window around a keypoint in which a sample may see it, as a share of the picture."""

_LEFT: Final = 18
_SIDE_ANGLE: Final = (
    20.0, 26.0, 15.0, -1.0, 6.0, 21.0, 21.0, 8.0, 2.0,
    15.0, 12.0, -6.0, -9.0, -90.0, -90.0, -17.0, -12.0, 9.0,
)  # fmt: skip
"""A keypoint of a side is marked where the camera stands at least so many degrees round to that side, from
dead ahead or astern; those of the roof, 13 and 14, always. Both rows were fitted to how often VeRi's labels
mark each keypoint on the left and on the right, with cameras at the azimuths of its labels."""
_END_ANGLE: Final = (
    10.0, 15.0, 85.0, 80.0, 30.0, 15.0, 15.0, 30.0, 25.0,
    25.0, 85.0, 65.0, 65.0, 0.0, 0.0, 55.0, 70.0, 85.0,
)  # fmt: skip
"""Or where it stands at most so many degrees from dead ahead (front keypoints) or astern (rear ones)."""
_FRONT: Final = (False, True, True, True, True, True, *(False,) * 8, True, True, True, True)


def visible_by_depth(
    points: NDArray[np.floating], model: Model, camera: Camera, samples: Samples, hidden: Floats
) -> Flags:
    """Return (36,) whether nothing stands before each keypoint, which lies in the picture.

    A keypoint is seen if, within about two samples of it, one sees a surface no nearer than the keypoint
    less a tolerance of 2 % of the vehicle's length.

    Args:
        points: (36, 3) float64 of `camera.project`: x, y in samples, 1 / depth.
        model: the vehicle.
        camera: whose pixels are the samples.
        samples: with everything drawn.
        hidden: (S, S) float32 0..1: what is pasted before the picture, at any scale.
    """
    height, width = samples.inverse_depth.shape
    x, y = np.floor(points[:, 0]).astype(int), np.floor(points[:, 1]).astype(int)
    inside = (points[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    reach = max(1, round(_REACH * width * 0.5))
    steps = np.arange(-reach, reach + 1)
    rows = np.clip(y[:, None] + steps, 0, height - 1)
    columns = np.clip(x[:, None] + steps, 0, width - 1)
    nearby = samples.inverse_depth[rows[:, :, None], columns[:, None, :]].reshape(len(points), -1)
    tolerance = float(np.clip(_TOLERANCE * model.mesh.length, _LEAST_TOLERANCE, _MOST_TOLERANCE))
    depth = 1.0 / np.maximum(points[:, 2], 1e-6)
    reached = nearby.min(axis=1) <= 1.0 / np.maximum(depth - tolerance, 0.05)
    scale_y, scale_x = hidden.shape[0] / height, hidden.shape[1] / width
    hy = np.clip(points[:, 1] * scale_y, 0, hidden.shape[0] - 1).astype(int)
    hx = np.clip(points[:, 0] * scale_x, 0, hidden.shape[1] - 1).astype(int)
    seen: Flags = inside & reached & (hidden[hy, hx] < 0.5)
    return seen


def visible_as_veri(azimuth: float, points: NDArray[np.floating]) -> Flags:
    """Return (36,) the flags that VeRi's labels would have.

    They follow from where the camera stands, not from what is in the way: roof corners are always marked, a
    keypoint of a side as soon as the side is in view, one of an end also from that end.

    Args:
        azimuth: of the camera, degrees.
        points: (36, 2) keypoints in crop units; those far outside the crop are not marked.
    """
    seen = np.zeros(NUM_KEYPOINTS, np.bool_)
    turn = math.radians(azimuth)
    ahead = math.degrees(math.acos(max(-1.0, min(1.0, math.cos(turn)))))  # 0 ahead, 180 astern
    for k in range(_LEFT):
        for side in (0, 1):
            beside = math.degrees(math.asin(math.sin(turn))) * (1 - 2 * side)  # -90..90, positive: this side
            from_end = ahead if _FRONT[k] else 180.0 - ahead
            seen[k + side * _LEFT] = beside >= _SIDE_ANGLE[k] or from_end <= _END_ANGLE[k]
    inside = (points > -0.02).all(axis=1) & (points < 1.02).all(axis=1)
    return np.logical_and(seen, inside)


def part_map(model: Model, samples: Samples, instance: int, hidden: Floats, size: int) -> Bytes:
    """Return (size, size) uint8: which of the 13 segments each pixel shows, 255 for none."""
    side = samples.instance.shape[0]
    pick = (np.arange(size) * 2 + 1) * side // (2 * size)
    shown = samples.instance.take(pick, 0).take(pick, 1) == instance
    triangles = np.where(shown, samples.triangle.take(pick, 0).take(pick, 1), 0)
    covered = resized(hidden, size, size) >= 0.5
    parts: Bytes = np.where(shown & ~covered, model.mesh.part[triangles], np.uint8(NO_PART))
    return parts


def box_of(shown: Flags) -> tuple[float, float, float, float]:
    """Return x1, y1, x2, y2 around the marked samples as shares of the picture; all 0 where none is."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        return (0.0, 0.0, 0.0, 0.0)
    height, width = shown.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )
