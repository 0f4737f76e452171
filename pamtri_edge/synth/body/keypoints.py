# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The 36 keypoints and the 13 segments on a vehicle's surface: by construction, never placed by hand.

On vehicles that the drawing of the paper does not show, this is what they mean. Trucks: 14 and 15 are the
cab's, 13 the box's upper rear edge, 12 half way down it, 11 its lower edge, 10 the bar below; the rear wheel
and its arch are those of the rearmost axle. On a tank 13 to 11 lie on the rim of its end, on a mixer 13 and
12 on the hopper and 11 on the frame; where nothing is loaded they share the frame's end. Pickups: 12 to 11
span the bed. Buses: 12 and 11 are the rear window's foot and the edge of the engine cover.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.assembly import grid_triangles
from pamtri_edge.synth.body.box import PART, box_of
from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.body.wheels import wheel_y
from pamtri_edge.vehicle import KEYPOINT_NAMES, NUM_KEYPOINTS

HALF: Final = NUM_KEYPOINTS // 2
_SIDE_NAMES: Final = tuple(name.removeprefix("left_") for name in KEYPOINT_NAMES[:HALF])
_INDEX: Final = {name: index for index, name in enumerate(_SIDE_NAMES)}

_ARCH_ANGLES: Final = {"front_bottom": -12.0, "front_top": 48.0, "rear_top": 132.0, "rear_bottom": 192.0}
"""Degrees around the axle: 0 forward, 90 up."""

_INBOARD: Final = {
    "windshield_top": 0.88,
    "rear_window_top": 0.88,
    "rear_window_bottom": 0.91,
    "trunk_rear_edge": 0.93,
    "windshield_bottom": 0.96,
}
"""Fraction of the half width at which labeled vehicles have these points: the windows' corners, not the
body's. The others lie on the rounded edge itself."""

_BAND: Final = (
    ("hood_front", "front_face"),
    ("windshield_bottom", "hood"),
    ("windshield_top", "windshield"),
    ("rear_window_top", "roof"),
    ("rear_window_bottom", "rear_window"),
    ("trunk_rear_edge", "trunk"),
    ("rear_bumper_bottom", "rear_face"),
)
"""The band's segments: each ends at a keypoint's row."""


def keypoints_of(draft: Draft) -> Floats:
    """Return (36, 3) the keypoints."""
    left = np.zeros((HALF, 3))
    axle, radius = draft.frame.front_axle, draft.spec.shape.wheel_radius
    front_y, rear_y = wheel_y(draft)
    left[_INDEX["front_wheel"]] = axle, front_y, radius
    left[_INDEX["rear_wheel"]] = -axle, rear_y, radius
    for name, x in (("front_arch", axle), ("rear_arch", -axle)):
        for place, angle in _ARCH_ANGLES.items():
            left[_INDEX[f"{name}_{place}"]] = _arch(draft, x, angle)
    for name, row in draft.outline.rows.items():
        left[_INDEX[name]] = _on_row(draft, row, _INBOARD.get(name))
    if draft.has_box:
        box = box_of(draft)
        assert draft.spec.cargo is not None
        corners = box.corners(draft.spec.cargo.kind)
        for name, corner in zip(
            ("rear_window_top", "rear_window_bottom", "trunk_rear_edge"), corners, strict=True
        ):
            left[_INDEX[name]] = box.rear, *corner
        left[_INDEX["rear_bumper_bottom"]] = box.rear - 0.03, box.half_width * 0.95, box.bar
    return np.concatenate([left, left * np.array([1.0, -1.0, 1.0])])


def _on_row(draft: Draft, row: int, share: float | None) -> Floats:
    """Return the place on the left half of a row of the band, at a share of its half width."""
    points = draft.skin.band[row]
    if share is None:
        return np.asarray(points[draft.skin.edge_column])
    y = share * points[-1, 1]
    return np.array([np.interp(y, points[:, 1], points[:, 0]), y, np.interp(y, points[:, 1], points[:, 2])])


def _arch(draft: Draft, axle: float, angle: float) -> Floats:
    shape = draft.spec.shape
    bare = draft.has_box and axle < 0  # a truck's rear wheels turn in the open: their tyres stand for arches
    radius = shape.wheel_radius + (0.0 if bare else shape.arch_gap)
    x = axle + radius * np.cos(np.radians(angle))
    z = max(shape.wheel_radius + radius * np.sin(np.radians(angle)), draft.frame.sill)
    if bare:
        return np.array([x, wheel_y(draft)[1], z])
    inner = max(x, draft.frame.body_rear + 0.3)
    return np.array([x, float(draft.section.half_width(np.array(inner), np.array(z))), z])


def band_parts(draft: Draft) -> NDArray[np.uint8]:
    """Return the segment of each quad of the band's grid."""
    rows, columns = draft.skin.band.shape[:2]
    part = np.full(rows - 1, PART["rear_face"], np.uint8)
    start = 0
    for name, segment in _BAND:
        end = draft.outline.rows[name]
        part[start:end] = PART[segment]
        start = end
    if draft.has_box:  # the wall behind the cab is nobody's: these segments lie on the box
        part[draft.outline.rows["rear_window_top"] :] = NO_PART
    return np.repeat(part[:, None], columns - 1, axis=1)


def side_parts(draft: Draft, sign: int, keypoints: Floats) -> NDArray[np.uint8]:
    """Return the segment of each triangle of one side's grid: front fender, doors, rear fender or none.

    The lines between them are those of the drawing: from the sill's front end to the windshield's foot, and
    from its rear end to the rear window's foot; above the belt between these two, no segment.
    """
    side = draft.skin.side
    rows, columns = side.shape[:2]
    triangles = grid_triangles(rows, columns)
    center = side.reshape(-1, 3)[triangles].mean(axis=1)
    x, z = center[:, 0], center[:, 2]
    place = {name: keypoints[_INDEX[name]] for name in _SIDE_NAMES}
    fore = _x_on_line(place["front_arch_rear_bottom"], place["windshield_bottom"], z)
    aft = _x_on_line(place["rear_arch_front_bottom"], place["rear_window_bottom"], z)
    if draft.has_box:
        aft = np.full_like(z, draft.frame.body_rear - 1.0)
    prefix = "left" if sign > 0 else "right"
    part = np.full(len(x), PART[f"{prefix}_doors"], np.uint8)
    part[x > fore] = PART[f"{prefix}_front_fender"]
    part[x < aft] = PART[f"{prefix}_rear_fender"]
    first, last = place["windshield_bottom"], place["rear_window_bottom"]
    share = np.clip((first[0] - x) / max(first[0] - last[0], 1e-6), 0, 1)
    part[z > first[2] + (last[2] - first[2]) * share + 0.04] = NO_PART
    return part


def _x_on_line(low: Floats, high: Floats, z: Floats) -> Floats:
    share = np.clip((z - low[2]) / max(high[2] - low[2], 1e-6), -1.0, 1.0)
    return np.asarray(low[0] + (high[0] - low[0]) * share)
