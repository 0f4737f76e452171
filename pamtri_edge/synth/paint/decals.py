# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints what is stuck on bodies: stripes, company panels, lettering, checkers, rows of blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from pamtri_edge.synth.body.draft import FRONT, REAR, TOP, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import BODYWORK, Canvas, Point
from pamtri_edge.synth.specification.marks import Decal
from pamtri_edge.synth.specification.streams import Surface

DECALS: Final = (
    "stripe",
    "wedge",
    "panel",
    "lettering",
    "round",
    "checker",
    "swoosh",
    "rows",
    "block",
    "twin_stripe",
)
"""The kinds there are."""


def paint_decals(draft: Draft) -> None:
    """Paint every decal on the sheets that it belongs to."""
    shape, frame = draft.spec.shape, draft.frame
    for decal in draft.spec.decals:
        for sign, name in ((1, "left"), (-1, "right")):
            if decal.place in (name, "both"):
                x = frame.body_rear + decal.x * (frame.front - frame.body_rear)
                z = frame.sill + decal.z * (shape.cowl_z - frame.sill)
                paint_decal(draft.side(sign), decal, (x, z))
        if decal.place in ("rear", "front"):
            half = draft.back if decal.place == "rear" else draft.face
            z = frame.sill + decal.z * (shape.deck_z - frame.sill)
            paint_decal(
                draft.sheets[REAR if decal.place == "rear" else FRONT], decal, (half * (2 * decal.x - 1), z)
            )
        elif decal.place in ("hood", "roof"):
            _on_top(draft, decal)


def _on_top(draft: Draft, decal: Decal) -> None:
    """Paint a decal on hood or roof, whose sheet measures fractions across."""
    names = ("windshield_top", "rear_window_top") if decal.place == "roof" else (None, "windshield_bottom")
    start = draft.arc(names[0]) if names[0] else 0.0
    end = draft.arc(names[1])
    if end < start + 0.2:
        return
    half = draft.spec.shape.width / 2
    if decal.kind in ("stripe", "twin_stripe"):
        for shift in (0.0,) if decal.kind == "stripe" else (-0.16, 0.16):
            middle = (2 * decal.x - 1) * 0.6 + shift
            wide = decal.height / half / 2
            draft.sheets[TOP].box(
                start, end, middle - wide, middle + wide, Material.MATTE, albedo=decal.ink, only=BODYWORK
            )
        return
    middle, across = start + decal.z * (end - start), (2 * decal.x - 1) * 0.6
    canvas = draft.sheets[TOP]
    wide, tall = min(decal.width, end - start - 0.1) / 2, decal.height / half / 2
    canvas.box(
        middle - wide,
        middle + wide,
        across - tall,
        across + tall,
        Material.MATTE,
        albedo=decal.ink,
        only=BODYWORK,
    )
    rng = np.random.default_rng([decal.pattern, Surface.DECAL_LINES])
    for index in range(4):
        if rng.random() < 0.8:
            low = across - tall * 0.7 + index * tall * 0.38
            canvas.box(
                middle - 0.5 * wide,
                middle + 0.5 * wide,
                low,
                low + 0.2 * tall,
                Material.MATTE,
                albedo=decal.second_ink,
                only=BODYWORK,
            )


def paint_decal(canvas: Canvas, decal: Decal, center: Point, *, only: Sequence[Material] = BODYWORK) -> None:
    """Paint one decal around a place on a sheet in meters."""
    x, z = center
    half, rise = decal.width / 2, decal.height / 2
    low, high = (x - half, z - rise), (x + half, z + rise)
    rng = np.random.default_rng([decal.pattern, Surface.DECAL])

    def fill(points: Sequence[Point], ink: Sequence[float]) -> None:
        canvas.polygon(points, Material.MATTE, albedo=ink, only=(*only, Material.MATTE))

    def bar(x0: float, x1: float, z0: float, z1: float, ink: Sequence[float]) -> None:
        canvas.box(x0, x1, z0, z1, Material.MATTE, albedo=ink, only=(*only, Material.MATTE))

    if decal.kind == "stripe":
        bar(low[0], high[0], low[1], high[1], decal.ink)
    elif decal.kind == "twin_stripe":
        bar(low[0], high[0], z + 0.3 * rise, high[1], decal.ink)
        bar(low[0], high[0], low[1], z - 0.3 * rise, decal.second_ink)
    elif decal.kind == "wedge":
        fill([(low[0], low[1]), (high[0], low[1]), (x + 0.4 * half, high[1]), (low[0], high[1])], decal.ink)
    elif decal.kind == "swoosh":
        steps = np.linspace(0, 1, 12)
        upper = [(low[0] + 2 * half * t, low[1] + 2 * rise * t**0.6) for t in steps]
        lower = [(low[0] + 2 * half * t, low[1] + 2 * rise * t**1.7) for t in steps[::-1]]
        fill([*upper, *lower], decal.ink)
    elif decal.kind == "round":
        angles = np.linspace(0, 2 * np.pi, 16)
        size = min(half, rise)
        fill([(x + size * np.cos(a), z + size * np.sin(a)) for a in angles], decal.ink)
        _words(bar, rng, x - 0.6 * size, x + 0.6 * size, z - 0.2 * size, z + 0.2 * size, decal.second_ink)
    elif decal.kind == "checker":
        count = max(int(decal.width / decal.height * 2), 4)
        step = 2 * half / count
        for index in range(count):
            base = z if index % 2 else low[1]
            bar(low[0] + index * step, low[0] + (index + 1) * step, base, base + rise, decal.ink)
    elif decal.kind == "rows":
        for row in range(3):
            top = high[1] - row * 0.72 * rise
            _words(bar, rng, low[0], x + half * rng.uniform(0.1, 1.0), top - 0.4 * rise, top, decal.ink)
    elif decal.kind == "lettering":
        _words(bar, rng, low[0], high[0], low[1], high[1], decal.ink)
    else:  # "panel" and "block": a field with something written on it
        bar(low[0], high[0], low[1], high[1], decal.ink)
        if decal.kind == "panel":
            _words(bar, rng, low[0] + 0.2 * half, high[0] - 0.2 * half, z, z + 0.7 * rise, decal.second_ink)
            _words(bar, rng, low[0] + 0.2 * half, x, z - 0.6 * rise, z - 0.25 * rise, decal.second_ink)


def _words(
    bar: Callable[[float, float, float, float, Sequence[float]], None],
    rng: np.random.Generator,
    left: float,
    right: float,
    low: float,
    high: float,
    ink: Sequence[float],
) -> None:
    """Draw words as rows of blocks as wide as letters."""
    tall = min(high - low, 0.28 * (right - left))
    low, high = (low + high - tall) / 2, (low + high + tall) / 2
    place = left
    while place < right:
        wide = tall * rng.uniform(0.35, 0.75)
        if rng.random() > 0.15 and place + wide < right + 0.2 * tall:
            foot = low if rng.random() < 0.8 else low + 0.4 * tall
            head = high if rng.random() < 0.8 else high - 0.35 * tall
            bar(place, place + wide, foot, head, ink)
        place += wide + 0.22 * tall
