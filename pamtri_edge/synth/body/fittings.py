# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is bolted to the body: mirrors, rails, roof loads, spoilers, steps, bars, antennas."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.material import FINISHES, Material
from pamtri_edge.synth.body.outline import Floats


def add_parts(assembly: Assembly, draft: Draft) -> None:
    """Add everything that stands out from the skin, wheels and cargo apart."""
    _underbody(assembly, draft)
    _mirrors(assembly, draft)
    _rails(assembly, draft)
    _roof_load(assembly, draft)
    _roof_units(assembly, draft)
    _spoiler(assembly, draft)
    _antenna(assembly, draft)
    _low_parts(assembly, draft)


def _underbody(assembly: Assembly, draft: Draft) -> None:
    """Fill the inside, so that nobody looks through the wheel arches."""
    shape, frame = draft.spec.shape, draft.frame
    half = shape.width / 2 - 0.30
    top = min(shape.hood_front_z, shape.rear_window_z) - 0.10
    rear = frame.body_rear + 0.18
    if draft.family.cargo == "bed":
        top = min(shape.hood_front_z - 0.12, shape.clearance + 0.42)
        cab = frame.front_axle + shape.rear_window_x
        assembly.box((cab, -half, top), (frame.front - 0.3, half, shape.hood_front_z - 0.12), Material.DARK)
    assembly.box((rear, -half, shape.clearance + 0.02), (frame.front - 0.28, half, top), Material.DARK)
    reach = shape.wheel_radius + shape.arch_gap + 0.01
    between = max(-frame.front_axle + reach, frame.body_rear + 0.1), frame.front_axle - reach
    if between[1] > between[0]:
        wide = half + 0.17
        assembly.box(
            (between[0], -wide, frame.sill), (between[1], wide, 2 * shape.wheel_radius + 0.05), Material.DARK
        )


def _mirrors(assembly: Assembly, draft: Draft) -> None:
    shape, frame, trim = draft.spec.shape, draft.frame, draft.spec.trim
    finish = FINISHES[trim.mirrors]
    for sign in (1, -1):
        if draft.family.upright:
            z = shape.cowl_z + 0.50 if draft.has_box else shape.height - 0.95
            y, x = sign * (shape.width / 2 + 0.14), frame.front - 0.06
            assembly.ellipsoid((x, y, z), (0.06, 0.09, 0.20), Material.PLASTIC)
            arm = np.array([(x, sign * shape.width / 2 * 0.93, z + 0.24), (x, y, z + 0.2)])
            assembly.tube(arm, 0.02, Material.PLASTIC)
            continue
        x = frame.front_axle + shape.cowl_x - 0.30
        z = float(draft.section.belt(x)) + 0.10
        y = float(draft.section.half_width(np.array(x), np.array(z - 0.12)))
        tall = 0.13 if draft.spec.family in ("van", "minibus", "pickup") else 0.075
        assembly.ellipsoid((x, sign * (y + 0.13), z), (0.07, 0.11, tall), finish)
        assembly.box(
            (x - 0.03, sign * (y - 0.03), z - 0.07), (x + 0.03, sign * (y + 0.1), z - 0.045), Material.PLASTIC
        )


def _roof_line(draft: Draft, start: float, end: float, count: int) -> tuple[Floats, Floats]:
    """Return x and z along the roof between two fractions of its length, front first."""
    rows = draft.outline.rows
    first, last = rows["windshield_top"], rows["rear_window_top"]
    ahead, behind = draft.outline.points[first, 0], draft.outline.points[last, 0]
    x = np.linspace(ahead + (behind - ahead) * start, ahead + (behind - ahead) * end, count)
    piece = draft.outline.points[first : last + 1][::-1]
    return x, np.interp(x, piece[:, 0], piece[:, 1])


def _rails(assembly: Assembly, draft: Draft) -> None:
    trim = draft.spec.trim
    if trim.rails == "none":
        return
    x, z = _roof_line(draft, 0.06, 0.97, 8)
    lift = np.full(8, 0.055)
    lift[[0, -1]] = 0.0
    y = draft.section.half_width(x, z - 0.03) - draft.spec.shape.edge_radius * 0.9 - 0.02
    material = Material.CHROME if trim.rails == "bright" else Material.PLASTIC
    for sign in (1, -1):
        assembly.tube(np.stack([x, sign * y, z + lift], axis=1), 0.018, material)


def _roof_load(assembly: Assembly, draft: Draft) -> None:
    trim = draft.spec.trim
    if trim.roof_load == "none":
        return
    x, z = _roof_line(draft, 0.0, 1.0, 9)
    crown = draft.spec.shape.crown
    top, length = float(z.max()) + crown, float(x[0] - x[-1])
    middle = float(x[4])
    wide = float(draft.section.half_width(x[4], z[4] - 0.03)) - 0.12
    tint, y = trim.load_tint, trim.roof_load_y
    if trim.roof_load == "box":
        _bars(assembly, x, top, wide)
        assembly.ellipsoid(
            (middle, y, top + 0.21), (min(0.85, 0.42 * length), 0.36, 0.16), Material.MATTE, color=tint
        )
    elif trim.roof_load == "bars":
        _bars(assembly, x, top, wide)
    elif trim.roof_load == "rack":
        _rack(assembly, draft, x, top, wide)
    elif trim.roof_load == "bike":
        _bars(assembly, x, top, wide)
        for end in (-0.45, 0.45):
            ring = np.linspace(0, 2 * np.pi, 11)
            wheel = np.stack(
                [middle + end + 0.28 * np.cos(ring), np.full(11, y), top + 0.42 + 0.28 * np.sin(ring)], 1
            )
            assembly.tube(wheel, 0.018, Material.TYRE)
        frame = np.array([(-0.45, 0.42), (0.05, 0.42), (0.3, 0.75), (-0.2, 0.75)])
        path = np.stack([middle + frame[:, 0], np.full(4, y), top + frame[:, 1]], axis=1)
        assembly.tube(path, 0.022, Material.MATTE, color=tint)
    elif trim.roof_load == "taxi":
        assembly.box(
            (middle + 0.15, y - 0.20, top - 0.02),
            (middle + 0.27, y + 0.20, top + 0.13),
            Material.MATTE,
            color=tint,
        )
        assembly.box(
            (middle + 0.14, y - 0.11, top + 0.03), (middle + 0.28, y + 0.11, top + 0.09), Material.DARK
        )
    elif trim.roof_load == "beacon":
        assembly.box(
            (middle + 0.2, -wide * 0.8, top),
            (middle + 0.42, wide * 0.8, top + 0.10),
            Material.MATTE,
            color=tint,
        )
        assembly.box((middle + 0.19, -0.12, top + 0.01), (middle + 0.43, 0.12, top + 0.11), Material.CHROME)
    elif trim.roof_load == "aircon":
        half = min(0.9, 0.2 * length)
        assembly.box(
            (middle - half, y - 0.7 * wide, top - 0.06),
            (middle + half, y + 0.7 * wide, top + 0.16),
            Material.MATTE,
            color=tint,
        )


def _roof_units(assembly: Assembly, draft: Draft) -> None:
    """Add a bus's cooling units, flat and wide, and the hatches of its roof."""
    bus = draft.spec.bus
    if bus is None or not bus.hatches:
        return
    x, z = _roof_line(draft, 0.0, 1.0, 9)
    top, length = float(z.max()) + draft.spec.shape.crown, float(x[0] - x[-1])
    wide = draft.spec.shape.width / 2 - draft.spec.shape.edge_radius - 0.1
    tint = (0.60, 0.60, 0.60) if draft.spec.trim.load_tint[0] < 0.4 else draft.spec.trim.load_tint
    for index, share in enumerate(bus.hatches):
        middle = float(x[0]) - length * min(max(share, 0.1), 0.9)
        if index < len(bus.hatches) - 2 or index == 0:
            half = 0.75 + 0.35 * (bus.sign_pattern % 3)
            low, high = (middle - half, -0.82 * wide, top - 0.07), (middle + half, 0.82 * wide, top + 0.20)
            assembly.box(low, high, Material.MATTE, color=tint)
            for sign in (1, -1):
                fan = (middle - 0.3 * half, sign * 0.4 * wide - 0.2, top + 0.2)
                assembly.box(fan, (middle + 0.3 * half, fan[1] + 0.4, top + 0.215), Material.DARK)
        else:
            low, high = (middle - 0.35, -0.38, top - 0.06), (middle + 0.35, 0.38, top + 0.06)
            assembly.box(low, high, Material.PLASTIC)


def _bars(assembly: Assembly, x: Floats, top: float, wide: float) -> None:
    for place in (float(x[2]), float(x[6])):
        assembly.box((place - 0.03, -wide, top + 0.01), (place + 0.03, wide, top + 0.05), Material.PLASTIC)


def _rack(assembly: Assembly, draft: Draft, x: Floats, top: float, wide: float) -> None:
    material = Material.CHROME if draft.spec.trim.rails == "bright" else Material.PLASTIC
    start, end = float(x[-1]) + 0.1, float(x[0]) - 0.1
    for sign in (1, -1):
        assembly.box((start, sign * wide - 0.02, top + 0.06), (end, sign * wide + 0.02, top + 0.11), material)
    for place in np.linspace(start, end, 5):
        assembly.box((place - 0.02, -wide, top + 0.06), (place + 0.02, wide, top + 0.09), material)
    tint = draft.spec.trim.load_tint
    y = draft.spec.trim.roof_load_y
    assembly.box(
        (start + 0.1, y - 0.14, top + 0.09), (end - 0.1, y + 0.14, top + 0.15), Material.MATTE, color=tint
    )


def _spoiler(assembly: Assembly, draft: Draft) -> None:
    shape, rear = draft.spec.shape, draft.spec.rear
    if rear.spoiler == "none" or draft.family.upright or draft.family.cargo != "none":
        return
    if rear.spoiler == "roof" and draft.family.tailgate:
        x = draft.outline.place("rear_window_top")
        half = float(draft.section.half_width(np.array(x), np.array(shape.roof_rear_z - 0.05))) - 0.10
        ahead, _ = _roof_line(draft, 0.0, 1.0, 2)
        rise = (shape.height - shape.roof_rear_z) / max(float(np.ptp(ahead)), 0.5)
        z = shape.roof_rear_z + shape.crown * 0.25
        rows = np.array(
            [(x + 0.20, z + 0.10 * rise), (x - 0.15, z - 0.06 * rise), (x - 0.15, z - 0.05), (x, z - 0.06)]
        )
        points = np.empty((4, 2, 3))
        points[:, :, 0], points[:, :, 2] = rows[:, :1], rows[:, 1:]
        points[:, :, 1] = (-half, half)
        normals = np.array([(0.1, 0, 1), (-0.3, 0, 1), (-1, 0, -0.2), (-0.2, 0, -1)], np.float64)
        assembly.grid(points, np.repeat(normals[:, None], 2, axis=1), material=Material.PAINT)
        return
    x, z = draft.outline.place("trunk_rear_edge"), shape.deck_z
    half = draft.back * 0.82
    if rear.spoiler == "wing":
        assembly.box((x - 0.10, -half, z + 0.19), (x + 0.12, half, z + 0.22), Material.PAINT)
        for sign in (1, -1):
            assembly.box(
                (x - 0.02, sign * half * 0.6 - 0.015, z),
                (x + 0.05, sign * half * 0.6 + 0.015, z + 0.2),
                Material.PLASTIC,
            )
    elif not draft.family.tailgate:
        assembly.box((x - 0.03, -half, z + 0.01), (x + 0.09, half, z + 0.055), Material.PAINT)


def _antenna(assembly: Assembly, draft: Draft) -> None:
    trim = draft.spec.trim
    x, z = _roof_line(draft, 0.9, 1.0, 2)
    top = float(z[0]) + draft.spec.shape.crown
    if trim.antenna == "fin":
        assembly.ellipsoid((float(x[0]), 0.0, top + 0.03), (0.09, 0.022, 0.055), Material.PAINT)
    elif trim.antenna == "rod":
        x, z = _roof_line(draft, 0.05, 0.1, 2)
        foot = np.array([float(x[0]), trim.antenna_y, float(z[0])])
        assembly.tube(np.stack([foot, foot + np.array([-0.25, 0.0, 0.45])]), 0.008, Material.DARK)


def _low_parts(assembly: Assembly, draft: Draft) -> None:
    trim, shape, frame = draft.spec.trim, draft.spec.shape, draft.frame
    reach = shape.wheel_radius + 0.10
    half = shape.width / 2
    for sign in (1, -1):
        if trim.steps:
            assembly.box(
                (-frame.front_axle + reach, sign * (half - 0.10), frame.sill - 0.06),
                (frame.front_axle - reach, sign * (half + 0.02), frame.sill - 0.01),
                Material.PLASTIC,
            )
        if trim.mud_flaps and not draft.has_box:
            x = -frame.front_axle - shape.wheel_radius - 0.05
            assembly.box(
                (x - 0.015, sign * (half - 0.28), 0.10), (x, sign * (half - 0.05), 0.36), Material.DARK
            )
    if trim.bull_bar:
        z, x = shape.hood_front_z - 0.12, frame.front + draft.spec.shape.front_bulge * 0.8
        points = np.array([(-0.12, -0.62), (0.05, -0.5), (0.08, 0.0), (0.05, 0.5), (-0.12, 0.62)])
        path = np.stack([x + points[:, 0], points[:, 1], np.full(5, z)], axis=1)
        assembly.tube(path, 0.03, Material.CHROME)
