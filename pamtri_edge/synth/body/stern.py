# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The rear end of a truck's frame: the bar that cars do not run under, lamps, plate."""

from __future__ import annotations

from collections.abc import Sequence

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.box import PART, Box
from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.material import Material


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
