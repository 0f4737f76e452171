# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints windshield and rear window, and the cabin dimly seen behind them.

What is behind glass is a factor of the cabin's tint, never far from 1: from a traffic camera a dashboard,
seat backs and a steering wheel are hints, not things.
"""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.draft import TOP, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.paint.canvas import Canvas, Point, Tint

_GLASS = (Material.GLASS,)

_TALLEST = 1.15
"""Meters that a windshield is long at most; above it a raised roof is closed."""


def _inside(corners: Floats, across: float, up: float) -> Point:
    """Return a place in the quadrilateral: across -1..1 from its first to its second corner, up 0..1."""
    low = corners[0] + (corners[1] - corners[0]) * (across + 1) / 2
    high = corners[3] + (corners[2] - corners[3]) * (across + 1) / 2
    place = low + (high - low) * up
    return float(place[0]), float(place[1])


def _patch(canvas: Canvas, corners: Floats, points: list[Point], tint: Tint) -> None:
    canvas.polygon([_inside(corners, *point) for point in points], Material.GLASS, tint=tint, only=_GLASS)


def _blob(across: float, up: float, width: float, height: float) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 14)
    return [(across + width * float(np.cos(angle)), up + height * float(np.sin(angle))) for angle in angles]


def paint_windshield(draft: Draft) -> None:
    """Paint the windshield with its frame, wipers, mirror, stickers and what lies behind."""
    canvas, cabin = draft.sheets[TOP], draft.spec.cabin
    start, end = draft.arc("windshield_bottom"), draft.arc("windshield_top")
    reach = end - start
    if draft.two_decks:
        _upper_deck(draft, canvas, end)
        reach = 1.40
    elif not draft.family.upright or draft.family.haulage:
        reach = min(reach, _TALLEST)
    foot, head = start + 0.02 * reach, start + 0.975 * reach
    corners = np.array([(foot, -0.955), (foot, 0.955), (head, 0.925), (head, -0.925)])
    frame = np.array(
        [(start - 0.045, -0.97), (start - 0.045, 0.97), (head + 0.02, 0.94), (head + 0.02, -0.94)]
    )
    canvas.polygon(frame, Material.PLASTIC)
    canvas.polygon(corners, Material.GLASS)
    # The sky end of the glass is clearer than its foot, where the dashboard is.
    _patch(canvas, corners, [(-1, 0), (1, 0), (1, 0.20), (-1, 0.16)], (0.80, 0.79, 0.78))
    _patch(canvas, corners, [(-1, 0.20), (1, 0.20), (1, 0.30), (-1, 0.28)], 0.62)
    _patch(canvas, corners, [(-1, 0.92), (1, 0.92), (1, 1), (-1, 1)], (0.70, 0.74, 0.80))
    _front_seats(draft, canvas, corners)
    for across, size, *color in cabin.dash:
        _patch(canvas, corners, _blob(across, 0.10, size, 0.05), color)
    _patch(canvas, corners, _blob(0.0, 0.90, 0.10, 0.05), (0.25, 0.25, 0.26))
    if cabin.hanger:
        _patch(canvas, corners, _blob(0.02, 0.74, 0.03, 0.09), (1.7, 0.8, 0.6))
    for across, up, size, *ink in cabin.stickers:
        points = [_inside(corners, *point) for point in _blob(across, up, size / 0.7, size)]
        canvas.polygon(points, Material.MATTE, albedo=ink, only=_GLASS)
    for pivot, tip in ((-0.62, -0.02), (0.12, 0.70)):
        canvas.path(
            [(start - 0.02, pivot), (foot + 0.07 * reach, (pivot + tip) / 2), (foot + 0.13 * reach, tip)],
            0.02,
            Material.PLASTIC,
        )


def _upper_deck(draft: Draft, canvas: Canvas, end: float) -> None:
    """Paint the upper deck's front window with the heads of who sits there."""
    foot, head = end - 1.45, end - 0.40
    corners = np.array([(foot, -0.94), (foot, 0.94), (head, 0.92), (head, -0.92)])
    canvas.polygon(corners, Material.GLASS)
    canvas.line((foot, 0.0), (head, 0.0), 0.03, Material.PLASTIC)
    _patch(canvas, corners, [(-1, 0.6), (1, 0.6), (1, 1), (-1, 1)], (1.25, 1.25, 1.28))
    for across in (-0.6, -0.25, 0.3, 0.65):
        if draft.spec.cabin.passenger or across > 0.5:
            _patch(canvas, corners, _blob(across, 0.38, 0.07, 0.14), (0.85, 0.75, 0.70))


def _front_seats(draft: Draft, canvas: Canvas, corners: Floats) -> None:
    cabin = draft.spec.cabin
    tone = cabin.seats
    # The rear bench's back, then the front seats before it, all in one muted color.
    _patch(canvas, corners, [(-0.8, 0.5), (0.8, 0.5), (0.74, 0.66), (-0.74, 0.66)], 0.86 * tone)
    for sign in (1, -1):
        middle = 0.42 * sign
        color = (tone, tone, 0.97 * tone)
        back = [
            (middle - 0.22, 0.30),
            (middle + 0.22, 0.30),
            (middle + 0.20, 0.60),
            (middle + 0.14, 0.66),
            (middle - 0.14, 0.66),
            (middle - 0.20, 0.60),
        ]
        _patch(canvas, corners, back, color)
        rest = [(middle - 0.09, 0.68), (middle + 0.09, 0.68), (middle + 0.08, 0.79), (middle - 0.08, 0.79)]
        _patch(canvas, corners, rest, color)
        seated = cabin.driver if sign == cabin.steering else cabin.passenger
        if seated:
            _patch(canvas, corners, _blob(middle, 0.42, 0.19, 0.16), (0.72 * tone, 0.73 * tone, 0.78 * tone))
            _patch(canvas, corners, _blob(middle, 0.66, 0.075, 0.10), (1.05, 0.92, 0.84))
        if sign == cabin.steering:
            _patch(canvas, corners, _blob(middle, 0.24, 0.20, 0.11), 0.55)
            _patch(canvas, corners, _blob(middle, 0.24, 0.155, 0.08), 0.78)


def paint_rear_glass(draft: Draft, canvas: Canvas, corners: Floats) -> None:
    """Paint the rear window on any sheet.

    Args:
        draft: the vehicle.
        canvas: the sheet.
        corners: (4, 2): foot right, foot left, head left, head right.
    """
    cabin = draft.spec.cabin
    middle = corners.mean(axis=0)
    canvas.polygon(middle + (corners - middle) * 1.05, Material.PLASTIC)
    canvas.polygon(corners, Material.GLASS)
    _patch(canvas, corners, [(-1, 0), (1, 0), (1, 0.16), (-1, 0.16)], 0.75)
    _patch(canvas, corners, [(-1, 0.5), (1, 0.5), (1, 1), (-1, 1)], (1.25, 1.25, 1.28))
    if cabin.headrests:
        tone = 0.62 * cabin.seats
        _patch(canvas, corners, [(-0.85, 0.12), (0.85, 0.12), (0.8, 0.40), (-0.8, 0.40)], tone)
        for across in (-0.48, 0.48):
            rest = [(across - 0.11, 0.4), (across + 0.11, 0.4), (across + 0.10, 0.58), (across - 0.10, 0.58)]
            _patch(canvas, corners, rest, tone)
    for across, size, *color in cabin.shelf:
        _patch(canvas, corners, _blob(across, 0.13, size, 0.10), color)
    canvas.shade(corners, cabin.privacy, only=_GLASS)
    for across, up, size, *ink in cabin.rear_stickers:
        points = [_inside(corners, *point) for point in _blob(across, up, size, size * 1.2)]
        canvas.polygon(points, Material.MATTE, albedo=ink, only=_GLASS)
    for up in (0.3, 0.5, 0.7):
        start, end = _inside(corners, -0.95, up), _inside(corners, 0.95, up)
        canvas.line(start, end, 0.006, Material.GLASS, tint=(0.9, 0.8, 0.7), only=_GLASS)
