# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints what is seen from above: hood, windshield, roof, rear window and deck."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.draft import TOP, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import BODYWORK, Canvas
from pamtri_edge.synth.paint.glass import paint_rear_glass, paint_windshield
from pamtri_edge.synth.specification.streams import Surface


def paint_top(draft: Draft) -> None:
    """Paint hood, windshield, roof, and of a vehicle with a trunk its rear window and deck."""
    canvas = draft.sheets[TOP]
    _second_color(draft, canvas)
    if not draft.family.upright:
        _hood(draft, canvas)
    elif draft.family.haulage:
        _cab_grille(draft, canvas)
    _roof(draft, canvas)
    paint_windshield(draft)
    if draft.has_box:
        return
    if not draft.family.tailgate:
        _behind_the_roof(draft, canvas)
    if draft.spec.bus is not None and draft.family.upright:
        _route_sign(draft, canvas)


def _second_color(draft: Draft, canvas: Canvas) -> None:
    trim = draft.spec.trim
    start, end = draft.arc("windshield_top"), draft.arc("rear_window_top")
    hood = trim.two_tone == "upper" and trim.two_tone_z < draft.spec.shape.hood_front_z
    if hood:
        canvas.box(-1, 60, -1.1, 1.1, Material.SECOND_PAINT)
    bus = draft.spec.bus
    if bus is not None and bus.bright_roof:
        canvas.box(start + 0.1, end - 0.02, -1.1, 1.1, Material.MATTE, albedo=(0.60, 0.60, 0.59))
    elif trim.roof == "second" or trim.two_tone == "upper":
        canvas.box(start - 0.06, end + 0.1, -1.1, 1.1, Material.SECOND_PAINT)
    elif trim.roof == "black":
        canvas.box(start - 0.06, end + 0.1, -1.1, 1.1, Material.PLASTIC, tint=0.6)


def _hood(draft: Draft, canvas: Canvas) -> None:
    front = draft.spec.front
    end = draft.arc("windshield_bottom")
    for sign in (1, -1):
        canvas.path(
            [(0.0, sign * 0.90), (0.5 * end, sign * 0.925), (end, sign * 0.935)], 0.013, Material.SEAM
        )
    lines = {0: (), 1: (0.55,), 2: (0.35, 0.66), 3: (0.12, 0.6)}[front.hood_lines]
    for place in lines:
        for sign in (1, -1):
            line = [(0.02, sign * place * 0.8), (0.5 * end, sign * place * 0.95), (end, sign * place)]
            canvas.path(line, 0.035, Material.PAINT, tint=0.88, only=(Material.PAINT,))
    if front.hood_scoop:
        middle = 0.55 * end
        canvas.box(middle - 0.05, middle + 0.07, -0.28, 0.28, Material.DARK)
        canvas.box(middle + 0.07, middle + 0.30, -0.30, 0.30, Material.PAINT, tint=1.1, only=BODYWORK)
    if front.washer:
        canvas.box(end - 0.10, end, -0.9, 0.9, Material.PLASTIC)


def _cab_grille(draft: Draft, canvas: Canvas) -> None:
    """Paint what is between a truck's lamps and its windshield: slots, or a field of plastic with bars."""
    front, end = draft.spec.front, draft.arc("windshield_bottom")
    low, high = 0.08, end - 0.14
    if high < low + 0.12:
        return
    half = 0.45 + 0.4 * front.grille_width
    if front.grille_frame == "dark":
        canvas.box(low, high, -half, half, Material.PLASTIC)
    for a in np.arange(low + 0.03, high - 0.03, 0.11):
        canvas.box(a, a + 0.05, -half + 0.04, half - 0.04, Material.DARK)


def _roof(draft: Draft, canvas: Canvas) -> None:
    trim = draft.spec.trim
    start, end = draft.arc("windshield_top"), draft.arc("rear_window_top")
    if not draft.family.upright:
        for sign in (1, -1):
            canvas.line((start + 0.02, sign * 0.90), (end - 0.02, sign * 0.90), 0.016, Material.SEAM)
    else:
        for place in np.arange(start + 0.8, end - 0.4, 1.3):
            canvas.line((place, -0.9), (place, 0.9), 0.03, Material.SEAM, only=BODYWORK)
    if trim.sunroof == "panel":
        reach = end - start
        canvas.box(start + 0.10 * reach, start + 0.42 * reach, -0.52, 0.52, Material.GLASS, tint=0.5)
    elif trim.sunroof == "panorama":
        canvas.box(start - 0.02, start + 0.80 * (end - start), -0.76, 0.76, Material.GLASS, tint=0.45)
        middle = start + 0.40 * (end - start)
        canvas.line((middle, -0.76), (middle, 0.76), 0.04, Material.PLASTIC)


def _behind_the_roof(draft: Draft, canvas: Canvas) -> None:
    start, foot = draft.arc("rear_window_top"), draft.arc("rear_window_bottom")
    edge = draft.arc("trunk_rear_edge")
    if draft.family.upright:
        corners = np.array(
            [(foot - 0.1, -0.8), (foot - 0.1, 0.8), (start + 0.35, 0.78), (start + 0.35, -0.78)]
        )
        bus = draft.spec.bus
        if bus is not None and bus.dark_back:
            _dark_back(draft, canvas, start, edge)
        elif bus is None or not bus.panel:
            paint_rear_glass(draft, canvas, corners)
        else:
            _advertising(canvas, start + 0.25, edge - 0.08, bus.sign_pattern)
        return
    reach = foot - start
    lead = 0.05 if draft.family.cargo == "none" else 0.14
    inner = 0.90 * draft.spec.rear.window_scale
    corners = np.array(
        [
            (foot - 0.04 * reach, -inner - 0.03),
            (foot - 0.04 * reach, inner + 0.03),
            (start + lead * reach, inner - 0.03),
            (start + lead * reach, 0.03 - inner),
        ]
    )
    paint_rear_glass(draft, canvas, corners)
    if draft.family.cargo == "bed":
        open_bed = draft.spec.cargo is None or draft.spec.cargo.kind not in ("tonneau",)
        material = Material.HOLE if open_bed else Material.PLASTIC
        canvas.box(foot + 0.10, edge - 0.06, -0.90, 0.90, material)
        return
    canvas.line((foot + 0.04, -0.80), (foot + 0.04, 0.80), 0.014, Material.SEAM)
    for sign in (1, -1):
        canvas.path([(foot + 0.04, sign * 0.80), (edge, sign * 0.74)], 0.012, Material.SEAM)


def _dark_back(draft: Draft, canvas: Canvas, start: float, edge: float) -> None:
    """Paint a back of one dark pane, the window and the cover of the engine behind it."""
    bus = draft.spec.bus
    assert bus is not None
    reach = edge - start
    canvas.box(start + 0.14 * reach, edge + 0.2, -0.84, 0.84, Material.GLASS, tint=0.45)
    canvas.line((start + 0.62 * reach, -0.84), (start + 0.62 * reach, 0.84), 0.03, Material.PLASTIC)
    rng = np.random.default_rng([bus.sign_pattern, Surface.BUS_BACK])
    across = rng.uniform(-0.4, 0.1)
    a = start + 0.28 * reach
    for _ in range(int(rng.integers(3, 8))):
        wide = rng.uniform(0.04, 0.10)
        canvas.box(a, a + 0.16, across, across + wide, Material.MATTE, albedo=bus.sign)
        across += wide + 0.03


def _advertising(canvas: Canvas, start: float, end: float, pattern: int) -> None:
    """Fill a bus's back with a picture that sells something: a ground, a field, a few bars."""
    rng = np.random.default_rng([pattern, Surface.ADVERTISING])
    canvas.box(start, end, -0.86, 0.86, Material.MATTE, albedo=rng.uniform(0.1, 0.9, 3) ** 2)
    for _ in range(int(rng.integers(2, 6))):
        a, across = rng.uniform(start, end), rng.uniform(-0.7, 0.5)
        deep, wide = rng.uniform(0.08, 0.5), rng.uniform(0.1, 0.9)
        canvas.box(
            max(a - deep, start),
            a,
            across,
            min(across + wide, 0.86),
            Material.MATTE,
            albedo=rng.uniform(0.1, 0.9, 3) ** 2,
        )


def _route_sign(draft: Draft, canvas: Canvas) -> None:
    bus = draft.spec.bus
    assert bus is not None
    end = draft.arc("windshield_top")
    rng = np.random.default_rng([bus.sign_pattern, Surface.ROUTE_SIGN])
    low, high = end - 0.30, end - 0.06
    if draft.two_decks:
        low = draft.arc("windshield_bottom") + 1.48
        high = low + 0.30
    canvas.box(low - 0.03, high + 0.03, -0.72, 0.72, Material.DARK)
    for index in range(int(rng.integers(7, 16))):
        y = -0.62 + 0.085 * index
        if rng.random() < 0.2:
            continue
        top = high if rng.random() < 0.7 else (low + high) / 2
        foot = low if rng.random() < 0.7 else (low + high) / 2 - 0.02
        canvas.box(foot, top, y, y + 0.05, Material.MATTE, albedo=bus.sign)
