# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Paints the second color of two-tone bodies: what goes under everything else."""

from __future__ import annotations

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.paint.canvas import Canvas
from pamtri_edge.synth.specification.parts import Trim

_FAR = 50.0
"""Meters beyond every sheet."""


def paint_two_tone(canvas: Canvas, trim: Trim) -> None:
    """Paint the second color on a sheet whose second axis is the height above the ground."""
    z = trim.two_tone_z
    low, high = {
        "none": (0.0, 0.0),
        "lower": (0.0, z),
        "upper": (z, _FAR),
        "sash": (z - 0.14, z + 0.14),
    }[trim.two_tone]
    if high > low:
        canvas.box(-_FAR, _FAR, low, high, Material.SECOND_PAINT)
