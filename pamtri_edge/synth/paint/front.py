# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints the face: bumper, grille, intakes, fog lamps, badge and plate. Faces tell vehicles apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from pamtri_edge.synth.body.draft import FRONT, Draft
from pamtri_edge.synth.body.material import FINISHES, Material
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.paint.base import paint_two_tone
from pamtri_edge.synth.paint.canvas import Canvas, Point, Tint
from pamtri_edge.synth.paint.lamps import paint_headlamps
from pamtri_edge.synth.paint.plate import paint_badge, paint_plate

GRILLES: Final[dict[str, tuple[tuple[Point, ...], ...]]] = {
    "trapezoid": (((-0.82, 0.0), (0.82, 0.0), (1.0, 1.0), (-1.0, 1.0)),),
    "shield": (((-0.55, 0.0), (0.55, 0.0), (0.95, 0.65), (0.85, 1.0), (-0.85, 1.0), (-0.95, 0.65)),),
    "hexagon": (((-0.72, 0.0), (0.72, 0.0), (1.0, 0.5), (0.78, 1.0), (-0.78, 1.0), (-1.0, 0.5)),),
    "flared": (((-1.0, 0.0), (1.0, 0.0), (0.76, 1.0), (-0.76, 1.0)),),
    "box": (((-1.0, 0.0), (1.0, 0.0), (1.0, 1.0), (-1.0, 1.0)),),
    "slit": (((-1.0, 0.62), (1.0, 0.62), (1.04, 1.0), (-1.04, 1.0)),),
    "two_slits": (
        ((-0.95, 0.0), (0.95, 0.0), (0.97, 0.35), (-0.97, 0.35)),
        ((-1.0, 0.6), (1.0, 0.6), (1.02, 1.0), (-1.02, 1.0)),
    ),
    "kidneys": (
        ((-0.85, 0.0), (-0.10, 0.0), (-0.06, 1.0), (-0.95, 1.0)),
        ((0.85, 0.0), (0.10, 0.0), (0.06, 1.0), (0.95, 1.0)),
    ),
    "quarters": (
        ((-1.0, 0.0), (-0.06, 0.0), (-0.06, 0.44), (-1.0, 0.44)),
        ((1.0, 0.0), (0.06, 0.0), (0.06, 0.44), (1.0, 0.44)),
        ((-1.0, 0.56), (-0.06, 0.56), (-0.06, 1.0), (-1.0, 1.0)),
        ((1.0, 0.56), (0.06, 0.56), (0.06, 1.0), (1.0, 1.0)),
    ),
    "wings": (((-1.0, 0.85), (-0.45, 0.15), (0.0, 0.0), (0.45, 0.15), (1.0, 0.85), (0.5, 1.0), (-0.5, 1.0)),),
    "mouth": (
        (
            (-0.6, 0.0),
            (0.6, 0.0),
            (0.95, 0.35),
            (1.0, 0.75),
            (0.7, 1.0),
            (-0.7, 1.0),
            (-1.0, 0.75),
            (-0.95, 0.35),
        ),
    ),
    "spindle": (((-1.0, 0.0), (1.0, 0.0), (0.62, 0.62), (0.88, 1.0), (-0.88, 1.0), (-0.62, 0.62)),),
    "slots": tuple(
        ((x - 0.07, 0.05), (x + 0.07, 0.05), (x + 0.07, 1.0), (x - 0.07, 1.0))
        for x in (-0.84, -0.56, -0.28, 0.0, 0.28, 0.56, 0.84)
    ),
    "closed": (),
}
"""Outlines in the square -1..1 across, 0..1 upward."""

INTAKES: Final[dict[str, tuple[tuple[Point, ...], ...]]] = {
    "wide": (((-0.9, 0.0), (0.9, 0.0), (1.0, 1.0), (-1.0, 1.0)),),
    "smile": (
        ((-0.7, 0.0), (0.7, 0.0), (1.0, 0.8), (0.9, 1.0), (0.6, 0.7), (-0.6, 0.7), (-0.9, 1.0), (-1.0, 0.8)),
    ),
    "frown": (((-1.0, 0.0), (1.0, 0.0), (0.68, 1.0), (-0.68, 1.0)),),
    "three": (
        ((-0.5, 0.0), (0.5, 0.0), (0.55, 1.0), (-0.55, 1.0)),
        ((-1.15, 0.1), (-0.7, 0.1), (-0.78, 1.1), (-1.2, 1.2)),
        ((1.15, 0.1), (0.7, 0.1), (0.78, 1.1), (1.2, 1.2)),
    ),
    "corners": (
        ((-1.2, 0.0), (-0.75, 0.0), (-0.85, 1.2), (-1.25, 1.4)),
        ((1.2, 0.0), (0.75, 0.0), (0.85, 1.2), (1.25, 1.4)),
    ),
    "slot": (((-1.0, 0.3), (1.0, 0.3), (1.0, 0.75), (-1.0, 0.75)),),
    "none": (),
}
"""Outlines of the lower intakes, as `GRILLES`."""

_FRAMES: Final = {
    "chrome": (Material.CHROME, 1.0),
    "satin": (Material.CHROME, 0.55),
    "dark": (Material.PLASTIC, 0.5),
    "paint": (Material.PAINT, 0.9),
}


def paint_front(draft: Draft) -> None:
    """Paint the whole front face."""
    canvas = draft.sheets[FRONT]
    _ground(draft, canvas)
    _intakes(draft, canvas)
    _grille(draft, canvas)
    paint_headlamps(draft)
    _fogs(draft, canvas)
    spec = draft.spec
    if spec.trim.bull_bar:
        _bull_bar(draft, canvas)
    paint_plate(canvas, spec.plate, (spec.front.plate_y, plate_height(draft)))


def plate_height(draft: Draft) -> float:
    """Return the height of the front plate's middle: under the grille, never across it."""
    front, plate = draft.spec.front, draft.spec.plate
    grille_foot = _grille_range(draft)[0]
    highest = grille_foot - plate.height / 2 - 0.02
    lowest = draft.frame.sill + plate.height / 2 + 0.05
    return float(max(min(front.plate_z, highest), lowest))


def _grille_range(draft: Draft) -> tuple[float, float]:
    front = draft.spec.front
    top = draft.spec.shape.hood_front_z - front.grille_top
    return top - front.grille_height, top


def _ground(draft: Draft, canvas: Canvas) -> None:
    spec, frame = draft.spec, draft.frame
    front, shape = spec.front, spec.shape
    foot, hood = frame.sill, shape.hood_front_z
    paint_two_tone(canvas, spec.trim)
    if front.bumper != "paint":
        canvas.box(-2, 2, 0.0, foot + 0.30, FINISHES[front.bumper])
    canvas.box(-2, 2, 0.0, foot + front.lip, Material.PLASTIC)
    if front.insert != "none":
        material, tint = {
            "silver": (Material.CHROME, 0.8),
            "chrome": (Material.CHROME, 1.2),
            "paint": (Material.PAINT, 1.0),
            "dark": (Material.PLASTIC, 0.7),
        }[front.insert]
        half = 0.55 * draft.face
        canvas.polygon(
            [
                (-half, foot + 0.01),
                (half, foot + 0.01),
                (half * 1.15, foot + 0.09),
                (-half * 1.15, foot + 0.09),
            ],
            material,
            tint=tint,
        )
    if not draft.family.upright:
        seam = hood - 0.012
        canvas.line((-draft.face, seam), (draft.face, seam), 0.014, Material.SEAM)
    elif front.washer:
        canvas.box(-draft.face, draft.face, hood - 0.02, hood + 0.02, Material.PLASTIC)
    canvas.shade(
        [(-2, foot + 0.24), (2, foot + 0.24), (2, foot + 0.22), (-2, foot + 0.22)],
        0.8,
        only=(Material.PAINT, Material.SECOND_PAINT),
    )


def _spread(outline: Sequence[Point], half: float, low: float, high: float) -> Floats:
    points = np.array(outline)
    return np.stack([points[:, 0] * half, low + points[:, 1] * (high - low)], axis=1)


def _grille(draft: Draft, canvas: Canvas) -> None:
    front = draft.spec.front
    half = front.grille_width * draft.face
    low, high = _grille_range(draft)
    material, tint = _FRAMES[front.grille_frame]
    pieces = [_spread(outline, half, low, high) for outline in GRILLES[front.grille]]
    for points in pieces:
        canvas.path(np.concatenate([points, points[:1]]), 0.045, material, tint=tint)
        canvas.polygon(_inflated(points, 0.012), material, tint=tint)
        canvas.polygon(points, Material.DARK, tint=1.0)
    _fill(front.grille_fill, front.grille_bars, canvas, half, low, high, material, tint)
    middle = (low + high) / 2 if front.grille not in ("slit", "closed") else high - 0.05
    if draft.family.upright and front.grille == "closed":
        middle = high + 0.05
    paint_badge(canvas, front.badge, (0.0, middle), front.badge_size, front.badge_tint)


def _inflated(points: Floats, by: float) -> Floats:
    middle = points.mean(axis=0)
    away = points - middle
    return np.asarray(points + by * away / (np.linalg.norm(away, axis=1, keepdims=True) + 1e-9))


def _fill(
    name: str,
    count: int,
    canvas: Canvas,
    half: float,
    low: float,
    high: float,
    material: Material,
    tint: Tint,
) -> None:
    """Draw bars or a net inside the grille, where it is dark."""
    inside = (Material.DARK,)
    rise = high - low
    if name in ("bars", "thick_bars"):
        width = 0.014 if name == "bars" else 0.030
        for index in range(count):
            z = low + rise * (index + 0.5) / count
            canvas.line((-half * 1.1, z), (half * 1.1, z), width, material, tint=tint, only=inside)
    elif name == "uprights":
        for x in np.linspace(-half, half, 2 * count + 1):
            canvas.line((x, low), (x, high), 0.014, material, tint=tint, only=inside)
    elif name == "one_bar":
        z = (low + high) / 2
        canvas.box(-half * 1.1, half * 1.1, z - 0.025, z + 0.025, material, tint=tint, only=inside)
    elif name == "wing_bar":
        z = (low + high) / 2
        for sign in (-1, 1):
            points = [
                (0.0, z - 0.03),
                (sign * half * 1.1, z + 0.05),
                (sign * half * 1.1, z + 0.09),
                (0.0, z + 0.02),
            ]
            canvas.polygon(points, material, tint=tint, only=inside)
    elif name == "net":
        for x in np.linspace(-half, half, 4 * count + 1):
            canvas.line((x, low), (x, high), 0.007, Material.PLASTIC, tint=1.9, only=inside)
        for z in np.linspace(low, high, count + 2)[1:-1]:
            canvas.line((-half, z), (half, z), 0.008, Material.PLASTIC, tint=1.9, only=inside)
    elif name == "dots":
        for x in np.linspace(-half * 0.85, half * 0.85, 3 * count):
            for z in np.linspace(low, high, 4)[1:-1]:
                canvas.box(x - 0.012, x + 0.012, z - 0.01, z + 0.01, material, tint=tint, only=inside)
    elif name == "paint":
        canvas.box(-half, half, low, high, Material.PAINT, tint=0.8, only=inside)
    # "hollow": nothing but darkness


def _intakes(draft: Draft, canvas: Canvas) -> None:
    front = draft.spec.front
    if front.intake == "none":
        return
    low = draft.frame.sill + max(front.lip, 0.03) + (0.06 if front.insert != "none" else 0.02)
    high = min(low + front.intake_height, _grille_range(draft)[0] - 0.03)
    if high < low + 0.03:
        return
    half = front.intake_width * draft.face
    for outline in INTAKES[front.intake]:
        points = _spread(outline, half, low, high)
        canvas.polygon(points, Material.DARK)
    for z in np.linspace(low, high, 4)[1:-1]:
        canvas.line((-half, z), (half, z), 0.012, Material.PLASTIC, only=(Material.DARK,))


def _fogs(draft: Draft, canvas: Canvas) -> None:
    front = draft.spec.front
    if front.fog == "none":
        return
    z = draft.frame.sill + 0.16
    y = 0.80 * draft.face
    for sign in (1, -1):
        center = (sign * y, z)
        if front.fog_frame != "none":
            frame = Material.CHROME if front.fog_frame == "chrome" else Material.PLASTIC
            canvas.ellipse(center, (0.078, 0.060), frame, tint=0.55)
        if front.fog == "round":
            canvas.ellipse(center, (0.045, 0.045), Material.HEADLAMP, tint=0.9)
        elif front.fog == "slot":
            canvas.box(sign * y - 0.07, sign * y + 0.07, z - 0.018, z + 0.018, Material.HEADLAMP)
        elif front.fog == "upright":
            canvas.box(sign * y - 0.016, sign * y + 0.016, z - 0.07, z + 0.08, Material.HEADLAMP, tint=1.6)
        elif front.fog == "amber":
            canvas.box(sign * y - 0.06, sign * y + 0.06, z - 0.025, z + 0.025, Material.INDICATOR)
        elif front.fog == "double":
            for shift in (-0.05, 0.05):
                canvas.ellipse((sign * y + shift, z), (0.035, 0.035), Material.HEADLAMP)


def _bull_bar(draft: Draft, canvas: Canvas) -> None:
    low, high = draft.frame.sill + 0.06, draft.spec.shape.hood_front_z - 0.06
    half = 0.55 * draft.face
    bright = 1.1
    for points in (
        [(-half, low), (-half * 0.9, high), (half * 0.9, high), (half, low)],
        [(-half, (low + high) / 2), (half, (low + high) / 2)],
    ):
        canvas.path(points, 0.05, Material.CHROME, tint=bright)
