# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What trucks and pickups carry: boxes, tarpaulins, tippers, tanks, beds and their covers."""

from __future__ import annotations

import itertools

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.box import (
    PART,
    Box,
    add_bumper,
    add_open_load,
    add_rear_lamp,
    add_walls,
    box_of,
    goods_color,
)
from pamtri_edge.synth.body.draft import CARGO, Draft
from pamtri_edge.synth.body.haulage import add_haulage
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.loads import paint_box
from pamtri_edge.synth.specification.marks import Cargo
from pamtri_edge.synth.specification.streams import Surface


def add_cargo(assembly: Assembly, draft: Draft) -> None:
    """Add what the vehicle carries, if it carries anything."""
    if draft.family.cargo == "bed":
        _add_bed(assembly, draft)
    elif draft.family.haulage:
        add_haulage(assembly, draft)
    elif draft.family.cargo == "box":
        _add_box(assembly, draft)


def _add_box(assembly: Assembly, draft: Draft) -> None:
    cargo, box = draft.spec.cargo, box_of(draft)
    assert cargo is not None
    paint_box(draft.sheets[CARGO], cargo, (box.front - box.rear, 2 * box.half_width, box.top - box.floor))
    add_walls(assembly, draft, box)
    if cargo.kind in ("flatbed", "tipper"):
        add_open_load(assembly, draft, box, below=0.05, heap=(0.47, 0.9))
    else:
        _add_roof(assembly, cargo, box)
    _add_chassis(assembly, draft, box)


def _add_roof(assembly: Assembly, cargo: Cargo, box: Box) -> None:
    wide = box.half_width
    crown = 0.06 if cargo.kind == "curtain" else 0.01
    low, high = (box.rear, -wide, box.top - 0.02), (box.front, wide, box.top + crown)
    assembly.box(low, high, Material.MATTE, color=cargo.tint, part=PART["roof"])
    if cargo.front_unit:
        x, top = box.front, box.top
        assembly.box(
            (x, -0.55, top - 0.75), (x + 0.30, 0.55, top - 0.12), Material.MATTE, color=(0.7, 0.7, 0.72)
        )
        assembly.box((x + 0.30, -0.4, top - 0.65), (x + 0.31, 0.4, top - 0.3), Material.PLASTIC)


def _add_chassis(assembly: Assembly, draft: Draft, box: Box) -> None:
    shape, axle = draft.spec.shape, draft.frame.front_axle
    wide = box.half_width
    assembly.box((box.rear, -wide, box.floor - 0.07), (box.front, wide, box.floor), Material.PLASTIC)
    assembly.box(
        (box.rear + 0.05, -0.5, 0.5), (draft.frame.body_rear + 0.3, 0.5, box.floor - 0.05), Material.DARK
    )
    add_bumper(assembly, draft, box)
    for sign in (1, -1):
        add_rear_lamp(assembly, box, sign)
        side = sign * (shape.width / 2 - 0.04)
        start, end = -axle + shape.wheel_radius + 0.15, draft.frame.body_rear - 0.2
        if end > start + 0.2:
            assembly.box((start, side - 0.02, 0.48), (end, side + 0.02, 0.86), Material.PLASTIC)
        flap = -axle - shape.wheel_radius - 0.08
        assembly.box(
            (flap, sign * (wide - 0.45), 0.18), (flap + 0.02, sign * (wide - 0.08), 0.8), Material.DARK
        )


def _add_bed(assembly: Assembly, draft: Draft) -> None:
    shape, cargo, frame = draft.spec.shape, draft.spec.cargo, draft.frame
    rear = frame.body_rear + shape.deck_inset + 0.06
    front = frame.front_axle + shape.rear_window_x - 0.08
    wide, floor, rim = shape.width / 2 * 0.86 - 0.05, shape.clearance + 0.45, shape.deck_z - 0.01
    assembly.box((rear, -wide, floor - 0.02), (front, wide, floor), Material.PLASTIC)
    for sign in (1, -1):
        assembly.box((rear, sign * wide - 0.01, floor), (front, sign * wide + 0.01, rim), Material.PAINT)
    assembly.box((rear - 0.02, -wide, floor), (rear, wide, rim), Material.PAINT)
    assembly.box((front, -wide, floor), (front + 0.02, wide, rim), Material.PAINT)
    if cargo is None or cargo.kind in ("open", "tonneau"):
        return
    roof = draft.spec.shape.roof_rear_z
    if cargo.kind == "canopy":
        paint = Material.PAINT if cargo.front_unit else Material.PLASTIC
        assembly.box(
            (rear - 0.02, -wide * 0.98, rim), (front, wide * 0.98, roof - 0.06), paint, part=PART["trunk"]
        )
        for sign in (1, -1):
            y = sign * wide * 0.985
            assembly.box(
                (rear + 0.15, y - 0.004, rim + 0.12), (front - 0.15, y + 0.004, roof - 0.18), Material.GLASS
            )
        assembly.box(
            (rear - 0.03, -wide * 0.7, rim + 0.1), (rear - 0.018, wide * 0.7, roof - 0.2), Material.GLASS
        )
    elif cargo.kind == "sports_bar":
        x = front - 0.25
        arch = np.array(
            [
                (x - 0.35, -wide, rim),
                (x, -wide * 0.92, roof - 0.1),
                (x, wide * 0.92, roof - 0.1),
                (x - 0.35, wide, rim),
            ]
        )
        bar = Material.CHROME if cargo.front_unit else Material.PLASTIC
        for start, end in itertools.pairwise(arch):
            assembly.tube(np.stack([start, end]), 0.04, bar)
    else:
        rng = np.random.default_rng([draft.spec.seed, draft.spec.identity, Surface.LOOSE_CARGO])
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(rear + 0.3, front - 0.3), rng.uniform(-0.4, 0.4) * wide
            half, tall = rng.uniform(0.15, 0.4, 2), rng.uniform(0.3, 0.9)
            assembly.box(
                (x - half[0], y - half[1], floor),
                (x + half[0], y + half[1], floor + tall),
                Material.MATTE,
                color=goods_color(rng),
            )
