# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What stands before a vehicle: other vehicles, and street furniture drawn flat over the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.view.filters import enlarged, resized
from pamtri_edge.synth.view.raster import Floats

MOST_HIDDEN: Final = 0.5
"""No other vehicle may hide more of a vehicle's samples than this share."""

_COMPANIONS: Final = 0.35
_FURNITURE: Final = 0.20


@dataclass(frozen=True)
class Stand:
    """Where another vehicle stands, in the vehicle's frame: meters and radians; `index` says which one."""

    index: int
    x: float
    y: float
    heading: float


def sample_stands(
    rng: np.random.Generator, mesh: Mesh, others: Sequence[Mesh], azimuth: float
) -> list[Stand]:
    """Draw which of the other vehicles stand near, and where: in the same lane or the next ones.

    Args:
        rng: the view's numbers.
        mesh: the vehicle.
        others: what may stand near.
        azimuth: of the camera, degrees; more often than not, others stand on its side, where they hide.
    """
    if not others or rng.random() >= _COMPANIONS:
        return []
    before, beside = math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))
    stands: list[Stand] = []
    for index in rng.permutation(len(others))[: int(rng.integers(1, 3))].tolist():
        other = others[index]
        toward = 1.0 if rng.random() < 0.75 else -1.0
        if rng.random() < 0.25 + 0.5 * abs(before):  # in a queue
            gap = 0.5 * (mesh.length + other.length) + rng.uniform(0.7, 3.5)
            x, y, heading = math.copysign(gap, before) * toward, rng.normal(0.0, 0.25), 0.0
        else:
            gap = 0.5 * (mesh.width + other.width) + rng.uniform(0.5, 1.8)
            x = 0.6 * gap * before / max(0.3, abs(beside)) + rng.normal(0.0, 2.5)
            y = math.copysign(gap, beside) * toward
            heading = math.pi if rng.random() < 0.4 else 0.0
        if all(math.hypot(x - stand.x, y - stand.y) > 6.0 for stand in stands):
            stands.append(Stand(index, x, y, heading))
    return stands


@dataclass(frozen=True)
class Furniture:
    """What is drawn over a picture: `cover` (H, W) float32 0..1, `albedo` (H, W, 3) float32 linear."""

    cover: Floats
    albedo: Floats


def sample_furniture(rng: np.random.Generator, width: int, height: int) -> Furniture | None:
    """Draw a pole, foliage, a sign, a fence or a wall's edge before the picture; mostly nothing."""
    if rng.random() >= _FURNITURE:
        return None
    kind = int(rng.integers(5))
    scale = 2 if max(width, height) < 200 else 1  # drawn finer, then shrunk: edges without steps
    size = (height * scale, width * scale)
    cover = np.zeros(size, np.float32)
    color = rng.uniform(0.02, 0.30) * (1.0 + 0.15 * rng.uniform(-1.0, 1.0, 3))
    if kind == 0:
        _pole(rng, cover)
    elif kind == 1:
        _foliage(rng, cover)
        color = np.array([0.05, 0.09, 0.03]) * rng.uniform(0.5, 2.0)
    elif kind == 2:
        _sign(rng, cover)
        if rng.random() < 0.4:
            color = rng.uniform(0.03, 0.6, 3)
    elif kind == 3:
        _fence(rng, cover)
    else:
        _pole(rng, cover)
        _wire(rng, cover)
    grain = enlarged(rng.random((8, 8)).astype(np.float32), width, height)
    albedo = (0.6 + 0.8 * grain)[..., None] * color.astype(np.float32)
    return Furniture(resized(cover, width, height), np.maximum(albedo, 0.0).astype(np.float32))


def _pole(rng: np.random.Generator, cover: Floats) -> None:
    height, width = cover.shape
    x = rng.uniform(0.0, width)
    thick = max(1, int(width * rng.uniform(0.01, 0.07)))
    lean = rng.normal(0.0, 0.03) * width
    cv2.line(cover, (int(x), 0), (int(x + lean), height), 1.0, thick, cv2.LINE_AA)


def _wire(rng: np.random.Generator, cover: Floats) -> None:
    height, width = cover.shape
    ends = (rng.uniform(0.0, 1.0, 2) * height).astype(int)
    cv2.line(cover, (0, int(ends[0])), (width, int(ends[1])), 1.0, max(1, width // 100), cv2.LINE_AA)


def _foliage(rng: np.random.Generator, cover: Floats) -> None:
    height, width = cover.shape
    corner_x, corner_y = rng.choice([0.0, 1.0]), rng.choice([0.0, 1.0], p=[0.7, 0.3])
    reach = rng.uniform(0.10, 0.24)
    for _ in range(int(rng.integers(25, 110))):
        x = int(width * (corner_x + reach * rng.standard_normal()))
        y = int(height * (corner_y + 1.4 * reach * rng.standard_normal()))
        axes = (max(1, int(width * rng.uniform(0.008, 0.04))), max(1, int(height * rng.uniform(0.008, 0.03))))
        cv2.ellipse(cover, (x, y), axes, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)


def _sign(rng: np.random.Generator, cover: Floats) -> None:
    height, width = cover.shape
    w, h = width * rng.uniform(0.08, 0.30), height * rng.uniform(0.08, 0.30)
    x, y = width * rng.uniform(-0.1, 0.9), height * rng.uniform(-0.1, 0.9)
    if rng.random() < 0.5:
        y = height - 0.8 * h  # a wall, a bin, a bollard at the lower edge
    if rng.random() < 0.3:
        cv2.circle(cover, (int(x), int(y)), max(2, int(w / 2)), 1.0, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(cover, (int(x), int(y)), (int(x + w), int(y + h)), 1.0, -1)
    if rng.random() < 0.5:
        cv2.line(cover, (int(x + w / 2), int(y)), (int(x + w / 2), height), 1.0, max(1, int(width * 0.015)))


def _fence(rng: np.random.Generator, cover: Floats) -> None:
    height, width = cover.shape
    top = int(height * rng.uniform(0.62, 0.92))
    thick = max(1, int(width * rng.uniform(0.008, 0.02)))
    cv2.line(cover, (0, top), (width, top + int(height * rng.normal(0, 0.05))), 1.0, 2 * thick)
    pitch = max(4.0, width * rng.uniform(0.05, 0.18))
    for x in np.arange(rng.uniform(0.0, pitch), width, pitch):
        cv2.line(cover, (int(x), top), (int(x), height), 1.0, thick)
