# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The decisions of a video as plain Python: the largest views of each vehicle, and their mean. Frozen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass
class Track:
    """What is known of a vehicle."""

    best: float = 0.0
    box: tuple[float, ...] = ()
    answers: list[Floats] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)


def follow(frames: int, vehicles: int, embedding: Floats) -> list[Floats]:
    """Return the fused embedding of each vehicle that drives nearer for so many frames."""
    tracks: dict[int, Track] = {}
    for frame in range(frames):
        side = 30.0 + frame
        for number in range(vehicles):
            track = tracks.setdefault(number, Track())
            x = number * 90.0 + 5
            box = (max(0.0, x), 5.0, min(1920.0, x + side), min(1080.0, 5 + side))
            area = (box[2] - box[0]) * (box[3] - box[1])
            inside = box[2] < 1918 and box[3] < 1078 and box[0] > 2 and box[1] > 2
            if inside and area > 1.2 * track.best:
                track.best, track.box = area, box
                track.answers.append(embedding)
                track.weights.append(area)
    fused = []
    for track in tracks.values():
        mean = np.average(track.answers, axis=0, weights=track.weights)
        fused.append((mean / np.linalg.norm(mean)).astype(np.float32))
    return fused
