# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The loads of haulage: boxes, containers, curtains, tarpaulins, tippers, tanks, mixers, empty frames."""

from __future__ import annotations

import itertools

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.box import (
    PART,
    TANK_RIM,
    Box,
    add_bumper,
    add_open_load,
    add_rear_lamp,
    add_rear_wall,
    add_walls,
    box_of,
    doors_end,
)
from pamtri_edge.synth.body.draft import CARGO, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.paint.loads import paint_load
from pamtri_edge.synth.specification.marks import Cargo


def add_haulage(assembly: Assembly, draft: Draft) -> None:
    """Add the load, and the frame under it."""
    cargo, box = draft.spec.cargo, box_of(draft)
    assert cargo is not None
    paint_load(
        draft.sheets[CARGO],
        cargo,
        (box.front - box.rear, 2 * box.half_width, box.top - box.floor),
        seed=(draft.spec.seed, draft.spec.identity),
    )
    if cargo.kind == "tank":
        _add_tank(assembly, draft, box)
    elif cargo.kind == "mixer":
        _add_mixer(assembly, draft, box)
    elif cargo.kind == "skeleton":
        _add_skeleton(assembly, draft, cargo, box)
    else:
        add_walls(assembly, draft, box)
        _add_top(assembly, draft, cargo, box)
    _add_frame(assembly, draft, cargo, box)
    if cargo.front_unit and cargo.kind not in ("skeleton", "flatbed", "tipper", "mixer"):
        _add_front_unit(assembly, draft, cargo, box)


def _add_top(assembly: Assembly, draft: Draft, cargo: Cargo, box: Box) -> None:
    wide = box.half_width
    if cargo.kind in ("flatbed", "tipper"):
        add_open_load(assembly, draft, box, below=0.0, heap=(0.49, 0.96))
    elif cargo.kind == "tarp":
        _add_vault(assembly, cargo, box)
    else:
        low, high = (box.rear, -wide, box.top - 0.02), (box.front, wide, box.top + 0.02)
        tint = np.asarray(cargo.tint) * 0.92
        assembly.box(low, high, Material.MATTE, color=tint, part=PART["roof"])


def _add_vault(assembly: Assembly, cargo: Cargo, box: Box) -> None:
    """Add a tarpaulin's round top, sagging between its hoops."""
    angles = np.linspace(0, np.pi, 9)
    stations = np.linspace(box.rear, box.front, 9)
    rise = 0.22 - 0.05 * (np.arange(9) % 2)
    points = np.empty((9, 9, 3))
    points[..., 0] = stations[:, None]
    points[..., 1] = -box.half_width * np.cos(angles)
    points[..., 2] = box.top + rise[:, None] * np.sin(angles) ** 0.8
    normals = np.stack([0 * angles, -0.5 * np.cos(angles), 0.3 + np.sin(angles)], axis=-1)
    assembly.grid(
        points,
        np.broadcast_to(normals, points.shape),
        material=Material.MATTE,
        color=cargo.tint,
        part=PART["roof"],
    )
    for x, lean in ((box.rear, -1.0), (box.front, 1.0)):
        end = np.stack([points[0] * (0, 1, 1), points[0] * (0, 1, 0) + (0, 0, box.top)], axis=1)
        end[..., 0] = x
        normal = np.broadcast_to(np.array([lean, 0.0, 0.0]), end.shape)
        assembly.grid(end, normal, material=Material.MATTE, color=cargo.tint)


def _add_tank(assembly: Assembly, draft: Draft, box: Box) -> None:
    """Add a lying cylinder with domed ends, its halves covered by the sides' sheets."""
    lean = doors_end(draft, box)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 11)
    length = box.front - box.rear
    stations = np.array([0.0, 0.02, *np.linspace(0.2, 0.8, 5), 0.98, 1.0]) * length
    size = np.array([TANK_RIM, 1.0, *[1.0] * 5, 1.0, TANK_RIM])
    rise = (box.top - box.floor) / 2
    for sign, side in ((1, "left"), (-1, "right")):
        points = np.empty((len(stations), len(angles), 3))
        points[..., 0] = (box.rear + stations)[:, None]
        points[..., 1] = sign * box.half_width * size[:, None] * np.cos(angles)
        points[..., 2] = box.middle + rise * size[:, None] * np.sin(angles)
        normals = np.zeros_like(points)
        normals[..., 1], normals[..., 2] = sign * np.cos(angles) / box.half_width, np.sin(angles) / rise
        uv = np.empty((len(stations), len(angles), 2))
        uv[..., 0] = (0.80 * stations / length)[:, None]
        uv[..., 1] = (0.0 if sign > 0 else 0.5) + 0.5 - 0.25 * (1 + np.sin(angles))
        along = box.rear + (stations[:-1] + stations[1:]) / 2
        part = np.where(along < lean, PART[f"{side}_rear_fender"], PART[f"{side}_doors"])
        quads = np.repeat(part[:, None], len(angles) - 1, axis=1)
        quads[:, angles[:-1] > 0.8] = PART["roof"]
        assembly.grid(points, normals, uv=uv, texture=CARGO, part=quads)
    _add_domes(assembly, box)
    y, tall = 0.22, box.top + 0.05
    for x in np.linspace(box.rear + 0.2 * length, box.front - 0.2 * length, 3):
        assembly.box((x - 0.25, -y, box.top - 0.06), (x + 0.25, y, tall + 0.08), Material.PLASTIC)


def _add_domes(assembly: Assembly, box: Box) -> None:
    turn = np.linspace(0, 2 * np.pi, 21)
    rings = np.array([(TANK_RIM, 0.0), (0.65, 0.07), (0.0, 0.10)])
    for x, lean, row in ((box.rear, -1, 0.25), (box.front, 1, 0.75)):
        points = np.empty((len(rings), len(turn), 3))
        points[..., 0] = x + lean * rings[:, 1:]
        points[..., 1] = box.half_width * rings[:, :1] * np.cos(turn)
        points[..., 2] = box.middle + (box.top - box.floor) / 2 * rings[:, :1] * np.sin(turn)
        normals = np.zeros_like(points)
        normals[..., 0] = lean
        normals[..., 1:] = 0.5 * rings[:, :1, None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        uv = np.empty((len(rings), len(turn), 2))
        uv[..., 0] = 0.905 + 0.095 * rings[:, :1] * np.cos(turn)
        uv[..., 1] = row - 0.24 * rings[:, :1] * np.sin(turn)
        upper = np.sin((turn[:-1] + turn[1:]) / 2) > 0
        part = np.where(upper, PART["rear_window"], PART["trunk"]) if lean < 0 else np.full(20, NO_PART)
        assembly.grid(points, normals, uv=uv, texture=CARGO, part=np.tile(part, (len(rings) - 1, 1)))


def _add_mixer(assembly: Assembly, draft: Draft, box: Box) -> None:
    """Add a tilted drum, the hopper over its mouth and the chute under it."""
    turn = np.linspace(0, 2 * np.pi, 19)
    share = np.array([0.0, 0.12, 0.40, 0.68, 0.90, 1.0])
    radius = np.array([0.36, 0.52, 1.0, 1.0, 0.66, 0.40]) * min(0.44 * (box.top - box.floor), box.half_width)
    axis = box.rear + 0.35 + (box.front - box.rear - 0.45) * share
    height = box.top - 0.40 - (box.top - 0.40 - box.floor - radius[3]) * np.clip(share / 0.68, 0, 1)
    points = np.empty((len(share), len(turn), 3))
    points[..., 0] = axis[:, None] + 0.15 * radius[:, None] * np.sin(turn)
    points[..., 1] = radius[:, None] * np.cos(turn)
    points[..., 2] = height[:, None] + radius[:, None] * np.sin(turn)
    swell = np.gradient(radius, axis)[:, None]
    normals = np.stack([-swell + 0 * turn, np.cos(turn) + 0 * swell, np.sin(turn) + 0 * swell], axis=-1)
    uv = np.empty((len(share), len(turn), 2))
    uv[..., 0] = 0.80 * share[:, None]
    uv[..., 1] = np.where(np.cos(turn) >= 0, 0.25, 0.75) - 0.24 * np.sin(turn)
    middle = (axis[:-1] + axis[1:]) / 2
    rear = middle < doors_end(draft, box)
    left = np.cos((turn[:-1] + turn[1:]) / 2) > 0
    part = np.where(
        rear[:, None],
        np.where(left, PART["left_rear_fender"], PART["right_rear_fender"]),
        np.where(left, PART["left_doors"], PART["right_doors"]),
    )
    assembly.grid(points, normals, uv=uv, texture=CARGO, part=part)
    cargo = draft.spec.cargo
    assert cargo is not None
    y, x = box.corners("mixer")[0][0], box.rear
    assembly.box(
        (x, -y, box.middle), (x + 0.5, y, box.top), Material.MATTE, color=cargo.tint, part=PART["rear_window"]
    )
    for sign in (1, -1):
        foot = np.array([(x + 0.1, sign * y * 0.9, box.middle), (x + 0.1, sign * y * 1.3, box.floor)])
        assembly.tube(foot, 0.05, Material.MATTE, color=cargo.frame)
    assembly.box((x - 0.05, -0.2, box.floor - 0.15), (x + 0.12, 0.2, box.middle), Material.PLASTIC)
    wide = box.half_width
    assembly.box(
        (x, -wide, box.floor - 0.02),
        (x + 0.3, wide, box.floor + 0.05),
        Material.MATTE,
        color=cargo.frame,
        part=PART["trunk"],
    )


def _add_skeleton(assembly: Assembly, draft: Draft, cargo: Cargo, box: Box) -> None:
    """Add the beams and cross members that a container would stand on."""
    lean, wide = doors_end(draft, box), box.half_width
    for sign, side in ((1, "left"), (-1, "right")):
        for low, high, name in ((box.rear, lean, "rear_fender"), (lean, box.front, "doors")):
            assembly.box(
                (low, sign * 0.36, box.floor - 0.1),
                (high, sign * 0.50, box.top - 0.02),
                Material.MATTE,
                color=cargo.frame,
                part=PART[f"{side}_{name}"],
            )
    for x in np.linspace(box.rear + 0.1, box.front - 0.1, 6):
        half = wide if abs(x - (box.rear + box.front) / 2) > 0.3 * (box.front - box.rear) else 0.8 * wide
        assembly.box((x - 0.1, -half, box.floor), (x + 0.1, half, box.top), Material.MATTE, color=cargo.frame)
    add_rear_wall(assembly, box)


def _add_frame(assembly: Assembly, draft: Draft, cargo: Cargo, box: Box) -> None:
    """Add beams, cross members, tanks and guards below the floor, mostly air, and the rear end."""
    shape, frame = draft.spec.shape, draft.frame
    wide = box.half_width
    if cargo.kind != "skeleton":
        assembly.box(
            (box.rear, -wide, box.floor - 0.07),
            (box.front, wide, box.floor),
            Material.MATTE,
            color=cargo.frame,
        )
    for sign in (1, -1):
        beam = (box.rear + 0.05, sign * 0.34, box.floor - 0.38), (box.front, sign * 0.48, box.floor - 0.05)
        assembly.box(*beam, Material.MATTE, color=cargo.frame)
    assembly.box(
        (box.front - 1.2, -0.45, 0.5), (frame.body_rear + 0.3, 0.45, box.floor - 0.22), Material.DARK
    )
    assembly.box((box.rear + 0.3, -0.3, 0.45), (box.front, 0.3, box.floor - 0.2), Material.DARK)
    assembly.box(
        (box.rear, -wide * 0.9, box.floor - 0.30),
        (box.rear + 0.12, wide * 0.9, box.floor - 0.06),
        Material.MATTE,
        color=cargo.frame,
        part=PART["rear_face"],
    )
    add_bumper(assembly, draft, box, color=cargo.frame if cargo.ribs % 3 else None)
    axles = sorted([-shape.wheelbase, *cargo.axles, 0.0])
    reach = shape.wheel_radius + 0.2
    for sign in (1, -1):
        add_rear_lamp(assembly, box, sign)
        side = sign * (wide - 0.06)
        for behind, ahead in itertools.pairwise(axles):
            start, end = frame.front_axle + behind + reach, frame.front_axle + ahead - reach
            if end - start < 0.5:
                continue
            if end > frame.body_rear - 1.0:  # the fuel tank stands behind the cab
                tank = max(start, end - 1.4)
                assembly.box((tank, side - sign * 0.55, 0.42), (end, side, 0.92), Material.PLASTIC)
                end = tank
            for z in (0.50, 0.82):
                if end - start > 0.5 and cargo.ribs % 2:
                    assembly.box((start, side - 0.02, z), (end, side + 0.02, z + 0.09), Material.PLASTIC)
        flap = -frame.front_axle - shape.wheel_radius - 0.08
        assembly.box(
            (flap, sign * (wide - 0.55), 0.18), (flap + 0.02, sign * (wide - 0.08), 0.8), Material.DARK
        )


def _add_front_unit(assembly: Assembly, draft: Draft, cargo: Cargo, box: Box) -> None:
    """Add a cooler on the front wall, or where the cab is low a deflector on its roof."""
    if cargo.ribs % 2 and cargo.kind in ("panel", "box", "container"):
        x, top = box.front, box.top
        low, high = (x, -0.7, top - 0.95), (x + min(0.4, cargo.gap), 0.7, top - 0.1)
        assembly.box(low, high, Material.MATTE, color=(0.6, 0.6, 0.62))
        return
    outline, shape = draft.outline, draft.spec.shape
    start, end = outline.place("windshield_top") - 0.35, outline.place("rear_window_top") + 0.12
    if box.top - shape.height < 0.3 or start - end < 0.4:
        return
    half, top = shape.width / 2 * 0.86, box.top - 0.12
    slope = np.array([(start, shape.height - 0.02), ((start + end) / 2, top - 0.12), (end, top)])
    points = np.empty((3, 2, 3))
    points[..., 0], points[..., 2] = slope[:, :1], slope[:, 1:]
    points[..., 1] = (-half, half)
    normals = np.broadcast_to(np.array([0.8, 0.0, 0.6]), points.shape)
    assembly.grid(points, normals, material=Material.PAINT)
    for sign in (1, -1):
        wall = np.empty((3, 2, 3))
        wall[..., 0], wall[..., 1] = slope[:, :1], sign * half
        wall[:, 0, 2], wall[:, 1, 2] = shape.height - 0.05, slope[:, 1]
        normal = np.broadcast_to(np.array([0.0, float(sign), 0.0]), wall.shape)
        assembly.grid(wall, normal, material=Material.PAINT)
