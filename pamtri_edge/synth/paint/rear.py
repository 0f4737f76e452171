# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints the back: tailgate or trunk, its window, bumper, exhausts, badge, lettering and plate."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.draft import REAR, Draft
from pamtri_edge.synth.body.material import FINISHES, Material
from pamtri_edge.synth.paint.base import paint_two_tone
from pamtri_edge.synth.paint.canvas import Canvas
from pamtri_edge.synth.paint.glass import paint_rear_glass
from pamtri_edge.synth.paint.lamps import paint_taillamps
from pamtri_edge.synth.paint.plate import paint_badge, paint_plate
from pamtri_edge.synth.specification.marks import Bus
from pamtri_edge.synth.specification.streams import Surface

_TALLEST = 0.78
"""Meters that a rear window is high at most; above it a raised roof is closed."""


def paint_rear(draft: Draft) -> None:
    """Paint the whole rear face; of a truck, the wall behind its cab."""
    canvas = draft.sheets[REAR]
    if draft.has_box:
        canvas.box(-3, 3, 0, 4, Material.DARK)
        return
    paint_two_tone(canvas, draft.spec.trim)
    _seams(draft, canvas)
    if draft.family.tailgate:
        _gate_window(draft, canvas)
    elif draft.spec.bus is not None:
        _engine_cover(draft, canvas)
    paint_taillamps(draft)
    _bumper(draft, canvas)
    _gate(draft, canvas)


def _plate_height(draft: Draft) -> float:
    spec = draft.spec
    low = draft.frame.sill
    if spec.rear.plate_at == "bumper":
        return low + 0.10 + spec.rear.insert_height * 0.5 + spec.plate.height / 2
    deck = spec.shape.deck_z
    return float(max(deck - 0.16 - spec.plate.height / 2, low + 0.34))


def _seams(draft: Draft, canvas: Canvas) -> None:
    spec, shape, frame = draft.spec, draft.spec.shape, draft.frame
    half, deck = draft.back, shape.deck_z
    bumper = frame.sill + 0.36
    seam = Material.SEAM
    if spec.rear.gate == "doors":
        top = shape.roof_rear_z - 0.05
        canvas.line((0.0, bumper - 0.1), (0.0, top), 0.02, seam)
        for sign in (1, -1):
            canvas.line((sign * 0.9 * half, bumper), (sign * 0.88 * half, top), 0.014, seam)
            for z in np.linspace(bumper + 0.15, top - 0.2, 3):
                canvas.box(
                    sign * 0.93 * half - 0.03, sign * 0.93 * half + 0.03, z, z + 0.05, Material.PLASTIC
                )
        canvas.box(0.03, 0.16, deck - 0.05, deck - 0.01, Material.PLASTIC)
    elif spec.rear.gate == "trunk":
        for sign in (1, -1):
            canvas.line((sign * 0.62 * half, bumper), (sign * 0.66 * half, deck + 0.05), 0.012, seam)
    else:
        for sign in (1, -1):
            canvas.line((sign * 0.80 * half, bumper), (sign * 0.84 * half, deck), 0.012, seam)
    canvas.line((-half, bumper), (half, bumper), 0.016, seam)
    canvas.shade(
        [(-2, deck - 0.10), (2, deck - 0.10), (2, deck - 0.16), (-2, deck - 0.16)],
        0.88,
        only=(Material.PAINT, Material.SECOND_PAINT),
    )


def _gate_window(draft: Draft, canvas: Canvas) -> None:
    shape, rear = draft.spec.shape, draft.spec.rear
    rows = draft.outline.rows
    top = shape.roof_rear_z - (0.10 if rear.spoiler != "roof" else 0.06)
    foot = shape.rear_window_z + 0.015
    top = min(top, foot + _TALLEST)
    upper = float(draft.skin.half_width[rows["rear_window_top"] + 2]) * rear.window_scale
    lower = float(draft.skin.half_width[rows["rear_window_bottom"]]) * rear.window_scale
    if rear.gate == "doors":
        for sign in (1, -1):
            if draft.spec.cabin.privacy < 0.5:
                continue
            points = [
                (sign * 0.07, foot),
                (sign * 0.86 * lower, foot),
                (sign * 0.84 * upper, top),
                (sign * 0.07, top),
            ]
            canvas.polygon(points, Material.GLASS)
        return
    corners = [(-0.90 * lower, foot), (0.90 * lower, foot), (0.86 * upper, top), (-0.86 * upper, top)]
    paint_rear_glass(draft, canvas, np.array(corners))
    if rear.wiper:
        canvas.line((0.0, foot + 0.02), (0.38 * lower, foot + 0.10), 0.016, Material.PLASTIC)
        canvas.ellipse((0.0, foot), (0.035, 0.03), Material.PLASTIC)


def _engine_cover(draft: Draft, canvas: Canvas) -> None:
    """A bus's back: window or advertising above, flaps with slots below, a route number."""
    bus, shape, half = draft.spec.bus, draft.spec.shape, draft.back
    assert bus is not None
    deck, foot = shape.deck_z, draft.frame.sill
    if bus.dark_back:
        canvas.box(-0.84 * half, 0.84 * half, foot + 0.5, deck + 0.3, Material.GLASS, tint=0.45)
    canvas.line((-0.85 * half, deck - 0.1), (0.85 * half, deck - 0.1), 0.02, Material.SEAM)
    if bus.hatches and not bus.dark_back:
        _bus_strip(canvas, bus, half, deck)
    for z in np.linspace(foot + 0.45, deck - 0.25, 5):
        canvas.line((-0.45 * half, z), (0.45 * half, z), 0.04, Material.PLASTIC)


def _bus_strip(canvas: Canvas, bus: Bus, half: float, deck: float) -> None:
    """Paint a strip across the back, bright or dark, and a line of what the company calls itself."""
    kind = bus.sign_pattern % 4
    if kind == 0:
        return
    material, tint = ((Material.CHROME, 1.1), (Material.SECOND_PAINT, 1.0), (Material.PLASTIC, 1.0))[kind - 1]
    low = deck + 0.02
    canvas.box(-0.86 * half, 0.86 * half, low, low + 0.11, material, tint=tint)
    rng = np.random.default_rng([bus.sign_pattern, Surface.BUS_STRIP])
    y = -0.5 * half
    while y < 0.4 * half:
        wide = rng.uniform(0.05, 0.12)
        if rng.random() < 0.85:
            canvas.box(y, y + wide, deck - 0.24, deck - 0.12, Material.MATTE, albedo=(0.7, 0.7, 0.7))
        y += wide + 0.04


def _bumper(draft: Draft, canvas: Canvas) -> None:
    spec, foot, half = draft.spec, draft.frame.sill, draft.back
    rear = spec.rear
    if spec.trim.cladding > 0:
        canvas.box(-2, 2, 0.0, foot + 0.08 + spec.trim.cladding, Material.PLASTIC)
    if draft.family.cargo == "bed" and rear.insert == "silver":
        canvas.box(-2, 2, 0.0, foot + 0.26, Material.CHROME)
    elif rear.insert in ("dark", "diffuser"):
        canvas.polygon(
            [
                (-1.1 * half, 0),
                (1.1 * half, 0),
                (1.1 * half, foot + rear.insert_height),
                (0.62 * half, foot + rear.insert_height * 1.3),
                (-0.62 * half, foot + rear.insert_height * 1.3),
                (-1.1 * half, foot + rear.insert_height),
            ],
            Material.PLASTIC,
        )
    elif rear.insert == "silver":
        canvas.box(-0.6 * half, 0.6 * half, foot, foot + rear.insert_height * 0.7, Material.CHROME, tint=0.7)
    if rear.insert == "diffuser":
        for y in np.linspace(-0.5 * half, 0.5 * half, 5):
            canvas.line((y, foot), (y, foot + rear.insert_height), 0.02, Material.DARK)
    canvas.box(-2, 2, 0.0, foot + 0.03, Material.PLASTIC)
    for sign in (1, -1):
        z = foot + rear.insert_height + 0.05
        if rear.reflectors == "bar":
            canvas.box(sign * 0.80 * half - 0.09, sign * 0.80 * half + 0.09, z, z + 0.03, Material.TAILLAMP)
        elif rear.reflectors == "round":
            canvas.ellipse((sign * 0.80 * half, z), (0.04, 0.04), Material.TAILLAMP)
    _exhausts(rear.exhausts, canvas, foot + 0.055, half)


def _exhausts(name: str, canvas: Canvas, z: float, half: float) -> None:
    places = {
        "none": (),
        "left": (0.62,),
        "right": (-0.62,),
        "both": (-0.62, 0.62),
        "wide": (-0.72, -0.60, 0.60, 0.72),
        "center": (-0.06, 0.06),
    }[name]
    for place in places:
        canvas.ellipse((place * half, z), (0.05, 0.035), Material.CHROME)
        canvas.ellipse((place * half, z), (0.034, 0.022), Material.DARK)


def _gate(draft: Draft, canvas: Canvas) -> None:
    spec, half = draft.spec, draft.back
    rear, plate = spec.rear, spec.plate
    z = _plate_height(draft)
    top = z + plate.height / 2
    if rear.recess:
        points = [
            (-0.34, z - plate.height / 2 - 0.05),
            (0.34, z - plate.height / 2 - 0.05),
            (0.38, top + 0.05),
            (-0.38, top + 0.05),
        ]
        canvas.shade([(y + rear.plate_y, b) for y, b in points], 0.55, only=(Material.PAINT,))
    if rear.strip != "none":
        tint = 0.8 if rear.strip == "paint" else None
        width = 0.36 if rear.plate_at == "gate" else 0.5 * half
        canvas.box(-width, width, top + 0.035, top + 0.075, FINISHES[rear.strip], tint=tint)
    paint_plate(canvas, plate, (rear.plate_y, z))
    deck = spec.shape.deck_z
    badge = max(deck - 0.07, top + 0.11)
    paint_badge(canvas, rear.badge, (0.0, badge), rear.badge_size, spec.front.badge_tint)
    _lettering(draft, canvas, badge - 0.01)
    if rear.spare_wheel:
        _spare(canvas, deck + 0.02)
    if rear.ladder:
        foot, head = draft.frame.sill + 0.4, spec.shape.roof_rear_z - 0.05
        for y in (0.42 * half, 0.68 * half):
            canvas.line((y, foot), (y, head), 0.03, Material.CHROME)
        for rung in np.arange(foot + 0.1, head, 0.22):
            canvas.line((0.42 * half, rung), (0.68 * half, rung), 0.02, Material.CHROME)


def _lettering(draft: Draft, canvas: Canvas, z: float) -> None:
    half = draft.back
    left, right = draft.spec.rear.lettering
    for sign, width in ((1, left), (-1, right)):
        outer = 0.55 * half
        for index in range(int(width / 0.045)):
            y = sign * (outer - index * 0.045)
            canvas.box(y - 0.016, y + 0.016, z - 0.018, z + 0.018, Material.CHROME, tint=1.2)


def _spare(canvas: Canvas, z: float) -> None:
    center = (0.05, z - 0.12)
    canvas.ellipse(center, (0.36, 0.36), Material.TYRE)
    canvas.ellipse(center, (0.30, 0.30), Material.PAINT, tint=0.85)
    canvas.ellipse(center, (0.10, 0.10), Material.CHROME)
