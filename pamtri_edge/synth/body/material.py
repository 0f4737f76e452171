# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a point of a vehicle's surface is made of."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Material(IntEnum):
    """The materials that a renderer knows; texels of a material map hold these numbers.

    `HOLE` is nothing: what lies behind it is seen (wheel arches, the bed of a pickup). Where a color goes
    with a material, `MATTE` and `PLATE` take their albedo from it; every other material is *tinted* by it:
    its own albedo times color / 128, so that 128 leaves it as it is.
    """

    HOLE = 0
    PAINT = 1
    GLASS = 2
    PLASTIC = 3
    CHROME = 4
    HEADLAMP = 5
    TAILLAMP = 6
    PLATE = 7
    SEAM = 8
    TYRE = 9
    MATTE = 10
    DARK = 11
    INDICATOR = 12
    SECOND_PAINT = 13


FINISHES: Final = {
    "paint": Material.PAINT,
    "dark": Material.PLASTIC,
    "plastic": Material.PLASTIC,
    "chrome": Material.CHROME,
    "second": Material.SECOND_PAINT,
}
"""What bumpers, mirrors, handles and strips are made of, by the names of their finish."""
