# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints head and rear lamps, on the faces and where they reach round the corners.

A lamp's outline is given in a unit square: across from its inner end (0) to the vehicle's corner (1), upward
from its lower edge (0) to its upper (1). Left and right lamps are mirror images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pamtri_edge.synth.body.draft import FRONT, REAR, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import Canvas, Point

_Outline = tuple[Point, ...]

HEADLAMPS: Final[dict[str, tuple[_Outline, ...]]] = {
    "swept": (((0.0, 0.55), (0.12, 0.12), (0.6, 0.0), (1.1, 0.25), (1.1, 1.0), (0.3, 0.82)),),
    "rectangle": (((0.0, 0.0), (1.1, 0.0), (1.1, 1.0), (0.0, 1.0)),),
    "trapezoid": (((0.10, 0.0), (1.1, 0.1), (1.1, 1.0), (0.0, 0.9)),),
    "slim": (((0.0, 0.40), (0.1, 0.25), (1.1, 0.45), (1.1, 1.0), (0.0, 0.72)),),
    "almond": (((0.0, 0.30), (0.3, 0.0), (0.7, 0.05), (1.1, 0.4), (1.1, 0.95), (0.6, 1.0), (0.2, 0.7)),),
    "triangle": (((0.0, 0.95), (0.25, 0.35), (1.1, 0.0), (1.1, 1.0)),),
    "hook": (((0.0, 0.75), (0.5, 0.55), (0.62, 0.0), (1.1, 0.0), (1.1, 1.0), (0.0, 0.95)),),
    "vertical": (((0.42, 0.0), (1.1, 0.0), (1.1, 1.0), (0.32, 1.0)),),
    "boomerang": (((0.0, 0.2), (0.35, 0.0), (0.8, 0.35), (1.1, 0.8), (1.1, 1.0), (0.6, 0.85), (0.1, 0.5)),),
    "split": (
        ((0.05, 0.78), (1.1, 0.86), (1.1, 1.0), (0.0, 0.98)),
        ((0.35, 0.0), (0.95, 0.05), (0.95, 0.55), (0.30, 0.5)),
    ),
    "stacked": (
        ((0.15, 0.54), (1.1, 0.54), (1.1, 1.0), (0.10, 1.0)),
        ((0.15, 0.0), (1.1, 0.0), (1.1, 0.46), (0.15, 0.46)),
    ),
    "round": (),
    "twin_round": (),
    "bug_eye": (),
}
"""Polygons of each kind of headlamp; the round ones are drawn as circles."""

_ROUND: Final[dict[str, tuple[tuple[float, float, float], ...]]] = {
    "round": ((0.5, 0.5, 0.5),),
    "twin_round": ((0.30, 0.5, 0.36), (0.78, 0.5, 0.40)),
    "bug_eye": ((0.5, 0.5, 0.62),),
    "round_pair": ((0.28, 0.5, 0.46), (0.74, 0.5, 0.46)),
    "round_one": ((0.5, 0.5, 0.5),),
    "round_stack": ((0.6, 0.75, 0.24), (0.6, 0.25, 0.24)),
}
"""Centers (across, upward) and radii, in heights of the lamp."""

TAILLAMPS: Final[dict[str, tuple[_Outline, ...]]] = {
    "horizontal": (((0.0, 0.0), (1.1, 0.0), (1.1, 1.0), (0.05, 0.95)),),
    "wedge": (((0.0, 0.75), (0.2, 0.25), (1.1, 0.0), (1.1, 1.0), (0.1, 1.0)),),
    "square": (((0.30, 0.0), (1.1, 0.0), (1.1, 1.0), (0.30, 1.0)),),
    "vertical": (((0.52, 0.0), (1.1, 0.0), (1.1, 1.0), (0.60, 1.0)),),
    "tall": (((0.66, 0.0), (1.1, 0.0), (1.1, 1.0), (0.76, 1.0)),),
    "bar": (((-3.0, 0.35), (0.4, 0.35), (0.55, 0.0), (1.1, 0.0), (1.1, 1.0), (-3.0, 1.0)),),
    "thin_bar": (((-3.0, 0.55), (1.1, 0.4), (1.1, 1.0), (-3.0, 0.9)),),
    "l_shape": (((0.0, 0.62), (0.62, 0.62), (0.70, 0.0), (1.1, 0.0), (1.1, 1.0), (0.0, 1.0)),),
    "c_shape": (
        (
            (0.1, 0.72),
            (0.1, 1.0),
            (1.1, 1.0),
            (1.1, 0.0),
            (0.3, 0.0),
            (0.3, 0.26),
            (0.78, 0.26),
            (0.78, 0.72),
        ),
    ),
    "triangle": (((0.05, 1.0), (0.5, 0.1), (1.1, 0.0), (1.1, 1.0)),),
    "slim": (((0.0, 0.45), (0.4, 0.2), (1.1, 0.15), (1.1, 0.75), (0.3, 0.8)),),
    "boomerang": (((0.0, 1.0), (0.45, 0.45), (0.5, 0.0), (1.1, 0.0), (1.1, 0.9), (0.6, 1.0)),),
    "two_bars": (
        ((0.05, 0.6), (1.1, 0.55), (1.1, 1.0), (0.0, 1.0)),
        ((0.15, 0.0), (1.1, 0.0), (1.1, 0.40), (0.10, 0.42)),
    ),
    "round_pair": (),
    "round_one": (),
    "round_stack": (),
}
"""Polygons of each kind of rear lamp; `bar` and `thin_bar` reach over the whole width."""

_SIDE: Final[dict[str, tuple[float, float, float]]] = {
    "swept": (0.25, 1.0, 0.95),
    "slim": (0.45, 1.0, 0.85),
    "almond": (0.40, 0.95, 0.75),
    "triangle": (0.0, 1.0, 0.95),
    "boomerang": (0.5, 1.0, 0.9),
    "split": (0.86, 1.0, 0.95),
    "thin_bar": (0.4, 1.0, 0.7),
    "wedge": (0.0, 1.0, 0.6),
    "l_shape": (0.0, 1.0, 0.5),
}
"""Where a lamp's lower and upper edge meet the corner, and the height of its point on the side."""


@dataclass(frozen=True)
class _Place:
    """Where the unit square of a lamp lies: y of its inner end and of the corner, z of its edges."""

    inner: float
    corner: float
    low: float
    high: float
    slant: float = 0.0

    def at(self, point: Point, sign: int) -> Point:
        across, up = point
        y = self.inner + across * (self.corner - self.inner)
        z = self.low + up * (self.high - self.low) + self.slant * (across - 0.5)
        return sign * y, z


def headlamp_height(draft: Draft) -> tuple[float, float]:
    """Return z of the headlamps' lower and upper edge."""
    top = draft.spec.shape.hood_front_z - draft.spec.front.lamp_top
    if draft.spec.bus is not None:
        top = draft.frame.sill + 0.55
    return top - draft.spec.front.lamp_height, top


def paint_headlamps(draft: Draft) -> None:
    """Paint both headlamps on the front face."""
    front, canvas = draft.spec.front, draft.sheets[FRONT]
    low, high = headlamp_height(draft)
    place = _Place(front.lamp_inner * draft.face, draft.face, low, high, front.lamp_slant)
    dark = front.lamp_housing == "dark"
    housing = (0.30, 0.31, 0.33) if dark else (0.92, 0.95, 1.0)
    for sign in (1, -1):
        if front.lamp in _ROUND:
            for across, up, radius in _ROUND[front.lamp]:
                center = place.at((across, up), sign)
                size = radius * front.lamp_height
                _lens(canvas, center, size, housing, ring=True)
            continue
        for outline in HEADLAMPS[front.lamp]:
            points = [place.at(point, sign) for point in outline]
            canvas.path([*points, points[0]], 0.016, Material.SEAM)
            canvas.polygon(points, Material.HEADLAMP, tint=housing)
        _lenses(canvas, place, sign, front.lamp_lenses, dark)
        _daylight(canvas, place, sign, front.drl)


def _lens(canvas: Canvas, center: Point, size: float, housing: Sequence[float], *, ring: bool) -> None:
    if ring:
        canvas.ellipse(center, (size * 1.12, size * 1.12), Material.CHROME)
    canvas.ellipse(center, (size, size), Material.HEADLAMP, tint=housing)
    canvas.ellipse(
        center, (size * 0.55, size * 0.55), Material.HEADLAMP, tint=[0.55 * one for one in housing]
    )
    canvas.ellipse(center, (size * 0.3, size * 0.3), Material.HEADLAMP, tint=(1.7, 1.75, 1.8))


def _lenses(canvas: Canvas, place: _Place, sign: int, count: int, dark: bool) -> None:
    height = place.high - place.low
    size = min(0.34 * height, 0.06)
    for index in range(count):
        across = 0.42 + 0.26 * index if count > 1 else 0.55
        center = place.at((across, 0.5), sign)
        rim = (0.12, 0.12, 0.13) if dark else (0.35, 0.36, 0.38)
        lamp = (Material.HEADLAMP,)
        canvas.ellipse(center, (size, size), Material.HEADLAMP, tint=rim, only=lamp)
        canvas.ellipse(center, (size * 0.66,) * 2, Material.HEADLAMP, tint=(1.5, 1.55, 1.65), only=lamp)


def _daylight(canvas: Canvas, place: _Place, sign: int, pattern: str) -> None:
    """Draw the daytime lights: bright lines inside the lamp."""
    strips: dict[str, tuple[tuple[Point, ...], ...]] = {
        "none": (),
        "foot": (((0.05, 0.22), (0.6, 0.12), (1.05, 0.35)),),
        "brow": (((0.05, 0.82), (0.5, 0.88), (1.05, 0.92)),),
        "hook": (((0.15, 0.85), (0.15, 0.25), (0.75, 0.18)),),
        "tick": (((0.2, 0.5), (0.4, 0.2), (1.0, 0.8)),),
        "bars": (((0.25, 0.25), (0.25, 0.8)), ((0.5, 0.2), (0.5, 0.85)), ((0.75, 0.25), (0.75, 0.9))),
        "frame": (((0.08, 0.3), (0.9, 0.15), (0.95, 0.88), (0.2, 0.78)),),
    }
    lamp = (Material.HEADLAMP,)
    for strip in strips[pattern]:
        points = [place.at(point, sign) for point in strip]
        canvas.path(points, 0.018, Material.HEADLAMP, tint=1.99, only=lamp)
    if pattern in ("none", "foot", "tick"):
        canvas.polygon(
            [place.at(point, sign) for point in ((0.88, 0.3), (1.08, 0.3), (1.08, 0.7), (0.92, 0.7))],
            Material.INDICATOR,
            only=lamp,
        )


def paint_taillamps(draft: Draft) -> None:
    """Paint both rear lamps on the rear face."""
    rear, canvas = draft.spec.rear, draft.sheets[REAR]
    place = _Place(rear.lamp_inner * draft.back, draft.back, rear.lamp_top - rear.lamp_height, rear.lamp_top)
    shade = 1.0 - 0.65 * rear.lamp_smoked
    tint = shade
    for sign in (1, -1):
        if rear.lamp in _ROUND:
            for index, (across, up, radius) in enumerate(_ROUND[rear.lamp]):
                center = place.at((across, up), sign)
                size = radius * rear.lamp_height
                canvas.ellipse(center, (size * 1.15,) * 2, Material.PLASTIC)
                canvas.ellipse(center, (size, size), Material.TAILLAMP, tint=tint)
                inner = (
                    Material.INDICATOR if index and rear.lamp_pattern == "amber_low" else Material.TAILLAMP
                )
                canvas.ellipse(center, (size * 0.45,) * 2, inner, tint=1.5)
            continue
        for outline in TAILLAMPS[rear.lamp]:
            points = [place.at(point, sign) for point in outline]
            if rear.lamp not in ("bar", "thin_bar"):
                canvas.path([*points, points[0]], 0.014, Material.SEAM)
            canvas.polygon(points, Material.TAILLAMP, tint=tint)
        _tail_pattern(canvas, place, sign, rear.lamp_pattern)


def _tail_pattern(canvas: Canvas, place: _Place, sign: int, pattern: str) -> None:
    """Divide a rear lamp. Its white parts are MATTE: a reversing lamp does not shine as headlamps do."""
    lamp = (Material.TAILLAMP,)
    fields: dict[str, tuple[tuple[Point, Point, Material, float], ...]] = {
        "plain": (),
        "white_low": (((-0.1, 0.0), (1.2, 0.30), Material.MATTE, 0.8),),
        "white_mid": (((-0.1, 0.36), (1.2, 0.62), Material.MATTE, 0.8),),
        "amber_top": (((-0.1, 0.68), (1.2, 1.1), Material.INDICATOR, 0.9),),
        "amber_low": (((0.3, 0.0), (1.2, 0.32), Material.INDICATOR, 0.9),),
        "amber_out": (((0.78, -0.1), (1.2, 1.1), Material.INDICATOR, 0.9),),
        "white_in": (((-0.1, -0.1), (0.32, 1.1), Material.MATTE, 0.8),),
        "clear": (
            ((-0.1, -0.1), (1.2, 0.5), Material.MATTE, 0.7),
            ((0.5, 0.1), (0.8, 0.4), Material.TAILLAMP, 1.2),
        ),
        "led": (
            ((-0.1, 0.18), (1.2, 0.30), Material.TAILLAMP, 1.9),
            ((-0.1, 0.66), (1.2, 0.78), Material.TAILLAMP, 1.9),
        ),
        "bright_rim": (((0.30, 0.25), (0.9, 0.75), Material.TAILLAMP, 0.45),),
    }
    for (a0, b0), (a1, b1), material, tint in fields[pattern]:
        corners = [place.at(point, sign) for point in ((a0, b0), (a1, b0), (a1, b1), (a0, b1))]
        white = material is Material.MATTE
        canvas.polygon(
            corners,
            material,
            tint=None if white else tint,
            albedo=(0.50, 0.50, 0.52) if white else None,
            only=lamp,
        )


def paint_lamps_on_side(draft: Draft, canvas: Canvas) -> None:
    """Paint the parts of all lamps that reach round the corners onto one side."""
    front, rear = draft.spec.front, draft.spec.rear
    low, high = headlamp_height(draft)
    if front.lamp not in _ROUND and front.lamp_wrap > 0:
        dark = front.lamp_housing == "dark"
        tint = (0.30, 0.31, 0.33) if dark else (0.92, 0.95, 1.0)
        points = _wrap(front.lamp, low, high, front.lamp_slant * 0.5, front.lamp_wrap, 1, draft)
        canvas.path([*points, points[0]], 0.014, Material.SEAM)
        canvas.polygon(points, Material.HEADLAMP, tint=tint)
        tip = points[2]
        canvas.ellipse((tip[0] + 0.05, tip[1]), (0.05, 0.03), Material.INDICATOR, only=(Material.HEADLAMP,))
    if rear.lamp not in _ROUND and rear.lamp_wrap > 0 and not draft.has_box:
        shade = 1.0 - 0.65 * rear.lamp_smoked
        low, high = rear.lamp_top - rear.lamp_height, rear.lamp_top
        points = _wrap(rear.lamp, low, high, 0.0, rear.lamp_wrap, -1, draft)
        canvas.path([*points, points[0]], 0.012, Material.SEAM)
        canvas.polygon(points, Material.TAILLAMP, tint=shade)
        if rear.lamp_pattern in ("amber_top", "amber_out"):
            canvas.box(
                -9.0, 9.0, low + 0.68 * (high - low), high, Material.INDICATOR, only=(Material.TAILLAMP,)
            )
        elif rear.lamp_pattern == "white_mid":
            middle = (low + 0.36 * (high - low), low + 0.62 * (high - low))
            canvas.box(-9.0, 9.0, *middle, Material.MATTE, albedo=(0.5, 0.5, 0.52), only=(Material.TAILLAMP,))


def _wrap(
    name: str, low: float, high: float, lift: float, reach: float, end: int, draft: Draft
) -> list[Point]:
    """Return the outline on a side of a lamp at the front (`end` 1) or the rear (-1)."""
    foot, top, tip = _SIDE.get(name, (0.0, 1.0, 0.75))
    rise = high - low
    z0, z1, z2 = low + foot * rise + lift, low + top * rise + lift, low + tip * rise + lift
    edge = draft.front_edge if end > 0 else draft.rear_edge
    beyond = 0.2 * end
    heights = np.linspace(z0, z1, 4)
    corner = [edge(float(z)) for z in heights]
    start = max(corner) if end > 0 else min(corner)
    shortest = min(corner) if end > 0 else max(corner)
    near = shortest - end * reach * 0.55
    point = shortest - end * reach
    return [
        (start + beyond, z0),
        (near, z0 + 0.12 * rise),
        (point, z2),
        (near, z1 + 0.01),
        (start + beyond, z1),
    ]
