# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints what only one vehicle has: dirt, dents, scratches, rust, a panel of another color."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.draft import FRONT, LEFT, REAR, RIGHT, TOP, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.paint.canvas import BODYWORK, Canvas
from pamtri_edge.synth.paint.side import doors_of
from pamtri_edge.synth.specification.marks import Flaw
from pamtri_edge.synth.specification.streams import Surface

_SHEETS = {"left": LEFT, "right": RIGHT, "front": FRONT, "rear": REAR, "hood": TOP, "roof": TOP}


def paint_flaws(draft: Draft) -> None:
    """Paint all flaws, and the dirt that the road has left."""
    for flaw in draft.spec.flaws:
        canvas = draft.sheets[_SHEETS[flaw.place]]
        center = _center(draft, flaw)
        rng = np.random.default_rng([flaw.pattern, Surface.FLAW])
        if flaw.kind == "panel":
            _panel(draft, canvas, flaw)
        elif flaw.kind == "scratch":
            _scratch(draft, canvas, flaw, center, rng)
        else:
            _patch(draft, canvas, flaw, center, rng)
    if draft.spec.dirt > 0.12:
        _road_dirt(draft)


def _scale(draft: Draft, flaw: Flaw) -> tuple[float, float]:
    """Return how long a meter is on the flaw's sheet, along its two axes."""
    return (1.0, 2.0 / draft.spec.shape.width) if flaw.place in ("hood", "roof") else (1.0, 1.0)


def _center(draft: Draft, flaw: Flaw) -> Floats:
    shape, frame = draft.spec.shape, draft.frame
    if flaw.place in ("left", "right"):
        x = frame.body_rear + flaw.x * (frame.front - frame.body_rear)
        return np.array([x, frame.sill + flaw.z * (shape.cowl_z - frame.sill)])
    if flaw.place in ("front", "rear"):
        top = shape.hood_front_z if flaw.place == "front" else shape.deck_z
        return np.array([(2 * flaw.x - 1) * draft.face, frame.sill + flaw.z * (top - frame.sill)])
    start, end = 0.0, draft.arc("windshield_bottom")
    if flaw.place == "roof":
        start, end = draft.arc("windshield_top"), draft.arc("rear_window_top")
    return np.array([start + flaw.z * max(end - start, 0.1), (2 * flaw.x - 1) * 0.8])


def _patch(draft: Draft, canvas: Canvas, flaw: Flaw, center: Floats, rng: np.random.Generator) -> None:
    scale = np.array(_scale(draft, flaw))
    angles = np.linspace(0, 2 * np.pi, 15)[:-1]
    radius = flaw.size / 2 * rng.uniform(0.55, 1.0, len(angles))
    ring = np.stack([radius * np.cos(angles), 0.7 * radius * np.sin(angles)], axis=1)
    if flaw.kind == "dent":
        canvas.shade(center + ring * scale, flaw.tint, only=BODYWORK)
        light = [2.0 - one for one in flaw.tint]
        canvas.shade(center + (ring * 0.6 + np.array([0.0, -0.12 * flaw.size])) * scale, light, only=BODYWORK)
    elif flaw.kind == "splash":
        for _ in range(9):
            spot = rng.normal(0, 0.4 * flaw.size, 2)
            canvas.shade(center + (spot + 0.35 * ring) * scale, flaw.tint, only=(*BODYWORK, Material.PLASTIC))
    elif flaw.kind == "rust":
        canvas.polygon(center + ring * scale, Material.MATTE, albedo=(0.16, 0.07, 0.03), only=BODYWORK)
    else:  # "patch", "dust"
        canvas.shade(center + ring * scale, flaw.tint, only=BODYWORK)


def _scratch(draft: Draft, canvas: Canvas, flaw: Flaw, center: Floats, rng: np.random.Generator) -> None:
    scale = np.array(_scale(draft, flaw))
    steps = np.linspace(-1, 1, 5)
    line = np.stack([steps * flaw.size, np.cumsum(rng.normal(0, 0.02, 5))], axis=1)
    canvas.path(
        center + line * scale,
        0.016,
        Material.MATTE,
        albedo=tuple(0.3 * one for one in flaw.tint),
        only=BODYWORK,
    )


def _panel(draft: Draft, canvas: Canvas, flaw: Flaw) -> None:
    """Tint one door, fender or bumper as a whole."""
    frame = draft.frame
    if flaw.place in ("left", "right"):
        seams = doors_of(draft).seams
        borders = [frame.front + 0.3, *seams, frame.body_rear - 0.3]
        index = min(int(flaw.x * (len(borders) - 1)), len(borders) - 2)
        field = [
            (borders[index], 0.0),
            (borders[index + 1], 0.0),
            (borders[index + 1], 4.0),
            (borders[index], 4.0),
        ]
    elif flaw.place == "hood":
        end = draft.arc("windshield_bottom")
        field = [(0.0, -0.9), (end, -0.93), (end, 0.93), (0.0, 0.9)]
    else:
        field = [(-3, 0.0), (3, 0.0), (3, frame.sill + 0.36), (-3, frame.sill + 0.36)]
    canvas.shade(field, flaw.tint, only=BODYWORK)


def _road_dirt(draft: Draft) -> None:
    """Soften the lower body towards the color of the road, in a pattern of the vehicle's own."""
    spec = draft.spec
    rng = np.random.default_rng([spec.seed, spec.identity, Surface.DIRT])
    paint = max(sum(spec.paint.base) / 3, 0.02)
    target = np.clip(np.array([0.17, 0.15, 0.12]) / paint, 0.45, 1.95)
    reach = draft.frame.sill + 0.15 + 0.5 * spec.dirt
    for sheet in (LEFT, RIGHT, FRONT, REAR):
        canvas = draft.sheets[sheet]
        height = canvas.material.shape[0]
        z = np.linspace(canvas.high[1], canvas.low[1], height, dtype=np.float32)
        fall = np.clip((reach - z) / 0.35 + 0.4, 0, 1)
        first = int(np.argmax(fall > 0))
        material, color = canvas.material[first:], canvas.color[first:]
        amount = _noise(rng, material.shape) * np.float32(1.4) + np.float32(0.3)
        amount = np.minimum(amount * (fall[first:, None] * np.float32(spec.dirt)), np.float32(0.85))
        amount[~np.isin(material, [int(one) for one in BODYWORK])] = 0
        factor = np.float32(1) - amount[..., None] * (1 - target).astype(np.float32)
        np.copyto(color, np.minimum(color * factor, 255).astype(np.uint8))


def _noise(rng: np.random.Generator, size: tuple[int, ...]) -> NDArray[np.float32]:
    """Return smooth noise 0..1."""
    coarse = rng.random((6, 12), dtype=np.float32)
    fine = rng.random((20, 40), dtype=np.float32)
    both = 0.65 * cv2.resize(coarse, size[::-1]) + 0.35 * cv2.resize(fine, size[::-1])
    return np.asarray(both, np.float32)
