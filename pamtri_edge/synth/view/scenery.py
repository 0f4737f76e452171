# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Light and street of one picture, and the linear light that reaches its camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pamtri_edge import _render
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.specification.streams import Draws, Stream
from pamtri_edge.synth.specification.vehicle import VehicleSpec
from pamtri_edge.synth.view.background import Place, beside_road, noise_map, road_of
from pamtri_edge.synth.view.colors import looks_like
from pamtri_edge.synth.view.filters import resized
from pamtri_edge.synth.view.light import Sky, Weather, light_scene, sample_sky
from pamtri_edge.synth.view.occluders import Furniture
from pamtri_edge.synth.view.raster import NOTHING, Bytes, Floats, Lit, Samples, background
from pamtri_edge.synth.view.sensor import Exposure, Sensor, displayed, sample_exposure
from pamtri_edge.synth.view.stage import SUBJECT, Crop, Stage

_TRIES: Final = 4
"""Lights that are drawn before a plain day is taken, where the paint contradicts its label."""

_FEW: Final = 64
_LEAST_PAINT: Final = 12
"""About 64 x 64 samples tell how bright the street is and what color the paint looks like; fewer samples of
paint than so many tell nothing."""


@dataclass(frozen=True)
class Scenery:
    """A light, the street under it, and how the sensor exposes for both.

    Attributes:
        place: the camera's surroundings.
        sky: the light.
        lit: the same as the renderer takes it, with the shadows of the vehicles.
        road: the road and where the vehicle stands on it.
        blocks: what stands beside it.
        level: mean linear light of the street that is seen.
        exposure: of the sensor.
    """

    place: Place
    sky: Sky
    lit: Lit
    road: _render.Road
    blocks: Floats
    level: float
    exposure: Exposure


def sample_scenery(stage: Stage, street: Place, sensor: Sensor, draws: Draws) -> Scenery:
    """Draw lights until the vehicle's paint looks like its label, which few samples suffice to see."""
    few = stage.samples.thinned(max(1, stage.crop.side // _FEW))
    for attempt in range(_TRIES + 1):
        plain = attempt == _TRIES
        scenery = _scenery(stage, few, street, sensor, draws, attempt, Weather.PLAIN if plain else None)
        vehicles = shaded(stage, few, scenery, draws)
        paint = _paint_shown(few, vehicles, sensor, scenery.exposure)
        if plain or paint is None or looks_like(stage.specs[0].color_name, paint):
            break
    return scenery


def _scenery(
    stage: Stage,
    few: Samples,
    street: Place,
    sensor: Sensor,
    draws: Draws,
    attempt: int,
    weather: Weather | None,
) -> Scenery:
    sky = sample_sky(draws.stream(Stream.LIGHT, attempt), weather)
    road = road_of(street, draws.stream(Stream.GROUND, attempt), sky.wet)
    subject = stage.models[0].mesh
    center, half = np.array([0.0, 0.0, 0.4 * subject.height]), 0.62 * max(subject.length, subject.height)
    lit = light_scene(sky, street.asphalt, stage.models, center, half)
    blocks = beside_road(street, draws.stream(Stream.PLACE), road, stage.crop.camera)
    color = _drawn_street(stage, street, road, lit, blocks, few.instance)[0]
    seen = few.instance == NOTHING
    level = float(color[seen].mean()) if seen.any() else float(color.mean())
    exposure = sample_exposure(
        sensor,
        draws.stream(Stream.EXPOSURE, attempt),
        level=level,
        dark=1.0 if sky.weather is Weather.NIGHT else 0.0,
        angle=_heading_in_picture(stage.crop),
    )
    return Scenery(street, sky, lit, road, blocks, level, exposure)


def surface_of(spec: VehicleSpec, *, lamps: float = 0.0, brakes: float = 0.0) -> _render.Surface:
    """Return a vehicle's paint as the renderer takes it; `lamps` and `brakes` are how bright they shine."""
    surface = _render.Surface()
    surface.paint = spec.paint.base
    surface.second_paint = spec.paint.second
    surface.interior = (spec.cabin.tint,) * 3
    surface.metal = spec.paint.metal
    surface.gloss = 2.0 / spec.paint.roughness**2
    surface.dirt = spec.dirt
    surface.headlamps = lamps
    surface.taillamps = 0.25 * lamps + brakes
    return surface


def shaded(stage: Stage, samples: Samples, scenery: Scenery, draws: Draws) -> Floats:
    """Return (H, W, 4) linear light of the vehicles, and coverage, in the stage's samples or some of them."""
    rng = draws.stream(Stream.LAMPS)
    out = np.zeros((*samples.instance.shape, 4), np.float32)
    for number, (model, spec) in enumerate(zip(stage.models, stage.specs, strict=True)):
        brakes = rng.uniform(0.3, 1.2) if rng.random() < 0.15 else 0.0
        surface = surface_of(spec, lamps=scenery.sky.lamps, brakes=brakes)
        samples.shade(model, stage.crop.camera, number, scenery.lit, surface, out)
    return out


def street_behind(stage: Stage, scenery: Scenery, photo: Floats | None) -> Floats:
    """Return (side / 2, side / 2, 3) linear light behind the vehicles.

    A photo (H, W, 3) of linear light takes the place of the drawn street, made as bright on average.
    """
    hiding = _hiding(stage.samples)
    blocks = scenery.blocks if photo is None else scenery.blocks[:0]
    color, shadow = _drawn_street(stage, scenery.place, scenery.road, scenery.lit, blocks, hiding)
    if photo is not None:
        color = resized(photo, hiding.shape[1], hiding.shape[0])
        color *= np.float32(scenery.level / max(0.02, float(color.mean())))
    color *= shadow[..., None]
    return color


def _drawn_street(
    stage: Stage, street: Place, road: _render.Road, lit: Lit, blocks: Floats, shown: Bytes
) -> tuple[Floats, Floats]:
    """Return color and shadow as fine as `shown` (H, W), in which vehicles hide what is not `NOTHING`."""
    side, whole = shown.shape[0], float(stage.crop.side)
    return background(
        stage.crop.camera.window((0.0, 0.0, whole, whole), side, side),
        lit,
        road,
        noise=noise_map(street.noise),
        blocks=blocks,
        models=stage.models,
        size=(side, side),
        covered=np.where(shown != NOTHING, np.uint8(255), np.uint8(0)),
    )


def _hiding(samples: Samples) -> Bytes:
    """Return (H / 2, W / 2) uint8: `NOTHING` unless all four samples of a block show a vehicle."""
    open_ = np.where(samples.instance == NOTHING, np.uint8(NOTHING), np.uint8(0))
    upper = np.maximum(open_[::2, ::2], open_[::2, 1::2])
    hiding: Bytes = np.maximum(upper, np.maximum(open_[1::2, ::2], open_[1::2, 1::2]))
    return hiding


def composed(vehicles: Floats, behind: Floats, width: int, height: int) -> Floats:
    """Return (height, width, 3) linear light, at the size of the crop in its frame or of a whole frame."""
    front, back = resized(vehicles, width, height), resized(behind, width, height)
    light: Floats = back * (1.0 - front[..., 3:])
    light += front[..., :3]
    return light


def pasted(light: Floats, furniture: Furniture, sky: Sky) -> Floats:
    """Return the light with street furniture before it."""
    received = (0.5 * (sky.zenith + sky.horizon) + 0.4 * sky.sun).astype(np.float32)
    cover = furniture.cover[..., None]
    covered: Floats = light * (1.0 - cover) + furniture.albedo * received * cover
    return covered


def _paint_shown(
    samples: Samples, vehicles: Floats, sensor: Sensor, exposure: Exposure
) -> tuple[float, float, float] | None:
    """Return the display levels of the vehicle's paint, their median; None where too little of it shows."""
    paint = (samples.instance == SUBJECT) & (samples.material == Material.PAINT)
    if np.count_nonzero(paint) < _LEAST_PAINT:
        return None
    median = np.median(vehicles[paint][:, :3], axis=0)
    r, g, b = displayed(sensor, exposure, median[None])[0].tolist()
    return (r, g, b)


def _heading_in_picture(crop: Crop) -> float:
    """Return the direction of the vehicle's motion in the crop, radians."""
    ends = crop.camera.project(np.array([[1.0, 0.0, 0.5], [-1.0, 0.0, 0.5]]))
    dx = (ends[0, 0] - ends[1, 0]) * crop.width
    dy = (ends[0, 1] - ends[1, 1]) * crop.height
    return math.atan2(float(dy), float(dx))
