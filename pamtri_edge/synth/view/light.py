# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The light of a scene: sun, sky, what stands in the sun's way, and what a vehicle's paint reflects."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _render
from pamtri_edge.synth.view.camera import Doubles
from pamtri_edge.synth.view.filters import blurred, enlarged
from pamtri_edge.synth.view.raster import Floats, Lit, Model, sun_axes, sun_depths

_MIRROR_SIDE: Final = 64
_GLOSSY_SIDE: Final = 32
_DIFFUSE_SIDE: Final = 16
_COVER_SIDE: Final = 96
_COVER_HALF: Final = 16.0
_SKYLINE_STEPS: Final = 36


class Weather(str, Enum):
    """Kinds of light."""

    SUN = "sun"
    OVERCAST = "overcast"
    DUSK = "dusk"
    NIGHT = "night"
    PLAIN = "plain"


_SHARES: Final = {Weather.SUN: 0.50, Weather.OVERCAST: 0.36, Weather.DUSK: 0.06, Weather.NIGHT: 0.08}


@dataclass(frozen=True)
class Sky:
    """The light of one view, in linear units where a white wall in the sun is about 1.

    Attributes:
        weather: its kind.
        direction: (3,) toward the sun, or the street lamp at night.
        sun: RGB that a surface facing it receives.
        zenith: RGB of the sky above.
        horizon: RGB of the sky at the horizon.
        skyline_heights: (36,) sine of the elevation up to which buildings stand, around the horizon.
        skyline_colors: (36, 3) their colors.
        clouds: how uneven the sky is, 0..1.
        haze: extinction a meter.
        wet: 0 dry to 1: how much the road mirrors.
        cover: (side, side) float32: share of sunlight that reaches the ground.
        lamps: headlamps are on, and how bright.
    """

    weather: Weather
    direction: Doubles
    sun: Doubles
    zenith: Doubles
    horizon: Doubles
    skyline_heights: Doubles
    skyline_colors: Doubles
    clouds: float
    haze: float
    wet: float
    cover: Floats
    lamps: float


def sample_sky(rng: np.random.Generator, weather: Weather | None = None) -> Sky:
    """Draw a light; `weather` fixes its kind. `Weather.PLAIN` is a bright day without shadows or tints."""
    if weather is None:
        weather = list(_SHARES)[int(rng.choice(len(_SHARES), p=list(_SHARES.values())))]
    low, high = {Weather.DUSK: (6.0, 20.0), Weather.NIGHT: (50.0, 80.0)}.get(weather, (20.0, 75.0))
    elevation, azimuth = math.radians(rng.uniform(low, high)), rng.uniform(0.0, 2.0 * math.pi)
    direction = np.array(
        [
            math.cos(elevation) * math.cos(azimuth),
            math.cos(elevation) * math.sin(azimuth),
            math.sin(elevation),
        ]
    )
    sun, zenith, horizon = _radiances(rng, weather)
    tall = rng.uniform(0.02, 0.30)
    heights = tall * np.repeat(rng.random(_SKYLINE_STEPS // 2), 2) * (rng.random(_SKYLINE_STEPS) < 0.8)
    tones = rng.uniform(0.10, 0.55, (_SKYLINE_STEPS, 1)) * rng.uniform(0.85, 1.1, 3)
    if weather is Weather.NIGHT:  # lit windows and shop fronts
        tones = tones + 2.5 * (rng.random((_SKYLINE_STEPS, 1)) < 0.2) * rng.uniform(0.5, 1.5, 3)
    plain = weather is Weather.PLAIN
    return Sky(
        weather=weather,
        direction=direction,
        sun=sun,
        zenith=zenith,
        horizon=horizon,
        skyline_heights=heights,
        skyline_colors=(horizon + 0.15 * sun) * tones,
        clouds=0.0 if plain else rng.uniform(0.0, 0.45),
        haze=rng.uniform(0.0, 0.012) if rng.random() < 0.12 else rng.uniform(0.0, 0.002),
        wet=rng.uniform(0.4, 1.0) if not plain and rng.random() < 0.12 else 0.0,
        cover=_cover(rng, weather),
        lamps=_lamps(rng, weather),
    )


def _radiances(rng: np.random.Generator, weather: Weather) -> tuple[Doubles, Doubles, Doubles]:
    warm, level = rng.random(), rng.uniform(0.6, 1.1)
    if weather is Weather.PLAIN:
        return np.full(3, 0.7), np.full(3, 0.55), np.full(3, 0.65)
    if weather is Weather.SUN:
        sun = rng.uniform(1.2, 2.6) * np.array([1.05 + 0.12 * warm, 1.0, 0.96 - 0.2 * warm])
        zenith = rng.uniform(0.5, 1.1) * np.array([0.34, 0.46, 0.72])
        return sun, zenith, level * np.array([0.80, 0.86, 0.94])
    if weather is Weather.OVERCAST:
        sun = rng.uniform(0.05, 0.45) * np.array([1.03, 1.0, 0.96])
        zenith = level * np.array([0.78, 0.80, 0.84])
        return sun, zenith, 0.9 * level * np.array([0.80, 0.83, 0.87])
    if weather is Weather.DUSK:
        sun = rng.uniform(0.2, 0.9) * np.array([1.25, 0.9, 0.62])
        zenith = level * np.array([0.24, 0.28, 0.42])
        return sun, zenith, level * np.array([0.62, 0.50, 0.46])
    lamp = np.array([1.10, 0.92, 0.62]) if warm < 0.5 else np.array([0.95, 1.0, 1.02])
    sky = rng.uniform(0.010, 0.04) * np.array([0.9, 0.95, 1.15])
    return rng.uniform(0.10, 0.30) * lamp, sky, 2.0 * sky


def _lamps(rng: np.random.Generator, weather: Weather) -> float:
    often = {Weather.NIGHT: 0.95, Weather.DUSK: 0.7, Weather.PLAIN: 0.0}.get(weather, 0.2)
    if rng.random() >= often:
        return 0.0
    return rng.uniform(1.0, 4.0) if weather is Weather.NIGHT else rng.uniform(0.6, 2.5)


def _cover(rng: np.random.Generator, weather: Weather) -> Floats:
    """Return what buildings, trees and wires leave of the sunlight on the ground; pools of light at night."""
    cover = np.ones((_COVER_SIDE, _COVER_SIDE), np.float32)
    kind = rng.random()
    if weather is Weather.NIGHT:
        x, y = rng.uniform(0.3, 0.7, 2) * _COVER_SIDE
        grid = np.arange(_COVER_SIDE, dtype=np.float32)
        square = (grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2
        cover[:] = 0.15 + 0.85 / (1.0 + square / rng.uniform(150.0, 900.0))
        return cover
    if weather is Weather.PLAIN or kind < 0.5:
        return cover
    if kind < 0.75:  # the edge of a building's shadow
        _shade_half(cover, rng)
        blur = rng.uniform(0.6, 2.0)
    elif kind < 0.93:  # trees
        leaves = rng.random((12, 12)).astype(np.float32)
        leaves = enlarged(leaves, _COVER_SIDE, _COVER_SIDE)
        cover = np.where(leaves > rng.uniform(0.4, 0.8), np.float32(0.0), np.float32(1.0))
        blur = rng.uniform(0.8, 2.5)
    else:  # poles and wires
        for _ in range(int(rng.integers(1, 5))):
            ends = rng.uniform(0.0, _COVER_SIDE, 4).astype(int)
            cv2.line(cover, (ends[0], ends[1]), (ends[2], ends[3]), 0.0, int(rng.integers(1, 4)))
        blur = rng.uniform(0.5, 1.0)
    floor = rng.uniform(0.0, 0.15)
    soft: Floats = (floor + (1.0 - floor) * blurred(cover, blur)).astype(np.float32)
    return soft


def _shade_half(cover: Floats, rng: np.random.Generator) -> None:
    """Darken one side of a line that passes near the middle, in place."""
    angle, offset = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(-0.12, 0.25) * _COVER_SIDE
    grid = np.arange(_COVER_SIDE, dtype=np.float32) - 0.5 * _COVER_SIDE
    side = grid[None, :] * math.cos(angle) + grid[:, None] * math.sin(angle)
    cover[side > offset] = 0.0


@cache
def _directions(side: int) -> Floats:
    """Return (side, side, 3) unit vectors of a folded octahedron (kernels/render/scene.hpp)."""
    axis = np.linspace(-1.0, 1.0, side)
    u, v = np.meshgrid(axis, axis)
    up = 1.0 - np.abs(u) - np.abs(v)
    x = np.where(up < 0.0, (1.0 - np.abs(v)) * np.sign(u), u)
    y = np.where(up < 0.0, (1.0 - np.abs(u)) * np.sign(v), v)
    vectors = np.stack([x, y, up], axis=-1)
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return unit


@cache
def _cosine_weights() -> Floats:
    """Return (diffuse cells, glossy cells) weights that average what a half space sends to a surface."""
    normals = _directions(_DIFFUSE_SIDE).reshape(-1, 3)
    rays = _directions(_GLOSSY_SIDE).reshape(-1, 3)
    solid = np.abs(rays).sum(axis=1) ** 3  # of a cell of the octahedron, up to a factor
    weights = np.maximum(normals @ rays.T, 0.0) * solid
    averaged: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return averaged


@dataclass(frozen=True)
class _Dome:
    """What of the map of directions does not depend on the sky; (64, 64[, 3]) float32 each."""

    rays: Floats
    rise: Floats
    step: NDArray[np.int64]
    wide_wave: Floats
    narrow_sine: Floats
    narrow_cosine: Floats
    dim: Floats
    edge: Floats
    above: NDArray[np.bool_]


@cache
def _dome() -> _Dome:
    rays = _directions(_MIRROR_SIDE)
    z, azimuth = rays[..., 2], np.arctan2(rays[..., 1], rays[..., 0])
    turned = 1.1 * azimuth - 6.0 * z
    return _Dome(
        rays=rays,
        rise=np.sqrt(np.maximum(z, 0.0))[..., None],
        step=((azimuth / (2.0 * math.pi) + 0.5) * (_SKYLINE_STEPS - 1e-3)).astype(np.int64),
        wide_wave=np.sin(2.3 * azimuth + 9.0 * z),
        narrow_sine=np.sin(turned),
        narrow_cosine=np.cos(turned),
        dim=(1.0 - 0.45 * np.clip(-2.5 * z, 0.0, 1.0))[..., None],
        edge=np.clip(1.0 + 14.0 * z, 0.0, 1.0)[..., None],
        above=(z > 0.0)[..., None],
    )


def mirror_map(sky: Sky, ground: NDArray[np.floating]) -> Floats:
    """Return (64, 64, 3) float32: what is seen in each direction; `ground` is the road's radiance."""
    dome = _dome()
    zenith, horizon = sky.zenith.astype(np.float32), sky.horizon.astype(np.float32)
    phase = 40.0 * sky.clouds
    narrow = dome.narrow_sine * np.float32(math.cos(phase)) + dome.narrow_cosine * np.float32(math.sin(phase))
    cloudy = 1.0 + np.float32(sky.clouds) * dome.wide_wave * narrow
    above = (horizon + dome.rise * (zenith - horizon)) * cloudy[..., None]
    toward_sun = np.maximum(dome.rays @ sky.direction.astype(np.float32), 0.0)
    glow = toward_sun * toward_sun * toward_sun  # to the power of 24, by squaring
    for _ in range(3):
        glow = glow * glow
    above += glow[..., None] * (0.35 * sky.sun).astype(np.float32)
    heights = sky.skyline_heights.astype(np.float32)[dome.step]
    walls = sky.skyline_colors.astype(np.float32)[dome.step]
    hidden = np.clip((heights - dome.rays[..., 2]) * 14.0 + 0.5, 0.0, 1.0)[..., None]
    above += hidden * (walls - above)
    below = np.asarray(ground, np.float32) * dome.dim
    below += dome.edge * (walls - below)
    seen: Floats = np.where(dome.above, above, below)
    return seen


def light_scene(
    sky: Sky, road_albedo: tuple[float, float, float], models: Iterable[Model], center: Doubles, half: float
) -> Lit:
    """Return a sky as the renderer takes it.

    Args:
        sky: the light.
        road_albedo: linear RGB, for what the road reflects upward.
        models: what throws shadows.
        center: the middle of the place that they may fall on, in the world.
        half: meters from there to its edge.
    """
    axes = sun_axes(sky.direction)
    depths = sun_depths(models, axes, center, half)
    level = 0.5 * (sky.zenith + sky.horizon)
    ground = np.asarray(road_albedo) * (level + sky.sun * sky.direction[2] * float(sky.cover.mean()))
    mirror = mirror_map(sky, ground)
    step = _MIRROR_SIDE // _GLOSSY_SIDE
    glossy = np.ascontiguousarray(blurred(mirror, 2.2)[::step, ::step])
    diffuse = (_cosine_weights() @ glossy.reshape(-1, 3)).reshape(_DIFFUSE_SIDE, _DIFFUSE_SIDE, 3)
    light = _render.Light()
    light.direction = tuple(sky.direction.tolist())
    light.sun = tuple(sky.sun.tolist())
    light.sky = tuple(diffuse[_DIFFUSE_SIDE // 2, _DIFFUSE_SIDE // 2].tolist())
    light.haze_color = tuple(sky.horizon.tolist())
    light.haze = sky.haze
    around = _render.Around(
        mirror,
        glossy,
        np.ascontiguousarray(diffuse),
        depths,
        tuple(axes.ravel().tolist()),
        tuple(center.tolist()),
        half,
        sky.cover,
        _COVER_HALF,
    )
    return Lit(light, around)
