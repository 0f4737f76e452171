# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints wheels: rims with spokes, covers, steel discs. Two pictures lie side by side on one sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pamtri_edge.synth.body.draft import WHEELS, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import Canvas, Point, Tint
from pamtri_edge.synth.specification.parts import Wheels

_FINISHES: Final[dict[str, tuple[Material, Tint, Tint]]] = {
    "bright": (Material.CHROME, (1.1, 1.1, 1.1), (0.9, 0.9, 0.9)),
    "satin": (Material.CHROME, (0.6, 0.6, 0.6), (0.5, 0.5, 0.5)),
    "dark": (Material.PLASTIC, (1.9, 1.9, 1.95), (1.6, 1.6, 1.6)),
    "black": (Material.PLASTIC, (0.7, 0.7, 0.7), (0.6, 0.6, 0.6)),
    "two_tone": (Material.CHROME, (1.15, 1.15, 1.15), (0.4, 0.4, 0.4)),
    "paint": (Material.PAINT, (1.0, 1.0, 1.0), (0.7, 0.7, 0.7)),
}
"""Material of the spokes, its tint, and the tint of the rim's ring."""


def paint_wheels(draft: Draft) -> None:
    """Paint the wheel that most axles carry (left half of the sheet) and the odd one (right half)."""
    canvas, wheels = draft.sheets[WHEELS], draft.spec.wheels
    canvas.box(0, 1, 0, 1, Material.TYRE)
    _wheel(canvas, wheels, 0.25)
    odd = Wheels("steel", 8, 0.4, min(wheels.rim, 0.64), "black", None, -1, 0.3)
    _wheel(
        canvas, odd if wheels.style != "steel" else Wheels("disc", 5, 0.5, 0.62, "satin", None, -1, 0.0), 0.75
    )


def _wheel(canvas: Canvas, wheels: Wheels, center: float) -> None:
    material, tint, ring = _FINISHES[wheels.finish]

    def at(radius: float, angle: float) -> Point:
        return center + 0.25 * radius * float(np.cos(angle)), 0.5 + 0.5 * radius * float(np.sin(angle))

    def circle(radius: float, what: Material, shade: Tint | None = None) -> None:
        canvas.ellipse((center, 0.5), (0.25 * radius, 0.5 * radius), what, tint=shade)

    rim = wheels.rim
    circle(rim + 0.035, material, ring)
    circle(rim - 0.02, Material.DARK)
    if wheels.caliper is not None:
        points = [at(r, a) for r, a in ((0.36, 2.2), (0.56, 2.25), (0.56, 3.0), (0.36, 3.1))]
        canvas.polygon(points, Material.MATTE, albedo=wheels.caliper)
    circle(0.34, Material.PLASTIC, 1.6)
    if wheels.style in ("cover", "steel", "disc", "truck"):
        _plate_wheel(wheels, material, tint, circle, at, canvas)
        return
    space = 2 * np.pi / wheels.spokes
    for index in range(wheels.spokes):
        angle = wheels.phase + index * space
        for points in _spoke(wheels, angle, space, rim):
            canvas.polygon([at(r, a) for r, a in points], material, tint=tint)
    circle(0.17, material, tint)
    circle(0.09, Material.DARK)


def _blade(foot: tuple[float, float, float], tip: tuple[float, float, float]) -> list[Point]:
    """Return a polygon as (radius, angle); of each end come radius, angle and half the angle it is wide."""
    (near, start, wide), (far, end, narrow) = foot, tip
    return [(near, start - wide), (far, end - narrow), (far, end + narrow), (near, start + wide)]


def _spoke(wheels: Wheels, angle: float, space: float, rim: float) -> list[list[Point]]:
    """Return the polygons, as (radius, angle), of one spoke."""
    half = wheels.spoke_width * space / 2
    root = min(1.3 * space, 0.9) / 2
    if wheels.style == "double":
        gap = 0.28 * space
        middles = (angle + sign * gap for sign in (-0.5, 0.5))
        return [_blade((0.12, middle, 0.16), (rim, middle, half / 2)) for middle in middles]
    if wheels.style == "turbine":
        middle, bend, twist = 0.5 * rim, angle + 0.4 * 0.55, angle + 0.55
        into = [(0.12, angle - root), (middle, bend - half), (rim, twist - half)]
        return [[*into, (rim, twist + half), (middle, bend + half), (0.12, angle + root)]]
    if wheels.style == "windmill":
        sail = [(rim, angle - 0.1 * space), (rim, angle + 0.55 * space)]
        return [[(0.10, angle - 0.2), *sail, (0.14, angle + 0.35)]]
    if wheels.style == "fork":
        split = 0.55 * rim
        tips = (angle + sign * 0.30 * space for sign in (-1, 1))
        prongs = [_blade((split * 0.92, angle, 0.5 * half), (rim, tip, 0.4 * half)) for tip in tips]
        return [_blade((0.12, angle, root), (split, angle, half)), *prongs]
    if wheels.style == "net":
        tips = (angle + sign * 0.5 * space for sign in (-1, 1))
        return [_blade((0.14, angle, 0.1), (rim, tip, 0.05)) for tip in tips]
    if wheels.style == "star":
        arm = _blade((0.30, angle, 0.48 * space), (rim, angle, 0.6 * half))
        return [arm, _blade((0.05, angle, 0.6 * space), (0.32, angle, 0.5 * space))]
    return [_blade((0.12, angle, root), (rim, angle, half))]


def _plate_wheel(
    wheels: Wheels,
    material: Material,
    tint: Tint,
    circle: Callable[..., None],
    at: Callable[[float, float], Point],
    canvas: Canvas,
) -> None:
    """Draw a wheel that is a disc or a cover instead of spokes."""
    rim = wheels.rim
    dim = np.multiply(0.8, tint)
    circle(rim - 0.03, material, dim)
    turns = [index * 2 * np.pi / wheels.spokes for index in range(wheels.spokes)]

    def slots(foot: float, wide: float, tip: float, narrow: float) -> None:
        for turn in turns:
            angle = wheels.phase + turn
            slot = _blade((foot, angle, wide), (tip, angle, narrow))
            canvas.polygon([at(r, a) for r, a in slot], Material.DARK)

    if wheels.style == "cover":
        slots(0.34, 0.08, 0.86 * rim, 0.13)
        circle(0.14, material, tint)
    elif wheels.style == "steel":
        slots(0.46, 0.12, 0.56, 0.14)
        circle(0.22, Material.PLASTIC, 0.6)
    elif wheels.style == "truck":
        circle(0.46, material, tint)
        circle(0.36, Material.DARK)
        circle(0.30, material, dim)
        for turn in turns:
            canvas.ellipse(at(0.41, turn), (0.008, 0.016), Material.DARK)
    else:
        circle(0.30, material, tint)
        circle(0.12, Material.DARK)
