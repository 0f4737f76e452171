# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints the side windows and what is seen through them.

Through a side window one sees the opposite windows' light in its upper part and, against it, the dark
seats: low contrast, because glass hides most of it.
"""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.paint.canvas import Canvas
from pamtri_edge.synth.specification.marks import Bus

_GLASS = (Material.GLASS,)

_TALLEST = 0.82
"""Meters that a side window is high at most; above it a raised roof is closed."""


def window_kick(draft: Draft, x: Floats) -> Floats:
    """Return how far the windows' lower edge has risen above the belt line at x."""
    shape, axle = draft.spec.shape, draft.frame.front_axle
    start, end = axle + shape.cowl_x - 1.3, axle + shape.rear_window_x
    return np.asarray(shape.window_kick * np.clip((start - x) / max(start - end, 0.3), 0, 1) ** 2)


def paint_side_windows(draft: Draft, canvas: Canvas, sign: int, pillars: tuple[float, ...]) -> None:
    """Paint one side's windows.

    Args:
        draft: the vehicle.
        canvas: the side's sheet.
        sign: +1 left, -1 right.
        pillars: x of the pillars between the windows.
    """
    trim = draft.spec.trim
    opening = _opening(draft)
    if len(opening) < 3:
        return
    if trim.window_line == "none" and trim.pillar == "dark":
        canvas.polygon(_grown(opening, 0.018), Material.PLASTIC)
    canvas.polygon(opening, Material.GLASS)
    low, high = opening.min(axis=0), opening.max(axis=0)
    _see_through(draft, canvas, low, high, sign)
    _privacy(draft, canvas, low, high, pillars)
    finish = Material.PLASTIC if trim.pillar == "dark" else Material.PAINT
    for index, x in enumerate(pillars):
        width = 0.075 if index == 0 else 0.055
        lean = 0.03 + 0.05 * index
        canvas.line((x, low[1] - 0.05), (x - lean, high[1] + 0.03), width, finish, only=_GLASS)
    _door_frames(draft, canvas, high)
    if draft.spec.cabin.shade == sign and pillars:
        blind = [
            (low[0] + 0.25, low[1]),
            (pillars[0] - 0.08, low[1]),
            (pillars[0] - 0.08, 9.0),
            (low[0] + 0.25, 9.0),
        ]
        canvas.polygon(blind, Material.GLASS, tint=0.22, only=_GLASS)
    if trim.visors:
        top = [(x, z) for x, z in opening if z > low[1] + 0.8 * (high[1] - low[1])]
        if len(top) > 2:
            canvas.path(sorted(top), 0.05, Material.PLASTIC)


def _opening(draft: Draft) -> Floats:
    """Return the outline of the side windows as one polygon: what is left between belt and pillars."""
    shape, rows = draft.spec.shape, draft.outline.rows
    index = np.arange(rows["windshield_bottom"], rows["rear_window_bottom"] + 1)
    pillar = np.full(len(index), 0.095)
    pillar[index < rows["windshield_top"] - 1] = 0.085 if draft.family.cargo != "box" else 0.12
    pillar[index >= rows["rear_window_top"] - 1] = shape.rear_pillar
    arc = draft.outline.arc[index]
    fine = np.linspace(arc[0], arc[-1], 160)
    frame_x, frame_z = (np.interp(fine, arc, draft.outline.points[index, axis]) for axis in (0, 1))
    width = np.interp(fine, arc, pillar)

    xs = np.linspace(frame_x.max() + 0.1, frame_x.min() - 0.1, 70)
    # The highest place at each x that keeps the pillar's width away from every point of the outline.
    away = xs[:, None] - frame_x
    drop = np.sqrt(np.clip(width**2 - away**2, 0, None))
    below = np.where(np.abs(away) < width, frame_z - drop, np.inf).min(axis=1)
    floor = draft.section.belt(xs) + 0.03 + window_kick(draft, xs)
    top = np.minimum(np.where(np.isfinite(below), below, 0.0), floor + _TALLEST)
    within = (xs > max(frame_x.min(), _rear_limit(draft))) & (xs < frame_x.max())
    open_ = (top > floor + 0.012) & within
    if open_.sum() < 3:
        return np.zeros((0, 2))
    xs, top, floor = xs[open_], top[open_], floor[open_]
    return np.concatenate([np.stack([xs, top], 1), np.stack([xs, floor], 1)[::-1]])


def _rear_limit(draft: Draft) -> float:
    """Return the x behind which a side has no windows: panel vans and trucks have only the cab's."""
    shape, axle = draft.spec.shape, draft.frame.front_axle
    if draft.spec.family == "van" and draft.spec.rear.gate == "doors":
        return axle + shape.cowl_x - 1.22
    if draft.family.haulage:  # behind the doors of a long cab there is a bed
        return axle + shape.cowl_x - 1.35
    return -100.0


def _grown(polygon: Floats, by: float) -> Floats:
    middle = polygon.mean(axis=0)
    away = polygon - middle
    half = np.abs(away).max(axis=0)
    return np.asarray(middle + away * (1 + by / half))


def _see_through(draft: Draft, canvas: Canvas, low: Floats, high: Floats, sign: int) -> None:
    cabin, shape = draft.spec.cabin, draft.spec.shape
    rise = high[1] - low[1]
    light = 1.55
    canvas.shade(
        [(low[0], low[1] + 0.45 * rise), (high[0], low[1] + 0.40 * rise), (high[0], 9.0), (low[0], 9.0)],
        (light, light, light * 1.05),
        only=_GLASS,
    )
    seat = draft.frame.front_axle + shape.cowl_x - 1.15
    steps = (0.0, -0.92) if draft.family.doors != "cab" else (0.0,)
    driver = cabin.driver and sign == cabin.steering
    for index, step in enumerate(steps):
        if index and not cabin.headrests:
            continue
        x, z = seat + step, low[1]
        tone = 0.5 * cabin.seats
        back = [(x, z), (x - 0.10, z + 0.30 * rise), (x - 0.14, z + 0.62 * rise), (x - 0.30, z + 0.60 * rise)]
        canvas.polygon([*back, (x - 0.30, z)], Material.GLASS, tint=tone, only=_GLASS)
        canvas.ellipse(
            (x - 0.22, z + 0.70 * rise), (0.08, 0.10 * rise + 0.02), Material.GLASS, tint=tone, only=_GLASS
        )
        if driver and index == 0:
            skin = (0.85, 0.72, 0.62)
            canvas.ellipse((x - 0.05, z + 0.62 * rise), (0.09, 0.12), Material.GLASS, tint=skin, only=_GLASS)
            canvas.ellipse(
                (x - 0.05, z + 0.15 * rise),
                (0.16, 0.32 * rise),
                Material.GLASS,
                tint=(0.55, 0.58, 0.65),
                only=_GLASS,
            )


def _privacy(draft: Draft, canvas: Canvas, low: Floats, high: Floats, pillars: tuple[float, ...]) -> None:
    cabin = draft.spec.cabin
    if cabin.privacy < 0.99 and pillars:
        rear = [(low[0], 0.0), (pillars[0], 0.0), (pillars[0], 9.0), (low[0], 9.0)]
        canvas.shade(rear, cabin.privacy, only=_GLASS)


def _door_frames(draft: Draft, canvas: Canvas, high: Floats) -> None:
    """Draw the thin upright between front window and mirror triangle."""
    if draft.family.doors == "none":
        return
    x = draft.frame.front_axle + draft.spec.shape.cowl_x - 0.28
    belt = float(draft.section.belt(x))
    canvas.line((x, belt), (x - 0.02, high[1]), 0.02, Material.PLASTIC, only=_GLASS)


def paint_bus_windows(draft: Draft, canvas: Canvas, sign: int) -> None:
    """Paint a bus's windows, a band for each deck, its flaps, doors and the sign on its side."""
    spec, shape, frame = draft.spec, draft.spec.shape, draft.frame
    bus = spec.bus
    assert bus is not None
    rear, front = frame.body_rear, frame.front
    low = shape.cowl_z + 0.02
    roof = shape.height - (0.22 if bus.windows_to_roof else 0.45)
    high = low + 1.0 if draft.two_decks else roof
    start, end = rear + 0.35, frame.front_axle + shape.roof_front_x - 0.12
    _window_band(canvas, bus, start, end, low, high)
    if draft.two_decks:
        _window_band(canvas, bus, start - 0.1, end + 0.1, roof - 0.95, roof)
    canvas.line((rear, bus.skirt), (front, bus.skirt), 0.02, Material.SEAM)
    for x in np.arange(rear + 0.9, front - 0.6, 1.25):
        canvas.line((x, frame.sill), (x, bus.skirt), 0.018, Material.SEAM)
    if sign == bus.boarding:
        for place in bus.doors:
            _bus_door(canvas, rear + place * (front - rear), frame.sill + 0.06, high)
    elif bus.doors:
        canvas.box(front - 1.5, front - 0.7, low - 0.02, low + 0.75, Material.GLASS, tint=0.7)
    canvas.box(front - 2.6, front - 1.4, high + 0.05, high + 0.22, Material.DARK)
    canvas.box(front - 2.5, front - 1.7, high + 0.09, high + 0.18, Material.MATTE, albedo=bus.sign)


def _window_band(canvas: Canvas, bus: Bus, start: float, end: float, low: float, high: float) -> None:
    """Paint one deck's windows: posts, seats, passengers."""
    rng = np.random.default_rng([bus.sign_pattern, int(100 * low)])
    canvas.box(start, end, low, high, Material.GLASS)
    light = (1.45, 1.5, 1.5)
    canvas.shade([(start, low + 0.5), (end, low + 0.5), (end, high), (start, high)], light, only=_GLASS)
    for x in np.arange(start + bus.pitch, end - 0.3, bus.pitch):
        canvas.line((x, low), (x, high), 0.055, Material.PLASTIC)
    for x in np.arange(start + 0.5, end - 0.6, 0.8):
        tone = 0.55 + 0.5 * rng.random()
        canvas.box(x, x + 0.42, low, low + 0.30, Material.GLASS, tint=(tone, tone, tone * 1.1), only=_GLASS)
        if rng.random() < 0.35:
            head = (x + 0.2, low + 0.42)
            canvas.ellipse(head, (0.1, 0.14), Material.GLASS, tint=(0.8, 0.7, 0.6), only=_GLASS)


def _bus_door(canvas: Canvas, x: float, low: float, high: float) -> None:
    canvas.box(x - 0.62, x + 0.62, low - 0.02, high + 0.02, Material.PLASTIC)
    for start in (x - 0.57, x + 0.03):
        canvas.box(start, start + 0.54, low + 0.08, high - 0.03, Material.GLASS, tint=0.8)
