# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints license plates and badges. Characters are blocks: nothing that could be read as somebody's plate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import Canvas, Point
from pamtri_edge.synth.specification.fascia import Plate
from pamtri_edge.synth.specification.streams import Surface


def paint_plate(canvas: Canvas, plate: Plate, center: Point) -> None:
    """Paint a plate around a place on a sheet in meters."""
    y, z = center
    half, rise = plate.width / 2, plate.height / 2
    canvas.box(y - half - 0.015, y + half + 0.015, z - rise - 0.012, z + rise + 0.012, Material.PLASTIC)
    canvas.box(y - half, y + half, z - rise, z + rise, Material.PLATE, albedo=plate.ground)
    rng = np.random.default_rng([plate.pattern, Surface.PLATE])
    if plate.layout == "picture":
        top = [0.5 * one for one in plate.ground]
        canvas.box(y - half, y + half, z + 0.55 * rise, z + rise, Material.PLATE, albedo=top)
        _row(canvas, plate, rng, y - 0.86 * half, y + 0.86 * half, z - 0.55 * rise, z + 0.40 * rise, 6)
    elif plate.layout == "two_rows":
        _row(canvas, plate, rng, y - 0.5 * half, y + 0.5 * half, z + 0.22 * rise, z + 0.82 * rise, 3)
        _row(canvas, plate, rng, y - 0.88 * half, y + 0.88 * half, z - 0.80 * rise, z + 0.02 * rise, 4)
    else:
        _row(canvas, plate, rng, y - 0.84 * half, y + 0.88 * half, z - 0.62 * rise, z + 0.62 * rise, 7)
    if plate.band is not None:
        canvas.box(y + 0.90 * half, y + half, z - rise, z + rise, Material.PLATE, albedo=plate.band)


def _row(
    canvas: Canvas,
    plate: Plate,
    rng: np.random.Generator,
    left: float,
    right: float,
    low: float,
    high: float,
    count: int,
) -> None:
    """Draw one row of made-up characters, with gaps where a real plate has them."""
    step = (right - left) / count
    for index in range(count):
        if rng.random() < 0.08:
            continue
        wide, tall = 0.62 * step, high - low
        x = left + (index + 0.2) * step
        stroke = min(0.30 * wide, 0.16 * tall)
        for a0, a1, b0, b1, likely in _STROKES:
            if rng.random() < likely:
                start, foot = x + a0 * (wide - stroke), low + b0 * (tall - stroke)
                end, head = x + a1 * (wide - stroke) + stroke, low + b1 * (tall - stroke) + stroke
                canvas.box(start, end, foot, head, Material.PLATE, albedo=plate.ink)


_STROKES = (
    (0.0, 0.0, 0.0, 1.0, 0.75),
    (1.0, 1.0, 0.0, 1.0, 0.60),
    (0.0, 1.0, 1.0, 1.0, 0.60),
    (0.0, 1.0, 0.5, 0.5, 0.50),
    (0.0, 1.0, 0.0, 0.0, 0.50),
)
"""From and to, across and upward in a character's box, and how likely each stroke is."""


def paint_badge(canvas: Canvas, name: str, center: Point, size: float, tint: Sequence[float]) -> None:
    """Paint a maker's badge that belongs to no maker."""
    y, z = center
    chrome = Material.CHROME
    bright = 1.25
    if name == "round":
        canvas.ellipse(center, (size, size), chrome, tint=bright)
        canvas.ellipse(center, (0.66 * size, 0.66 * size), Material.MATTE, albedo=tint)
    elif name == "oval":
        canvas.ellipse(center, (1.5 * size, 0.8 * size), chrome, tint=bright)
        canvas.ellipse(center, (1.2 * size, 0.55 * size), Material.MATTE, albedo=tint)
    elif name == "ring":
        canvas.ellipse(center, (size, size), chrome, tint=bright)
        canvas.ellipse(center, (0.7 * size, 0.7 * size), Material.DARK)
        canvas.line((y, z - size), (y, z + size), 0.35 * size, chrome, tint=bright)
    elif name == "bow_tie":
        points = [(-1.8, 0.5), (-1.8, -0.5), (0.0, -0.15), (1.8, -0.5), (1.8, 0.5), (0.0, 0.15)]
        canvas.polygon([(y + a * size, z + b * size) for a, b in points], Material.MATTE, albedo=tint)
    elif name == "bar":
        canvas.box(y - 2.2 * size, y + 2.2 * size, z - 0.3 * size, z + 0.3 * size, chrome, tint=bright)
    elif name == "diamond":
        points = [(-0.8, 0.0), (0.0, -1.2), (0.8, 0.0), (0.0, 1.2)]
        canvas.polygon([(y + a * size, z + b * size) for a, b in points], chrome, tint=bright)
    elif name == "rings":
        for shift in (-0.6, 0.6):
            canvas.ellipse((y + shift * size, z), (0.7 * size, 0.7 * size), chrome, tint=bright)
            canvas.ellipse((y + shift * size, z), (0.42 * size, 0.42 * size), Material.DARK)
    elif name == "star":
        for angle in (45, 135, 225, 315):
            tip = (y + size * np.cos(np.radians(angle)), z + size * np.sin(np.radians(angle)))
            canvas.line((y, z), tip, 0.35 * size, chrome, tint=bright)
    elif name == "words":
        for index in range(6):
            start = y + (index - 3) * 1.3 * size
            canvas.box(start, start + 0.9 * size, z - 0.45 * size, z + 0.45 * size, chrome, tint=bright)
    # "none": a face without a badge
