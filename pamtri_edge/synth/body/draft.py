# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle under construction: its surface, and the sheets that will cover it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NEUTRAL
from pamtri_edge.synth.body.outline import Floats, Frame, Outline, frame_of, outline_of
from pamtri_edge.synth.body.skin import Section, Skin, skin_of
from pamtri_edge.synth.paint.canvas import MAP_HEIGHT, MAP_WIDTH, Canvas
from pamtri_edge.synth.specification.families import FAMILIES, Family
from pamtri_edge.synth.specification.vehicle import VehicleSpec

LEFT: Final = 0
RIGHT: Final = 1
FRONT: Final = 2
REAR: Final = 3
TOP: Final = 4
WHEELS: Final = 5
CARGO: Final = 6
"""Indices of the sheets. CARGO exists only where there is a box to paint."""

_MARGIN: Final = 0.04


@dataclass(frozen=True)
class Draft:
    """What every painter and every maker of parts needs to know.

    Attributes:
        spec: the vehicle.
        family: what it is a member of.
        frame: where its ends are.
        outline: it from the side.
        section: its width anywhere.
        skin: its surface.
        front_row: rows of the band up to this one are covered by the sheet FRONT.
        rear_row: rows from this one on are covered by the sheet REAR; between them lies TOP.
        materials: (K, H, W) uint8, the sheets' materials.
        colors: (K, H, W, 3) uint8, their colors.
        sheets: canvases over them. LEFT and RIGHT are planes of x and z, FRONT and REAR of y and z, TOP of
            meters along the outline from its first row and of the fraction of the half width (left +1).
    """

    spec: VehicleSpec
    family: Family
    frame: Frame
    outline: Outline
    section: Section
    skin: Skin
    front_row: int
    rear_row: int
    materials: NDArray[np.uint8]
    colors: NDArray[np.uint8]
    sheets: tuple[Canvas, ...]

    def side(self, sign: int) -> Canvas:
        """Return the sheet of the left (+1) or right (-1) side."""
        return self.sheets[LEFT if sign > 0 else RIGHT]

    def arc(self, name: str) -> float:
        """Return where a keypoint's row lies on the sheet TOP."""
        return float(self.outline.arc[self.outline.rows[name]] - self.outline.arc[self.front_row])

    @property
    def face(self) -> float:
        """Half the width of the front face at the hood's edge, in meters."""
        return float(self.skin.half_width[self.outline.rows["hood_front"] - 2])

    @property
    def back(self) -> float:
        """Half the width of the rear face, in meters."""
        return float(
            self.skin.half_width[min(self.outline.rows["trunk_rear_edge"] + 3, len(self.skin.band) - 1)]
        )

    def front_edge(self, z: float) -> float:
        """Return the x at which the front face meets the sides at a height."""
        return _x_at(self.skin.side[: self.front_row + 1, -1], z)

    def rear_edge(self, z: float) -> float:
        """Return the x at which the rear face meets the sides at a height."""
        first = self.outline.rows["rear_window_top" if self.family.tailgate else "trunk_rear_edge"]
        return _x_at(self.skin.side[first:, -1], z)

    @property
    def two_decks(self) -> bool:
        """Whether a bus has an upper deck."""
        return self.spec.bus is not None and self.spec.shape.height > 3.8

    @property
    def has_box(self) -> bool:
        """Whether a truck's cargo stands behind the cab."""
        return self.family.cargo == "box"


def _x_at(edge: Floats, z: float) -> float:
    """Return the x of a line (n, 3) at a height."""
    order = np.argsort(edge[:, 2], kind="stable")
    return float(np.interp(z, edge[order, 2], edge[order, 0]))


def draft_of(spec: VehicleSpec) -> Draft:
    """Span the surface and lay out blank sheets."""
    family = FAMILIES[spec.family]
    frame = frame_of(spec.shape, family)
    outline = outline_of(spec.shape, family)
    section = Section(spec.shape, family, frame)
    skin = skin_of(section, outline)
    front_row = outline.rows["hood_front"]
    rear_row = outline.rows["rear_window_top" if family.tailgate else "trunk_rear_edge"]
    count = CARGO + (family.cargo == "box")
    materials = np.full((count, MAP_HEIGHT, MAP_WIDTH), int(Material.PAINT), np.uint8)
    colors = np.full((count, MAP_HEIGHT, MAP_WIDTH, 3), NEUTRAL, np.uint8)
    planes = _planes(spec, frame, outline, skin, front_row, rear_row)
    sheets = tuple(
        Canvas(materials[index], colors[index], *planes[min(index, len(planes) - 1)])
        for index in range(count)
    )
    return Draft(spec, family, frame, outline, section, skin, front_row, rear_row, materials, colors, sheets)


_Plane = tuple[tuple[float, float], tuple[float, float]]


def _planes(
    spec: VehicleSpec, frame: Frame, outline: Outline, skin: Skin, front_row: int, rear_row: int
) -> list[_Plane]:
    """Return the lowest and highest coordinates of each sheet; wheels and cargo have the unit square."""
    band = skin.band
    top = float(outline.points[:, 1].max()) + _MARGIN
    half = spec.shape.width / 2 + _MARGIN
    side: _Plane = ((frame.body_rear - 0.12, frame.sill - _MARGIN), (frame.front + 0.12, top))
    face: _Plane = ((-half, frame.sill - _MARGIN), (half, float(band[: front_row + 1, :, 2].max()) + _MARGIN))
    back: _Plane = ((-half, frame.sill - _MARGIN), (half, float(band[rear_row:, :, 2].max()) + _MARGIN))
    above: _Plane = ((0.0, -1.0), (float(outline.arc[rear_row] - outline.arc[front_row]), 1.0))
    return [side, side, face, back, above, ((0.0, 0.0), (1.0, 1.0))]
