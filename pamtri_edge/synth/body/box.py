# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where a truck's load lies, the walls that most loads have, goods on an open floor, the frame's rear end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.draft import CARGO, Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.specification.streams import Surface
from pamtri_edge.vehicle import SEGMENTS

PART: Final = {segment.name: index for index, segment in enumerate(SEGMENTS)}
"""Numbers of the segments."""

TANK_RIM: Final = 0.94
"""Radius of a tank where its domed ends begin, as a fraction of its middle's."""

_LEAN: Final = 0.7
"""Sine and cosine, nearly, of where a tank's upper and lower rear keypoints lie on its rim."""

_HOPPER: Final = 0.55
"""Half the width, in meters, of a mixer's hopper."""


@dataclass(frozen=True)
class Box:
    """Where a truck's load lies, in meters.

    Attributes:
        rear: x of its rear wall.
        front: x of its front wall.
        half_width: y of its left wall.
        floor: height of its floor.
        top: height of its upper edge.
        bar: height of the bar below its rear end.
    """

    rear: float
    front: float
    half_width: float
    floor: float
    top: float
    bar: float

    @property
    def middle(self) -> float:
        """Height half way between floor and top."""
        return (self.floor + self.top) / 2

    def corners(self, kind: str) -> tuple[tuple[float, float], ...]:
        """Return y and z of a kind of load's left rear corners: top, middle and foot."""
        if kind == "tank":
            wide, rise = TANK_RIM * self.half_width, TANK_RIM * (self.top - self.floor) / 2
            y, z = _LEAN * wide, _LEAN * rise
            return (y, self.middle + z), (wide, self.middle), (y, self.middle - z)
        if kind == "mixer":
            return (_HOPPER, self.top), (_HOPPER, self.middle), (self.half_width, self.floor)
        return tuple((self.half_width, z) for z in (self.top, self.middle, self.floor))


def box_of(draft: Draft) -> Box:
    """Place a truck's load on its frame."""
    shape, cargo = draft.spec.shape, draft.spec.cargo
    assert cargo is not None
    return Box(
        rear=draft.frame.rear,
        front=draft.frame.body_rear - cargo.gap,
        half_width=shape.width / 2 + cargo.overhang,
        floor=2 * shape.wheel_radius + 0.12,
        top=cargo.height,
        bar=0.50,
    )


def doors_end(draft: Draft, box: Box) -> float:
    """Return the x behind which a load's side belongs to the rear fender's segment.

    The line runs from the arch's front foot to the box's rear edge at half its height, as keypoints 6 and 12
    have it.
    """
    border = -draft.frame.front_axle + draft.spec.shape.wheel_radius
    return border + (box.rear - border) * 0.5


def add_walls(assembly: Assembly, draft: Draft, box: Box) -> None:
    """Add the sides, the doors behind and the wall in front; their segments follow the keypoints' lines."""
    columns = 13
    share = np.linspace(0, 1, columns)
    lean = doors_end(draft, box)
    for sign in (1, -1):
        sheet = 0.0 if sign > 0 else 0.5
        walls = np.empty((columns, 2, 3))
        walls[..., 0] = (box.rear + (box.front - box.rear) * share)[:, None]
        walls[..., 1] = sign * box.half_width
        walls[..., 2] = (box.floor, box.top)
        uv = np.empty((columns, 2, 2))
        uv[..., 0] = (0.80 * share)[:, None]
        uv[..., 1] = (sheet + 0.5, sheet)
        name = "left" if sign > 0 else "right"
        center = walls[:-1, 0, 0] + (box.front - box.rear) / (columns - 1) / 2
        part = np.where(center < lean, PART[f"{name}_rear_fender"], PART[f"{name}_doors"])
        _wall(assembly, walls, uv, (0, sign, 0), part[:, None])
    add_rear_wall(assembly, box)
    _end(assembly, box, box.front, (1.0, 0.52), (NO_PART, NO_PART), 1)


def add_rear_wall(assembly: Assembly, box: Box) -> None:
    """Add the doors behind."""
    _end(assembly, box, box.rear, (0.5, 0.0), (PART["trunk"], PART["rear_window"]), -1)


def _end(
    assembly: Assembly, box: Box, x: float, rows: tuple[float, float], parts: tuple[int, int], lean: int
) -> None:
    low, high = rows
    corners = np.empty((2, 3, 3))
    corners[..., 0] = x
    corners[..., 1] = np.array([-box.half_width, box.half_width])[:, None]
    corners[..., 2] = (box.floor, box.middle, box.top)
    uv = np.empty((2, 3, 2))
    uv[..., 0] = np.array([0.81, 1.0])[:, None]
    uv[..., 1] = (low, (low + high) / 2, high)
    _wall(assembly, corners, uv, (lean, 0, 0), np.array([parts]))


def _wall(
    assembly: Assembly, corners: Floats, uv: Floats, normal: tuple[int, int, int], part: NDArray[np.int64]
) -> None:
    normals = np.broadcast_to(np.array(normal, np.float64), corners.shape)
    assembly.grid(corners, normals, uv=uv, texture=CARGO, part=part)


def add_open_load(
    assembly: Assembly, draft: Draft, box: Box, *, below: float, heap: tuple[float, float]
) -> None:
    """Add the floor, drop sides and load of a flatbed or tipper.

    Args:
        assembly: takes the pieces.
        draft: the vehicle.
        box: where the load lies.
        below: how far the floor reaches down, in meters.
        heap: of a tipper, half the length and half the width of what it carries, as fractions of the box's
            length and half width.
    """
    cargo, wide = draft.spec.cargo, box.half_width
    assert cargo is not None
    assembly.box((box.rear, -wide, box.floor - below), (box.front, wide, box.floor + 0.02), Material.PLASTIC)
    for sign in (1, -1):
        y = sign * (wide - 0.03)
        low, high = (box.rear, y - 0.005, box.floor), (box.front, y + 0.005, box.top)
        assembly.box(low, high, Material.MATTE, color=cargo.tint)
    if cargo.kind == "flatbed":
        _add_goods(assembly, draft, box)
    else:
        middle = ((box.rear + box.front) / 2, 0, box.floor + 0.1)
        radii = ((box.front - box.rear) * heap[0], wide * heap[1], box.top - box.floor)
        assembly.ellipsoid(middle, radii, Material.MATTE, color=(0.24, 0.20, 0.15))


def goods_color(rng: np.random.Generator) -> Floats:
    """Draw the color of wood, cardboard, tarpaulin or steel."""
    return np.asarray(rng.uniform(0.04, 0.4) * (1 + 0.7 * rng.uniform(-0.5, 0.5, 3)))


def _add_goods(assembly: Assembly, draft: Draft, box: Box) -> None:
    """Add crates and bundles on an open floor."""
    rng = np.random.default_rng([draft.spec.seed, draft.spec.identity, Surface.GOODS])
    for _ in range(int(rng.integers(1, 5))):
        x = rng.uniform(box.rear + 0.4, box.front - 0.5)
        y = rng.uniform(-0.5, 0.5) * box.half_width
        half = rng.uniform(0.2, 0.5, 2)
        color = goods_color(rng)
        assembly.box(
            (x - half[0], y - half[1], box.floor),
            (x + half[0], y + half[1], box.floor + rng.uniform(0.3, 1.0)),
            Material.MATTE,
            color=color,
        )


def add_bumper(assembly: Assembly, draft: Draft, box: Box, *, color: Sequence[float] | None = None) -> None:
    """Add the bar below the rear end with the plate; `color` paints the bar."""
    wide, plate = box.half_width, draft.spec.plate
    assembly.box(
        (box.rear - 0.03, -wide * 0.95, box.bar - 0.02),
        (box.rear + 0.05, wide * 0.95, box.bar + 0.09),
        Material.PLASTIC if color is None else Material.MATTE,
        color=(0.5, 0.5, 0.5) if color is None else color,
        part=PART["rear_face"],
    )
    y = draft.spec.rear.plate_y
    assembly.box(
        (box.rear - 0.045, y - plate.width / 2, box.bar - 0.05),
        (box.rear - 0.03, y + plate.width / 2, box.bar - 0.05 + plate.height),
        Material.PLATE,
        color=plate.ground,
        part=PART["rear_face"],
    )


def add_rear_lamp(assembly: Assembly, box: Box, sign: int) -> None:
    """Add the rear lamp of the left (+1) or right (-1) side."""
    lamp = sign * (box.half_width - 0.22)
    assembly.box(
        (box.rear - 0.05, lamp - 0.15, box.bar + 0.12),
        (box.rear, lamp + 0.15, box.bar + 0.24),
        Material.TAILLAMP,
        part=PART["rear_face"],
    )
    assembly.box(
        (box.rear - 0.055, lamp + 0.05 * sign, box.bar + 0.12),
        (box.rear - 0.04, lamp + 0.15 * sign, box.bar + 0.24),
        Material.INDICATOR,
    )
