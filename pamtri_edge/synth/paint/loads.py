# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints the walls and doors of what trucks haul."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import Albedo, Canvas
from pamtri_edge.synth.paint.decals import paint_decal
from pamtri_edge.synth.specification.marks import Cargo
from pamtri_edge.synth.specification.parts import Rgb
from pamtri_edge.synth.specification.streams import Surface

_SIDES: Final = 0.80
_ENDS: Final = 0.81
"""Shares of the sheet's width: the sides lie left of the first, the ends right of the second."""

_GROUND: Final = (Material.MATTE, Material.CHROME)

_PLACES: Final = {"left": ("left", "both"), "right": ("right", "both", "rear")}
"""Which decals each side shows. The right side has what the doors have too, as in all sets so far."""


Size = tuple[float, float, float]
"""Length, width and rise of a load, in meters."""


def paint_load(sheet: Canvas, cargo: Cargo, size: Size, *, seed: tuple[int, int]) -> None:
    """Paint both sides and both ends of what is hauled.

    Args:
        sheet: the load's sheet: the left side above the right one, beside them the rear above the front.
        cargo: what is painted.
        size: of the load.
        seed: of the vehicle; stains follow from it.
    """
    length, wide, rise = size
    polished = cargo.kind == "tank" and cargo.tint[0] > 0.44
    if polished:
        sheet.box(0, 1, 0, 1, Material.CHROME, tint=(0.85, 0.85, 0.87))
    else:
        sheet.box(0, 1, 0, 1, Material.MATTE, albedo=cargo.tint)
    for side, stream in (("left", Surface.STAIN_LEFT), ("right", Surface.STAIN_RIGHT)):
        wall = _wall(sheet, side, length, rise)
        _SIDE_PAINTERS.get(cargo.kind, _panel)(wall, cargo, length, rise)
        _decals(wall, cargo, _PLACES[side], length, rise, _GROUND)
        _stain(wall, length, rise, np.random.default_rng([*seed, stream]))
    door = _door(sheet, wide, rise)
    _REAR_PAINTERS.get(cargo.kind, _doors)(door, cargo, wide, rise)
    _decals(door, cargo, ("rear",), wide, rise, _GROUND)
    _stain(door, wide, rise, np.random.default_rng([*seed, Surface.STAIN_REAR]))


def paint_box(sheet: Canvas, cargo: Cargo, size: Size) -> None:
    """Paint both sides and the doors of a plain truck's box; the arguments are those of `paint_load`."""
    length, wide, rise = size
    sheet.box(0, 1, 0, 1, Material.MATTE, albedo=cargo.tint)
    curtain = cargo.kind == "curtain"
    line = [0.72 * one for one in cargo.tint]
    edge = [0.5 * one for one in cargo.tint] if curtain else [0.6, 0.6, 0.6]
    for side in ("left", "right"):
        wall = _wall(sheet, side, length, rise)
        for x in np.linspace(0, length, cargo.ribs + 1)[1:-1]:
            wall.line((x, 0), (x, rise), 0.05 if curtain else 0.03, Material.MATTE, albedo=line)
        _edges(wall, length, rise, edge, foot=0.08, top=0.06, sides=0.06)
        _decals(wall, cargo, _PLACES[side], length, rise, (Material.MATTE,))
    door = _door(sheet, wide, rise)
    door.line((wide / 2, 0), (wide / 2, rise), 0.03, Material.DARK)
    for x in (0.22, 0.38, 0.62, 0.78):
        door.line((x * wide, 0), (x * wide, rise), 0.035, Material.CHROME, tint=0.8)
    for z in (0.2, 0.5, 0.8):
        for x in (0.03, 0.97):
            door.box(x * wide - 0.05, x * wide + 0.05, z * rise, z * rise + 0.06, Material.PLASTIC)
    frame = [(0.02, 0.02), (0.02, rise - 0.02), (wide - 0.02, rise - 0.02), (wide - 0.02, 0.02)]
    door.path(frame, 0.05, Material.MATTE, albedo=[0.6 * one for one in cargo.tint])
    _decals(door, cargo, ("rear",), wide, rise, (Material.MATTE,))


def _wall(sheet: Canvas, side: str, length: float, rise: float) -> Canvas:
    rows, columns = sheet.material.shape
    half = slice(0, rows // 2) if side == "left" else slice(rows // 2, None)
    return _part(sheet, half, slice(0, int(_SIDES * columns)), length, rise)


def _door(sheet: Canvas, wide: float, rise: float) -> Canvas:
    rows, columns = sheet.material.shape
    return _part(sheet, slice(0, rows // 2), slice(int(_ENDS * columns), None), wide, rise)


def _part(sheet: Canvas, rows: slice, columns: slice, wide: float, rise: float) -> Canvas:
    return Canvas(sheet.material[rows, columns], sheet.color[rows, columns], (0.0, 0.0), (wide, rise))


def _decals(
    canvas: Canvas,
    cargo: Cargo,
    places: tuple[str, ...],
    wide: float,
    rise: float,
    only: tuple[Material, ...],
) -> None:
    for decal in cargo.logo:
        if decal.place in places:
            paint_decal(canvas, decal, (decal.x * wide, decal.z * rise), only=only)


def _times(color: Rgb, factor: float) -> Rgb:
    red, green, blue = (min(one * factor, 0.8) for one in color)
    return red, green, blue


def _stain(wall: Canvas, wide: float, rise: float, rng: np.random.Generator) -> None:
    """Darken the foot, and streaks that rain has washed down."""
    dirt = rng.uniform(0.65, 1.0)
    foot = rng.uniform(0.15, 0.5) * rise
    wall.shade([(0, 0), (wide, 0), (wide, foot * 0.7), (0, foot)], (dirt, dirt, 0.96 * dirt), only=_GROUND)
    for _ in range(int(rng.integers(2, 9))):
        x, across = rng.uniform(0, wide), rng.uniform(0.03, 0.25)
        low, tone = rng.uniform(0, 0.6) * rise, rng.uniform(0.8, 1.04)
        streak = [(x, low), (x + across, low), (x + across, rise), (x, rise)]
        wall.shade(streak, tone, only=_GROUND)


def _edges(
    wall: Canvas, length: float, rise: float, albedo: Albedo, *, foot: float, top: float, sides: float
) -> None:
    wall.box(0, length, 0, foot, Material.MATTE, albedo=albedo)
    wall.box(0, length, rise - top, rise, Material.MATTE, albedo=albedo)
    wall.box(0, sides, 0, rise, Material.MATTE, albedo=albedo)
    wall.box(length - sides, length, 0, rise, Material.MATTE, albedo=albedo)


def _panel(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """A box of flat or ribbed sheets, some with a door in the side."""
    line = _times(cargo.tint, 0.78)
    count = cargo.ribs if cargo.ribs % 3 else 2
    for x in np.linspace(0, length, count + 2)[1:-1]:
        wall.line((x, 0), (x, rise), 0.035, Material.MATTE, albedo=line)
    if cargo.ribs % 4 == 1:
        for z in np.linspace(0, rise, 7)[1:-1]:
            wall.line((0, z), (length, z), 0.03, Material.MATTE, albedo=_times(cargo.tint, 0.9))
    if cargo.ribs % 4 == 2 and length > 3:
        near, far = 0.62 * length, 0.62 * length + 1.0
        tone = _times(cargo.tint, 0.72)
        frame = [(near, 0.06), (near, rise - 0.15), (far, rise - 0.15), (far, 0.06), (near, 0.06)]
        wall.path(frame, 0.06, Material.MATTE, albedo=tone)
        wall.box(near + 0.42, near + 0.56, 0.35 * rise, 0.42 * rise, Material.MATTE, albedo=_times(tone, 0.5))
    _edges(wall, length, rise, cargo.foot, foot=0.07, top=0.07, sides=0.07)


def _container(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """Corrugated steel in a frame of the same color."""
    dark, bright = _times(cargo.tint, 0.74), _times(cargo.tint, 1.10)
    for x in np.arange(0.15, length, 0.30):
        wall.box(x, x + 0.08, 0, rise, Material.MATTE, albedo=dark)
        wall.box(x + 0.12, x + 0.19, 0, rise, Material.MATTE, albedo=bright)
    _edges(wall, length, rise, _times(cargo.tint, 0.82), foot=0.13, top=0.13, sides=0.13)
    for x in (0.0, length - 0.16):
        for z in (0.0, rise - 0.14):
            wall.box(x, x + 0.16, z, z + 0.14, Material.MATTE, albedo=_times(cargo.tint, 0.5))
    if length > 9.0 and cargo.ribs % 4 == 0:  # two short containers
        middle = length / 2
        wall.box(middle - 0.16, middle + 0.16, 0, rise, Material.MATTE, albedo=_times(cargo.tint, 0.5))
        wall.box(middle - 0.03, middle + 0.03, 0, rise, Material.DARK)


def _curtain(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """A curtain with its straps and buckles under a rail."""
    for index, x in enumerate(np.arange(0.3, length - 0.2, 0.62)):
        wall.line((x, 0), (x, rise), 0.05, Material.MATTE, albedo=_times(cargo.tint, 0.86))
        if index % 2:
            wall.line((x, 0), (x, 0.3), 0.05, Material.DARK)
    rail = (0.30, 0.30, 0.31)
    wall.box(0, length, rise - 0.14, rise, Material.MATTE, albedo=rail)
    wall.box(0, length, 0, 0.10, Material.MATTE, albedo=rail)
    wall.box(0, 0.10, 0, rise, Material.MATTE, albedo=rail)
    wall.box(length - 0.30, length, 0, rise, Material.MATTE, albedo=_times(cargo.tint, 0.7))


def _tarp(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """A tarpaulin over hoops, hanging over drop sides."""
    boards = (0.22 + 0.02 * (cargo.ribs % 12)) * rise
    for x in np.linspace(0, length, 6 + cargo.ribs % 4):
        wall.line((x, boards), (x, rise), 0.08, Material.MATTE, albedo=_times(cargo.tint, 1.3))
        wall.line((x + 0.1, boards), (x + 0.1, rise), 0.1, Material.MATTE, albedo=_times(cargo.tint, 0.7))
    _boards(wall, cargo.foot, length, boards)


def _boards(wall: Canvas, color: Rgb, length: float, rise: float) -> None:
    wall.box(0, length, 0, rise, Material.MATTE, albedo=color)
    for z in np.linspace(0, rise, 4)[1:]:
        wall.line((0, z), (length, z), 0.03, Material.MATTE, albedo=_times(color, 0.65))
    for x in np.linspace(0, length, max(int(length / 1.1), 2)):
        wall.line((x, 0), (x, rise), 0.07, Material.MATTE, albedo=_times(color, 0.75))


def _drop_sides(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    _boards(wall, cargo.tint, length, rise)


def _tank(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """A tank's bands, and the walkway's shadow along its middle."""
    for x in np.linspace(0, length, 6 + cargo.ribs % 3):
        wall.line((x, 0), (x, rise), 0.06, Material.MATTE, albedo=_times(cargo.tint, 0.6))
    if cargo.ribs % 3 == 0:
        wall.box(0, length, 0.44 * rise, 0.56 * rise, Material.MATTE, albedo=cargo.foot)
    wall.box(0, length, 0, 0.12 * rise, Material.MATTE, albedo=_times(cargo.tint, 0.5))


def _drum(wall: Canvas, cargo: Cargo, length: float, rise: float) -> None:
    """A mixer's drum, with stripes that wind round it."""
    color = _times(cargo.tint, 0.6) if cargo.ribs % 2 else cargo.foot
    for x in np.arange(0, length, 1.5):
        wall.line((x, 0), (x + 1.0, rise), 0.16, Material.MATTE, albedo=color)
    wall.box(0.9 * length, length, 0, rise, Material.MATTE, albedo=_times(cargo.tint, 0.7))


def _doors(door: Canvas, cargo: Cargo, wide: float, rise: float) -> None:
    """Two doors in a frame, with hinges and bars to lock them."""
    ground = cargo.tint
    if cargo.kind == "container":
        for z in np.linspace(0.1, rise - 0.1, 6):
            door.box(0.1, wide - 0.1, z, z + 0.10, Material.MATTE, albedo=_times(ground, 0.8))
    frame = _times(ground, 0.7) if cargo.kind == "container" else cargo.foot
    _edges(door, wide, rise, frame, foot=0.10, top=0.12, sides=0.10)
    door.line((wide / 2, 0.05), (wide / 2, rise - 0.05), 0.045, Material.MATTE, albedo=_times(ground, 0.25))
    bars = (0.30, 0.42, 0.58, 0.70) if cargo.kind == "container" or cargo.ribs % 2 else (0.43, 0.57)
    bright = max(ground) < 0.2
    for x in bars:
        tone = _times(ground, 1.6) if bright else _times(ground, 0.55)
        door.line((x * wide, 0.03), (x * wide, rise - 0.03), 0.045, Material.MATTE, albedo=tone)
        door.box(x * wide - 0.07, x * wide + 0.07, 0.36 * rise, 0.40 * rise, Material.MATTE, albedo=tone)
    for z in (0.12, 0.37, 0.62, 0.87):
        for x in (0.12, wide - 0.12):
            tone = _times(ground, 0.45)
            door.box(x - 0.09, x + 0.09, z * rise - 0.03, z * rise + 0.03, Material.MATTE, albedo=tone)
    if cargo.ribs % 5 < 3:  # labels
        for x, z in ((0.26, 0.60), (0.74, 0.30), (0.80, 0.68))[: 1 + cargo.ribs % 3]:
            place = (x * wide - 0.12, x * wide + 0.12, z * rise, z * rise + 0.18)
            door.box(*place, Material.MATTE, albedo=(0.6, 0.6, 0.56))


def _tarp_rear(door: Canvas, cargo: Cargo, wide: float, rise: float) -> None:
    """A tarpaulin's back: doors or boards below, cloth with a fold above."""
    boards = (0.30 + 0.03 * (cargo.ribs % 10)) * rise
    door.line((wide * 0.48, boards), (wide * 0.52, rise), 0.1, Material.MATTE, albedo=_times(cargo.tint, 0.6))
    fold = [(0.1, rise), (wide - 0.1, rise), (wide * 0.5, rise * 0.72)]
    door.shade(fold, 1.25, only=_GROUND)
    _boards(door, cargo.foot, wide, boards)
    door.line((wide / 2, 0), (wide / 2, boards), 0.04, Material.DARK)


def _tailboard(door: Canvas, cargo: Cargo, wide: float, rise: float) -> None:
    _boards(door, cargo.tint, wide, rise)
    door.box(0, 0.1, 0, rise, Material.MATTE, albedo=_times(cargo.tint, 0.6))
    door.box(wide - 0.1, wide, 0, rise, Material.MATTE, albedo=_times(cargo.tint, 0.6))


def _bolster(door: Canvas, cargo: Cargo, wide: float, rise: float) -> None:
    """The end of an empty frame: its own color, or striped to be seen."""
    door.box(0, wide, 0, rise, Material.MATTE, albedo=cargo.frame)
    if cargo.ribs % 2:
        for x in np.arange(0, wide, 0.3):
            door.box(x, x + 0.15, 0, rise, Material.MATTE, albedo=(0.5, 0.05, 0.03))
            door.box(x + 0.15, x + 0.3, 0, rise, Material.MATTE, albedo=(0.6, 0.6, 0.55))


def _dome(door: Canvas, cargo: Cargo, wide: float, rise: float) -> None:
    """A tank's end: a plate with the substance's number, a valve box below."""
    if cargo.ribs % 2:
        place = (0.36 * wide, 0.52 * wide, 0.30 * rise, 0.42 * rise)
        door.box(*place, Material.MATTE, albedo=(0.62, 0.24, 0.02))
    door.box(0.35 * wide, 0.65 * wide, 0, 0.14 * rise, Material.DARK)
    door.line((wide / 2 + 0.3, 0), (wide / 2 + 0.3, rise), 0.05, Material.MATTE, albedo=(0.3, 0.3, 0.3))


_Painter = Callable[[Canvas, Cargo, float, float], None]

_SIDE_PAINTERS: Final[dict[str, _Painter]] = {
    "container": _container,
    "curtain": _curtain,
    "tarp": _tarp,
    "flatbed": _drop_sides,
    "tipper": _drop_sides,
    "tank": _tank,
    "mixer": _drum,
}
_REAR_PAINTERS: Final[dict[str, _Painter]] = {
    "tarp": _tarp_rear,
    "flatbed": _tailboard,
    "tipper": _tailboard,
    "skeleton": _bolster,
    "tank": _dome,
}
