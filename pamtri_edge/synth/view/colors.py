# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a vehicle's paint, as a picture shows it, still looks like the color its label names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

_ANYTHING: Final = (0.0, 360.0)


@dataclass(frozen=True)
class Look:
    """A region of CIE Lab: lightness 0..100, chroma, and hue in degrees (from, to, counted upward)."""

    lightness: tuple[float, float] = (0.0, 100.0)
    chroma: tuple[float, float] = (0.0, 200.0)
    hue: tuple[float, float] = _ANYTHING


LOOKS: Final[dict[str, Look]] = {
    "yellow": Look((42.0, 100.0), (17.0, 200.0), (68.0, 112.0)),
    "orange": Look((28.0, 92.0), (16.0, 200.0), (38.0, 80.0)),
    "green": Look((8.0, 90.0), (5.0, 200.0), (105.0, 220.0)),
    "gray": Look((20.0, 86.0), (0.0, 15.0)),
    "red": Look((12.0, 78.0), (12.0, 200.0), (340.0, 50.0)),
    "blue": Look((8.0, 85.0), (7.0, 200.0), (220.0, 315.0)),
    "white": Look((60.0, 100.0), (0.0, 20.0)),
    "golden": Look((34.0, 94.0), (6.0, 50.0), (55.0, 110.0)),
    "brown": Look((6.0, 58.0), (4.0, 60.0), (18.0, 95.0)),
    "black": Look((0.0, 45.0), (0.0, 16.0)),
}
"""Generous regions that overlap: they refuse what contradicts a label, not what is merely unclear."""


def lab_of(rgb: Sequence[float]) -> tuple[float, float, float]:
    """Return CIE L, a, b of display levels 0..1."""
    pixel = np.asarray(rgb, np.float32).reshape(1, 1, 3)
    lightness, a, b = cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0].tolist()
    return lightness, a, b


def looks_like(color: str, rgb: Sequence[float]) -> bool:
    """Say whether paint that is shown as display levels `rgb` (0..1) can be called `color`."""
    look = LOOKS[color]
    lightness, a, b = lab_of(rgb)
    chroma = math.hypot(a, b)
    hue = math.degrees(math.atan2(b, a)) % 360.0
    low, high = look.hue
    in_hue = look.hue == _ANYTHING or (low <= hue <= high if low < high else hue >= low or hue <= high)
    in_chroma = look.chroma[0] <= chroma <= look.chroma[1]
    return look.lightness[0] <= lightness <= look.lightness[1] and in_chroma and in_hue
