# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers of a picture: each purpose has a stream of its own, so that none disturbs another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


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
