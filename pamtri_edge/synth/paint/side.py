# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints a vehicle's two sides: sills, doors, handles, strips, lamps that reach round, wheel arches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.material import FINISHES, Material
from pamtri_edge.synth.paint.base import paint_two_tone
from pamtri_edge.synth.paint.canvas import BODYWORK, Canvas
from pamtri_edge.synth.paint.lamps import paint_lamps_on_side
from pamtri_edge.synth.paint.windows import paint_bus_windows, paint_side_windows, window_kick

_SINGLE_CAB = 1.75
"""A pickup's cab shorter than this, in meters, has one door a side."""


@dataclass(frozen=True)
class Doors:
    """Where the doors' seams are.

    Attributes:
        seams: x of the upright seams, front first.
        pillars: x of the pillars between side windows, at the belt line.
    """

    seams: tuple[float, ...]
    pillars: tuple[float, ...]


def doors_of(draft: Draft) -> Doors:
    """Place the doors' seams for the vehicle's family."""
    shape, axle = draft.spec.shape, draft.frame.front_axle
    cowl = axle + shape.cowl_x
    end = axle + shape.rear_window_x
    kind = draft.family.doors
    if kind == "none":
        return Doors((), ())
    if kind == "cab":
        if draft.family.cargo == "bed" and cowl - end < _SINGLE_CAB:
            return Doors((cowl - 0.04, end + 0.12), ())
        middle = (axle + shape.roof_front_x + axle + shape.roof_rear_x) / 2 + 0.05
        if draft.family.cargo == "box":
            return Doors((cowl - 0.12, end + 0.14), ())
        return Doors((cowl - 0.04, middle, end + 0.12), (middle,))
    if kind == "one":
        back = cowl - min(1.35, 0.62 * (cowl - end))
        return Doors((cowl + 0.02, back), (back - 0.05,))
    first = cowl - 1.18 - (0.10 if kind == "slide" else 0.0)
    second = max(first - (1.15 if kind == "slide" else 0.98), -axle + 0.12)
    return Doors((cowl - 0.02, first, second), (first, second - 0.10))


def paint_sides(draft: Draft) -> None:
    """Paint both sides, without decals, flaws and wheel arches."""
    doors = doors_of(draft)
    for sign in (1, -1):
        canvas = draft.side(sign)
        paint_two_tone(canvas, draft.spec.trim)
        _sill(draft, canvas)
        _bumper_seams(draft, canvas)
        _seams(draft, canvas, doors, sign)
        if draft.spec.bus is not None and draft.family.upright:
            paint_bus_windows(draft, canvas, sign)
        else:
            paint_side_windows(draft, canvas, sign, doors.pillars)
        _handles(draft, canvas, doors)
        _strips(draft, canvas, doors)
        paint_lamps_on_side(draft, canvas)


def cut_arches(draft: Draft) -> None:
    """Open the wheel arches; done last, so that nothing is painted over them."""
    shape, trim = draft.spec.shape, draft.spec.trim
    radius = shape.wheel_radius + shape.arch_gap
    axles = [draft.frame.front_axle]
    if not draft.has_box:
        axles.append(-draft.frame.front_axle)
    for canvas in (draft.side(1), draft.side(-1)):
        for x in axles:
            center = (x, shape.wheel_radius)
            if trim.cladding > 0:
                rim = radius + 0.045 + 0.25 * trim.cladding
                canvas.ellipse(center, (rim, rim), Material.PLASTIC, only=(*BODYWORK, Material.SEAM))
            else:
                canvas.ellipse(center, (radius + 0.016, radius + 0.016), Material.SEAM, only=BODYWORK)
            canvas.ellipse(center, (radius, radius), Material.HOLE)
            canvas.box(x - radius, x + radius, -0.2, shape.wheel_radius, Material.HOLE)


def _sill(draft: Draft, canvas: Canvas) -> None:
    spec, frame = draft.spec, draft.frame
    rear, front = frame.body_rear - 0.2, frame.front + 0.2
    canvas.box(rear, front, 0.0, frame.sill + 0.035, Material.PLASTIC)
    if spec.trim.cladding > 0:
        canvas.box(rear, front, 0.0, frame.sill + 0.035 + spec.trim.cladding, Material.PLASTIC)
    axle, reach = frame.front_axle, spec.shape.wheel_radius + 0.06
    lip = spec.front.lip + frame.sill
    ends = (
        (axle + reach, front, spec.front.bumper == "plastic", lip),
        (rear, -axle - reach, spec.rear.insert in ("dark", "diffuser"), frame.sill + spec.rear.insert_height),
    )
    for start, end, plastic, height in ends:
        top = frame.sill + 0.30 if plastic and start > 0 else height
        canvas.box(start, end, 0.0, top, Material.PLASTIC)


def _bumper_seams(draft: Draft, canvas: Canvas) -> None:
    if draft.family.upright:
        return
    shape, frame = draft.spec.shape, draft.frame
    arch = shape.wheel_radius + shape.arch_gap
    hood, deck = shape.hood_front_z, shape.deck_z
    canvas.line(
        (frame.front_axle + arch * 0.8, hood - 0.24), (frame.front + 0.1, hood - 0.19), 0.012, Material.SEAM
    )
    canvas.line(
        (-frame.front_axle - arch * 0.85, shape.clearance + 0.40),
        (frame.body_rear - 0.1, deck - 0.36),
        0.012,
        Material.SEAM,
    )


def _seams(draft: Draft, canvas: Canvas, doors: Doors, sign: int) -> None:
    shape, frame, belt = draft.spec.shape, draft.frame, draft.section.belt
    foot = frame.sill + 0.10
    for index, x in enumerate(doors.seams):
        top = float(belt(x)) + 0.02
        lean = 0.03 if index else -0.05
        canvas.path([(x - lean, foot), (x, (foot + top) / 2), (x, top)], 0.014, Material.SEAM)
    if doors.seams:
        canvas.line((doors.seams[0], foot), (doors.seams[-1], foot), 0.012, Material.SEAM)
    if draft.family.doors == "slide" and sign == -1:
        rail = float(belt(doors.seams[-1])) - 0.06
        canvas.line((doors.seams[-1] - 1.0, rail), (doors.seams[-1], rail), 0.022, Material.SEAM)
    if draft.family.cargo == "bed":
        cab = frame.front_axle + shape.rear_window_x - 0.03
        canvas.line((cab, frame.sill), (cab, shape.rear_window_z), 0.022, Material.SEAM)
    if sign == draft.spec.trim.fuel_side and not draft.family.upright:
        _fuel_flap(draft, canvas)


def _fuel_flap(draft: Draft, canvas: Canvas) -> None:
    shape = draft.spec.shape
    x = -draft.frame.front_axle - shape.wheel_radius * 0.75
    z = float(draft.section.belt(x)) - 0.13
    points = [(x - 0.08, z - 0.07), (x + 0.08, z - 0.07), (x + 0.08, z + 0.07), (x - 0.08, z + 0.07)]
    canvas.path([*points, points[0]], 0.010, Material.SEAM, only=BODYWORK)


def _handles(draft: Draft, canvas: Canvas, doors: Doors) -> None:
    finish = FINISHES[draft.spec.trim.handles]
    for index, x in enumerate(doors.seams[1:]):
        slide = draft.family.doors == "slide" and index == 1
        middle = x - 0.20 if slide else x + 0.19
        z = float(draft.section.belt(middle)) - 0.115
        if finish is Material.PAINT:
            canvas.box(middle - 0.10, middle + 0.10, z - 0.030, z - 0.012, Material.SEAM)
        canvas.box(middle - 0.10, middle + 0.10, z - 0.014, z + 0.016, finish)


def _strips(draft: Draft, canvas: Canvas, doors: Doors) -> None:
    trim, shape, frame = draft.spec.trim, draft.spec.shape, draft.frame
    belt = draft.section.belt
    if draft.family.upright or not doors.seams:
        return
    first, last = frame.front_axle + shape.cowl_x - 0.06, doors.seams[-1]
    if trim.molding != "none":
        z = shape.wheel_radius + 0.16
        reach = shape.wheel_radius + shape.arch_gap + 0.05
        tint = 0.75 if trim.molding == "paint" else None
        canvas.box(
            -frame.front_axle + reach,
            frame.front_axle - reach,
            z - 0.022,
            z + 0.022,
            FINISHES[trim.molding],
            tint=tint,
        )
    if trim.window_line != "none":
        xs = np.linspace(first, max(last - 0.5, frame.front_axle + shape.rear_window_x + 0.1), 14)
        line = np.stack([xs, belt(xs) + 0.022 + window_kick(draft, xs)], axis=1)
        canvas.path(line, 0.024, FINISHES[trim.window_line])
