# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers of pictures: each purpose has a stream of its own, so that none disturbs another.

A vehicle's properties have streams too, by their names (`sampling.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np

_Thing = TypeVar("_Thing")


class Stream(IntEnum):
    """What random numbers are drawn for. Numbers are for good: a new purpose gets a new one."""

    MOUNTING = 101
    PLACE = 102
    SENSOR = 103
    SHOT = 104
    LIGHT = 105
    GROUND = 106
    COMPANIONS = 107
    OCCLUDERS = 108
    EXPOSURE = 109
    LAMPS = 110
    NOISE = 111
    PHOTO = 112

    # Of a data set: which cameras see a vehicle, and who stands near it.
    CAMERAS = 0x6361_6D65
    OTHERS = 0x6F74_6865

    # Of traffic.
    DRIVES = 0x6472_6976
    POSE = 0x706F_7365
    SKY = 0x736B_7900
    FRAME = 0x6E6F_6973


class Surface(IntEnum):
    """What random numbers of a vehicle's surface and load are drawn for; numbers are for good here too.

    Those below 30 follow the number of a pattern, the others the set's seed and the vehicle's.
    """

    ROUTE_SIGN = 3
    DECAL_LINES = 5
    PLATE = 7
    ADVERTISING = 9
    BUS_BACK = 10
    DECAL = 11
    BUS_STRIP = 11  # a decal's number: patterns of signs and of decals are others
    FLAW = 13
    GOODS = 31
    LOOSE_CARGO = 32
    STAIN_RIGHT = 33
    STAIN_LEFT = 34
    STAIN_REAR = 35
    DIRT = 41


@dataclass(frozen=True)
class Draws:
    """The random numbers of one view of one vehicle.

    Attributes:
        seed: of the set.
        identity: the vehicle's number.
        view: the view's number.
    """

    seed: int
    identity: int
    view: int

    def stream(self, stream: Stream, *more: int) -> np.random.Generator:
        """Return the numbers for one purpose; `more` tells repeated tries apart."""
        return np.random.default_rng([self.seed, self.identity, self.view, *more, int(stream)])


def camera_stream(seed: int, camera: int, stream: Stream) -> np.random.Generator:
    """Return the numbers of one camera, the same in all its views."""
    return np.random.default_rng([seed, camera, int(stream)])


def pick(rng: np.random.Generator, choices: Sequence[_Thing]) -> _Thing:
    """Return one of several things, each as likely as the others."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True as often as the probability says."""
    return rng.random() < probability
