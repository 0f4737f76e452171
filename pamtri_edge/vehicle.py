# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle model of PAMTRI: 36 keypoints, 13 segments, and the attribute classes of VeRi.

Source: PAMTRI (ICCV 2019), figure 3, and the label conventions of VeRi. The keypoint names are this
project's own: the paper gives only a drawing. Indices are 0-based (the figure counts from 1).

These are the *defaults*. A bundle carries its own class and keypoint names, because an index means
whatever the training set made it mean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pamtri_edge import _core
from pamtri_edge.errors import InputError

NUM_KEYPOINTS: Final = 36
NUM_SEGMENTS: Final = 13

_SIDE: Final = (
    "rear_wheel",
    "front_wheel",
    "front_arch_front_bottom",
    "front_arch_front_top",
    "front_arch_rear_top",
    "front_arch_rear_bottom",
    "rear_arch_front_bottom",
    "rear_arch_front_top",
    "rear_arch_rear_top",
    "rear_arch_rear_bottom",
    "rear_bumper_bottom",
    "trunk_rear_edge",
    "rear_window_bottom",
    "rear_window_top",
    "windshield_top",
    "windshield_bottom",
    "hood_front",
    "front_bumper_bottom",
)

KEYPOINT_NAMES: Final[tuple[str, ...]] = tuple(
    f"{side}_{name}" for side in ("left", "right") for name in _SIDE
)
"""0..17 lie on the vehicle's left side, 18..35 are the same points on its right side."""

KEYPOINT_FLIP: Final[tuple[int, ...]] = tuple((k + 18) % NUM_KEYPOINTS for k in range(NUM_KEYPOINTS))
"""`mirrored[k] = original[KEYPOINT_FLIP[k]]`."""


@dataclass(frozen=True)
class Segment:
    """A quadrilateral of the vehicle's surface.

    Attributes:
        name: what part of the vehicle it is.
        corners: the four keypoints, in order around the outline.
    """

    name: str
    corners: tuple[int, int, int, int]


SEGMENTS: Final[tuple[Segment, ...]] = tuple(Segment(name, corners) for name, corners in _core.SEGMENTS)
"""The 13 segments in channel order (I to XIII of the paper's figure 3), from pipelines/core."""

SEGMENT_FLIP: Final[tuple[int, ...]] = (3, 4, 5, 0, 1, 2, 6, 7, 8, 9, 10, 11, 12)
"""`mirrored[s] = original[SEGMENT_FLIP[s]]`."""

SEGMENT_CONFIDENCE: Final[float] = _core.SEGMENT_CONFIDENCE
"""A segment is drawn only if all four of its keypoints have at least this confidence."""

BODY_PARTS: Final[dict[str, tuple[int, ...]]] = {
    "wheel": (0, 1, 18, 19),
    "fender": (*range(2, 10), *range(20, 28)),
    "back": (10, 11, 28, 29),
    "front": (16, 17, 34, 35),
    "windshield_back": (12, 13, 30, 31),
    "windshield_front": (14, 15, 32, 33),
}
"""The groups of keypoints for which the paper's Table 5 reports the PCK."""

COLORS: Final[tuple[str, ...]] = (
    "yellow",
    "orange",
    "green",
    "gray",
    "red",
    "blue",
    "white",
    "golden",
    "brown",
    "black",
)
"""VeRi's colors in the order of its ids 1..10."""

TYPES: Final[tuple[str, ...]] = (
    "sedan",
    "suv",
    "van",
    "hatchback",
    "mpv",
    "pickup",
    "bus",
    "truck",
    "estate",
)
"""VeRi's types in the order of its ids 1..9."""


def check_types(names: Iterable[str]) -> None:
    """Refuse what is none of `TYPES`.

    Raises:
        InputError: one or more are unknown; they are named, and so is what there is.
    """
    if unknown := [name for name in names if name not in TYPES]:
        raise InputError(f"unknown types: {', '.join(unknown)}; accepted: {', '.join(TYPES)}.")
