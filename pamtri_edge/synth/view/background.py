# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn streets: what a camera's place looks like, and where the vehicle stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from pamtri_edge import _render
from pamtri_edge.synth.specification.streams import Stream, camera_stream
from pamtri_edge.synth.view.camera import Camera
from pamtri_edge.synth.view.raster import Floats

Rgb = tuple[float, float, float]

_NOISE_SIDE: Final = 256
_NOISES: Final = 4

# Kinds of blocks, as kernels/render/scene.hpp numbers them.
_BUILDING, _PARKED, _TREE, _PLAIN = 0.0, 1.0, 2.0, 3.0


@dataclass(frozen=True)
class Place:
    """What the surroundings of one camera look like; the same in all its views. Lengths in meters.

    Attributes:
        asphalt: linear RGB of the road.
        pavement: of the pavement.
        kerb: of the kerb stones.
        verge: of what lies beyond: grass, concrete, soil.
        marks: of the lane marks.
        center: of the double line, and of a junction's grid.
        half_width: from the road's middle to the kerb.
        lane_width: between lane marks.
        dash: period of the lane marks' gaps; 0 for none.
        mark_strength: 0 worn off to 1 fresh.
        edge_strength: of the lines along the kerb.
        center_strength: of the double line in the middle.
        hatch_strength: of the grid.
        pavement_width: of the pavement.
        grain: roughness of the asphalt.
        stain: darkness of the lane's middle.
        patches: darkness of repairs.
        verge_grain: roughness of the verge.
        noise: which noise map.
        buildings: how many stand near.
        trees: likewise.
        parked: likewise, cars at the kerb.
        clutter: likewise, people, posts, bins, fences.
        walls: albedo of the buildings.
        junction: vehicles stand at any angle to the road.
    """

    asphalt: Rgb
    pavement: Rgb
    kerb: Rgb
    verge: Rgb
    marks: Rgb
    center: Rgb
    half_width: float
    lane_width: float
    dash: float
    mark_strength: float
    edge_strength: float
    center_strength: float
    hatch_strength: float
    pavement_width: float
    grain: float
    stain: float
    patches: float
    verge_grain: float
    noise: int
    buildings: float
    trees: float
    parked: float
    clutter: float
    walls: Rgb
    junction: bool


def sample_place(seed: int, camera: int) -> Place:
    """Draw the surroundings of a camera."""
    rng = camera_stream(seed, camera, Stream.PLACE)
    albedo = rng.uniform(0.05, 0.14) if rng.random() < 0.7 else rng.uniform(0.14, 0.28)
    yellow = rng.random() < 0.4
    verges: tuple[Rgb, ...] = ((0.08, 0.13, 0.04), (0.14, 0.17, 0.06), (0.26, 0.25, 0.23), (0.2, 0.15, 0.1))
    lanes = int(rng.integers(1, 4))
    lane = rng.uniform(2.9, 3.8)
    junction = bool(rng.random() < 0.25)
    return Place(
        asphalt=_tinted(rng, albedo, 0.03),
        pavement=_tinted(rng, rng.uniform(0.18, 0.45), 0.14),
        kerb=_tinted(rng, rng.uniform(0.25, 0.5), 0.05),
        verge=verges[int(rng.integers(len(verges)))],
        marks=_tinted(rng, 0.65, 0.04),
        center=(0.62, 0.42, 0.08) if yellow else (0.66, 0.66, 0.64),
        half_width=lanes * lane + rng.uniform(0.2, 1.5),
        lane_width=lane,
        dash=float(rng.choice([0.0, 4.0, 6.0, 9.0])),
        mark_strength=rng.uniform(0.2, 1.0) if rng.random() < 0.85 else 0.0,
        edge_strength=rng.uniform(0.3, 1.0) if rng.random() < 0.4 else 0.0,
        center_strength=rng.uniform(0.4, 1.0) if rng.random() < 0.45 else 0.0,
        hatch_strength=rng.uniform(0.4, 0.9) if junction and rng.random() < 0.5 else 0.0,
        pavement_width=rng.uniform(0.0, 4.0),
        grain=rng.uniform(0.15, 0.70),
        stain=rng.uniform(0.0, 0.25),
        patches=rng.uniform(0.0, 0.6) if rng.random() < 0.4 else 0.0,
        verge_grain=rng.uniform(0.3, 1.0),
        noise=int(rng.integers(_NOISES)),
        buildings=rng.uniform(0.0, 7.0),
        trees=rng.uniform(0.0, 6.0),
        parked=rng.uniform(0.0, 5.0),
        clutter=rng.uniform(0.0, 5.0),
        walls=_tinted(rng, rng.uniform(0.12, 0.6), 0.25),
        junction=junction,
    )


def _tinted(rng: np.random.Generator, level: float, spread: float) -> Rgb:
    r, g, b = (level * (1.0 + spread * rng.uniform(-1.0, 1.0, 3))).tolist()
    return (r, g, b)


def road_of(place: Place, rng: np.random.Generator, wet: float) -> _render.Road:
    """Draw the road of one view: where and at what angle to it the vehicle stands."""
    road = _render.Road()
    if place.junction:
        road.heading = rng.uniform(-3.14, 3.14) if rng.random() < 0.5 else rng.normal(0.0, 0.25)
    else:
        road.heading = rng.normal(0.0, 0.04)
    lanes = max(1, int(place.half_width / place.lane_width))
    lane = int(rng.integers(lanes)) + 0.5
    road.offset = -(place.lane_width * lane + rng.normal(0.0, 0.25))  # drives on the right
    road.half_width = place.half_width
    road.lane_width = place.lane_width
    road.lane_phase = 0.0
    road.dash_period = place.dash
    road.mark_strength = place.mark_strength
    road.edge_strength = place.edge_strength
    road.center_strength = place.center_strength
    road.hatch_strength = place.hatch_strength
    road.crossing = rng.uniform(-12.0, 12.0) if rng.random() < 0.06 else 1000.0
    road.stain = place.stain
    road.patches = place.patches
    road.grain = place.grain
    road.pavement = place.pavement_width
    road.wet = wet
    road.asphalt = place.asphalt
    road.mark_color = place.marks
    road.center_color = place.center
    road.kerb_color = place.kerb
    road.pavement_color = place.pavement
    road.verge_color = place.verge
    road.verge_grain = place.verge_grain
    return road


@cache
def noise_map(number: int) -> Floats:
    """Return (256, 256) float32 in 0..1 that repeats without a seam."""
    rng = np.random.default_rng([number, int(Stream.GROUND)])
    total = np.zeros((_NOISE_SIDE, _NOISE_SIDE), np.float32)
    for side, weight in ((256, 0.5), (128, 0.25), (32, 0.15), (8, 0.10)):
        coarse = rng.random((side, side)).astype(np.float32)
        padded = np.pad(coarse, 1, mode="wrap")
        scale = _NOISE_SIDE // side
        large = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        total += np.float32(weight) * large[scale:-scale, scale:-scale]
    spread: Floats = (total - total.min()) / (total.max() - total.min())
    return spread


def beside_road(place: Place, rng: np.random.Generator, road: _render.Road, camera: Camera) -> Floats:
    """Draw buildings, trees, parked cars and street furniture of a view, none before the vehicle.

    Returns:
        (B, 12) float32: kind, u, v (in the road's frame, whose origin is the vehicle), half extents along
        them, bottom, top, linear RGB, and period and phase of the windows.
    """
    edge = place.half_width - road.offset * np.array([1.0, -1.0])  # kerbs left (+) and right (-), from v = 0
    blocks = []
    for _ in range(int(rng.poisson(place.parked))):
        side = int(rng.integers(2))
        v = (edge[side] - rng.uniform(0.9, 1.3)) * (1 - 2 * side)
        blocks.append(_parked(rng, rng.uniform(-30.0, 30.0), v))
    for _ in range(int(rng.poisson(place.buildings))):
        side = int(rng.integers(2))
        v = (edge[side] + place.pavement_width + rng.uniform(4.0, 18.0)) * (1 - 2 * side)
        blocks.append(_building(rng, place, rng.uniform(-60.0, 60.0), v))
    for _ in range(int(rng.poisson(place.trees))):
        side = int(rng.integers(2))
        v = (edge[side] + rng.uniform(0.6, 6.0)) * (1 - 2 * side)
        blocks.extend(_tree(rng, rng.uniform(-30.0, 30.0), v))
    for _ in range(int(rng.poisson(place.clutter))):
        side = int(rng.integers(2))
        v = (edge[side] + rng.uniform(0.4, 3.0)) * (1 - 2 * side)
        blocks.extend(_clutter(rng, rng.uniform(-18.0, 18.0), v))
    rows = np.array(blocks, np.float32).reshape(-1, 12)
    return np.ascontiguousarray(rows[_behind(rows, road, camera)])


def _parked(rng: np.random.Generator, u: float, v: float) -> list[float]:
    gray = rng.random() < 0.7
    r, g, b = np.full(3, rng.uniform(0.01, 0.7)) if gray else rng.uniform(0.02, 0.5, 3)
    half_length = rng.uniform(1.9, 2.4)
    return [_PARKED, u, v, half_length, 0.88, 0.0, rng.uniform(1.4, 1.8), r, g, b, 0.0, 0.0]


def _building(rng: np.random.Generator, place: Place, u: float, v: float) -> list[float]:
    r, g, b = np.asarray(place.walls) * rng.uniform(0.6, 1.3)
    half_u, half_v = rng.uniform(4.0, 16.0), rng.uniform(3.0, 8.0)
    reach = np.sign(v) * half_v
    return [_BUILDING, u, v + reach, half_u, half_v, 0.0, rng.uniform(4.0, 25.0), r, g, b,
            rng.uniform(1.5, 5.0), rng.random()]  # fmt: skip


def _tree(rng: np.random.Generator, u: float, v: float) -> list[list[float]]:
    radius, bottom = rng.uniform(0.8, 3.0), rng.uniform(0.3, 2.8)
    top = bottom + radius * rng.uniform(1.2, 2.4)
    r, g, b = np.array([0.07, 0.12, 0.035]) * rng.uniform(0.5, 1.6)
    crown = [_TREE, u, v, radius, radius, bottom, top, r, g, b, 0.0, 0.0]
    trunk = [_PLAIN, u, v, 0.12, 0.12, 0.0, bottom + 0.5, 0.08, 0.06, 0.045, 0.0, 0.0]
    return [crown, trunk]


def _clutter(rng: np.random.Generator, u: float, v: float) -> list[list[float]]:
    kind = rng.random()
    r, g, b = np.full(3, rng.uniform(0.02, 0.5)) * rng.uniform(0.8, 1.2, 3)
    if kind < 0.35:  # somebody: legs, coat, head
        tall = rng.uniform(1.5, 1.9)
        coat = rng.uniform(0.02, 0.5, 3) if rng.random() < 0.4 else np.full(3, rng.uniform(0.01, 0.4))
        return [
            [_PLAIN, u, v, 0.14, 0.14, 0.0, 0.48 * tall, 0.04, 0.04, 0.05, 0.0, 0.0],
            [_PLAIN, u, v, 0.20, 0.20, 0.46 * tall, 0.85 * tall, *coat.tolist(), 0.0, 0.0],
            [_TREE, u, v, 0.11, 0.11, 0.84 * tall, tall, 0.35, 0.24, 0.18, 0.0, 0.0],
        ]
    if kind < 0.6:  # a pole
        return [[_PLAIN, u, v, 0.06, 0.06, 0.0, rng.uniform(1.0, 7.0), r, g, b, 0.0, 0.0]]
    if kind < 0.8:  # a bin, a box, a bollard
        half = rng.uniform(0.1, 0.5)
        return [[_PLAIN, u, v, half, half, 0.0, rng.uniform(0.5, 1.6), r, g, b, 0.0, 0.0]]
    return [[_PLAIN, u, v, rng.uniform(0.5, 8.0), 0.05, 0.0, rng.uniform(0.6, 1.6), r, g, b, 0.0, 0.0]]


def _behind(blocks: Floats, road: _render.Road, camera: Camera) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say which blocks stand farther from the camera than the vehicle, and clear of it and the camera."""
    c, s = np.cos(road.heading), np.sin(road.heading)
    eye_u, eye_v = camera.eye[0] * c + camera.eye[1] * s, -camera.eye[0] * s + camera.eye[1] * c
    reach = np.hypot(eye_u, eye_v) + 1e-6
    away = -(blocks[:, 1] * eye_u + blocks[:, 2] * eye_v) / reach  # meters beyond the vehicle's middle
    extent = (blocks[:, 3] * abs(eye_u) + blocks[:, 4] * abs(eye_v)) / reach
    clear = (np.abs(blocks[:, 1]) > blocks[:, 3] + 3.2) | (np.abs(blocks[:, 2]) > blocks[:, 4] + 1.3)
    kept: np.ndarray[tuple[int], np.dtype[np.bool_]] = (away - 0.5 * extent > -0.5) & clear
    return kept
