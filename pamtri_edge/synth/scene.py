# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One picture of one vehicle, as a detector would cut it from a camera's frame, with its labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _render
from pamtri_edge.errors import InputError
from pamtri_edge.synth import labels
from pamtri_edge.synth.background import Backgrounds, Place, beside_road, noise_map, road_of, sample_place
from pamtri_edge.synth.camera import Camera, Shot, sample_mounting, sample_shot
from pamtri_edge.synth.colors import looks_like
from pamtri_edge.synth.filters import resized
from pamtri_edge.synth.light import Sky, Weather, light_scene, sample_sky
from pamtri_edge.synth.material import Material
from pamtri_edge.synth.mesh import Mesh
from pamtri_edge.synth.occluders import MOST_HIDDEN, Furniture, sample_furniture, sample_stands
from pamtri_edge.synth.prior import PRIORS, CameraPrior
from pamtri_edge.synth.raster import (
    NOTHING,
    Bytes,
    Floats,
    Lit,
    Model,
    Samples,
    background,
    place,
    sun_axes,
    sun_depths,
)
from pamtri_edge.synth.sensor import (
    Exposure,
    Sensor,
    displayed,
    sample_exposure,
    sample_sensor,
    take,
)
from pamtri_edge.synth.streams import Stream, view_stream
from pamtri_edge.synth.vehicle_spec import VehicleSpec

_TRIES: Final = 4
"""Lights that are drawn before a plain day is taken, where the paint contradicts its label."""

_STORED_QUALITY: Final = 92

_SUBJECT: Final = 0
"""Instance number of the vehicle that the picture is of."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class View:
    """One picture of one vehicle.

    Attributes:
        image: (S, S, 3) uint8 RGB: the crop, stretched.
        jpeg: the picture encoded; the last of what a data set stores.
        width: pixels that the crop was wide in its frame.
        height: likewise.
        keypoints: (36, 2) float32 in crop units, 0..1 inside the crop; may leave it.
        visible: (36,) bool: in the crop, and nothing stands before it.
        visible_veri: (36,) bool: marked visible as VeRi's labels would.
        parts: (S, S) uint8: segment 0..12 that each pixel shows, 255 for none.
        box: x1, y1, x2, y2 around what is seen of the vehicle, in pixels of `image`.
        azimuth: where the camera stands, degrees: 0 before the vehicle, 90 on its left.
        elevation: of the camera, degrees.
        distance: of the camera, metres.
        weather: the light.
        identity: the vehicle's number.
        camera: the camera's number.
        color_name: of `vehicle.COLORS`.
        type_name: of `vehicle.TYPES`.
    """

    image: Bytes
    jpeg: bytes
    width: int
    height: int
    keypoints: Floats
    visible: NDArray[np.bool_]
    visible_veri: NDArray[np.bool_]
    parts: Bytes
    box: Box
    azimuth: float
    elevation: float
    distance: float
    weather: str
    identity: int
    camera: int
    color_name: str
    type_name: str


@dataclass(frozen=True)
class _Frame:
    """The crop: its size in the camera's frame, and the camera whose pictures it is."""

    width: int
    height: int
    side: int
    camera: Camera
    shot: Shot


@dataclass(frozen=True)
class _Seed:
    seed: int
    identity: int
    view: int

    def stream(self, stream: Stream, *more: int) -> np.random.Generator:
        return view_stream(self.seed, self.identity, self.view, stream, *more)


def render_view(
    mesh: Mesh,
    spec: VehicleSpec,
    *,
    seed: int,
    identity: int,
    view: int,
    camera: int = 0,
    prior: CameraPrior = PRIORS["veri"],
    backgrounds: Backgrounds | None = None,
    size: int = 256,
    supersampling: int = 2,
    others: Sequence[tuple[Mesh, VehicleSpec]] = (),
) -> View:
    """Draw one view of a vehicle; the same arguments give the same bytes in every process.

    Args:
        mesh: the vehicle, as `shape.build` makes it of `spec`.
        spec: its paint, glass and dirt.
        seed: of the set.
        identity: the vehicle's number.
        view: number of the view.
        camera: number of the camera; its mounting, optics, compression and place are those of all its views.
        prior: how cameras are distributed.
        backgrounds: pictures to put behind the vehicle; None draws a street.
        size: side of the picture, in pixels.
        supersampling: samples on a side of each pixel, of the picture or (if it is larger) of the frame.
        others: vehicles that may stand near, and hide parts of this one.

    Raises:
        InputError: a number is out of range.
    """
    _check(seed=seed, identity=identity, view=view, camera=camera, size=size, supersampling=supersampling)
    draws = _Seed(seed, identity, view)
    mounting, sensor = sample_mounting(prior, seed, camera), sample_sensor(seed, camera)
    rng = draws.stream(Stream.SHOT)
    shot = sample_shot(mounting, prior, rng, (mesh.length, mesh.width, mesh.height))
    subject = place(mesh)
    frame = _crop(subject, shot, prior, rng, mounting.pixel_aspect, size, supersampling)
    samples, models, shown = _draw(subject, frame, draws, others)
    specs = [spec, *(others[index][1] for index in shown)]
    furniture = sample_furniture(draws.stream(Stream.OCCLUDERS), frame.width, frame.height)
    street = sample_place(seed, camera)
    light, exposure, sky = _lit_scene(
        samples, models, specs, frame, street, sensor, draws, backgrounds, camera
    )
    if furniture is not None:
        light = _pasted(light, furniture, sky)
    picture = take(sensor, exposure, light, draws.stream(Stream.NOISE))
    image = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _STORED_QUALITY])[1]
    hidden = furniture.cover if furniture is not None else np.zeros((2, 2), np.float32)
    points = frame.camera.project(mesh.keypoints)
    units = (points[:, :2] / frame.side).astype(np.float32)
    x1, y1, x2, y2 = labels.box_of(samples.instance == _SUBJECT)
    return View(
        image=np.asarray(image, np.uint8),
        jpeg=encoded.tobytes(),
        width=frame.width,
        height=frame.height,
        keypoints=units,
        visible=labels.visible_by_depth(points, subject, frame.camera, samples, hidden),
        visible_veri=labels.visible_as_veri(shot.azimuth, units),
        parts=labels.part_map(subject, samples, _SUBJECT, hidden, size),
        box=(x1 * size, y1 * size, x2 * size, y2 * size),
        azimuth=shot.azimuth,
        elevation=shot.elevation,
        distance=shot.distance,
        weather=sky.weather.value,
        identity=identity,
        camera=camera,
        color_name=spec.color_name,
        type_name=spec.type_name,
    )


def _check(*, size: int, supersampling: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < 0:
            raise InputError(f"{name} is {number}; expected 0 or more.")
    if not 32 <= size <= 1024 or size % 2:
        raise InputError(f"size is {size}; expected an even number of pixels, 32..1024.")
    if not 1 <= supersampling <= 4:
        raise InputError(f"supersampling is {supersampling}; expected 1..4.")


def _crop(
    subject: Model,
    shot: Shot,
    prior: CameraPrior,
    rng: np.random.Generator,
    aspect: float,
    size: int,
    supersampling: int,
) -> _Frame:
    """Draw the detector's box around the vehicle, and how large it is in the camera's frame."""
    screen = shot.camera.project(subject.vertices)
    low, high = screen[:, :2].min(axis=0), screen[:, :2].max(axis=0)
    extent = high - low
    mean, spread = prior.margin
    margins = np.maximum(mean + spread * rng.standard_normal(4), -0.015)
    low, high = low - margins[:2] * extent, high + margins[2:] * extent
    if rng.random() < prior.truncated:  # a border of the frame
        side, cut = int(rng.integers(4)), float(rng.uniform(0.10, 0.42))
        if side < 2:
            low[side] += cut * extent[side]
        else:
            high[side - 2] -= cut * extent[side - 2]
    wide, tall = (high - low).tolist()
    longer = max(wide, tall)
    zoom = float(np.clip(longer, *prior.crop_limits)) / longer
    width, height = max(8, round(wide * zoom)), max(8, round(tall * zoom))
    enough = max(width, height) * supersampling <= size
    side = size if enough else size * supersampling
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return _Frame(width, height, side, shot.camera.window(box, side, side), shot)


def _draw(
    subject: Model, frame: _Frame, draws: _Seed, others: Sequence[tuple[Mesh, VehicleSpec]]
) -> tuple[Samples, list[Model], list[int]]:
    """Draw the vehicle and those near it that do not hide too much of it.

    Returns:
        the samples, the models in them (the vehicle first), and which of `others` the rest are.
    """
    samples = Samples(frame.side, frame.side)
    samples.draw(subject, frame.camera, _SUBJECT)
    own = int(np.count_nonzero(samples.instance == _SUBJECT))
    models, shown = [subject], []
    rng = draws.stream(Stream.COMPANIONS)
    for stand in sample_stands(rng, subject.mesh, [mesh for mesh, _ in others]):
        model = place(others[stand.index][0], x=stand.x, y=stand.y, heading=stand.heading)
        if float(frame.camera.project(model.vertices)[:, 2].min()) <= 0.0:
            continue  # it would stand in the camera
        trial = samples.copy()
        trial.draw(model, frame.camera, len(models))
        left = int(np.count_nonzero(trial.instance == _SUBJECT))
        if left < (1.0 - MOST_HIDDEN) * own:
            continue
        samples = trial
        models.append(model)
        shown.append(stand.index)
    return samples, models, shown


def _lit_scene(
    samples: Samples,
    models: list[Model],
    specs: list[VehicleSpec],
    frame: _Frame,
    street: Place,
    sensor: Sensor,
    draws: _Seed,
    backgrounds: Backgrounds | None,
    camera: int,
) -> tuple[Floats, Exposure, Sky]:
    """Draw lights until the paint looks like its label.

    Returns:
        (H, W, 3) linear light of the crop at its size in the frame, the exposure, the sky.
    """
    ground = draws.stream(Stream.GROUND)
    photo = None
    if backgrounds is not None:
        photo = backgrounds.window(ground, camera, frame.width, frame.height)
    shown = samples.instance != NOTHING
    covered = np.where(shown[::2, ::2] & shown[1::2, ::2] & shown[::2, 1::2] & shown[1::2, 1::2], 255, 0)
    covered = covered.astype(np.uint8)
    for attempt in range(_TRIES + 1):
        plain = attempt == _TRIES
        sky = sample_sky(draws.stream(Stream.LIGHT, attempt), Weather.PLAIN if plain else None)
        road = road_of(street, draws.stream(Stream.GROUND, attempt), sky.wet)
        lit = _lit(sky, street, models)
        vehicles = _shaded(samples, models, specs, frame, lit, sky, draws)
        behind, level = _behind(lit, road, street, frame, models, covered, draws, photo)
        exposure = sample_exposure(
            sensor,
            draws.stream(Stream.EXPOSURE, attempt),
            level=level + 0.25 * float(0.18 * (sky.sun.mean() * sky.direction[2] + sky.zenith.mean())),
            dark=1.0 if sky.weather is Weather.NIGHT else 0.0,
            angle=_heading_in_picture(frame),
        )
        paint = _paint_shown(samples, vehicles, sensor, exposure)
        if plain or paint is None or looks_like(specs[0].color_name, paint):
            break
    return _composed(vehicles, behind, frame), exposure, sky


def _lit(sky: Sky, street: Place, models: list[Model]) -> Lit:
    subject = models[0].mesh
    axes = sun_axes(sky.direction)
    center = np.array([0.0, 0.0, 0.4 * subject.height])
    half = 0.62 * max(subject.length, subject.height)
    depths = sun_depths(models, axes, center, half)
    return light_scene(sky, street.asphalt, depths, axes, center, half)


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


def _shaded(
    samples: Samples,
    models: list[Model],
    specs: list[VehicleSpec],
    frame: _Frame,
    lit: Lit,
    sky: Sky,
    draws: _Seed,
) -> Floats:
    """Return (side, side, 4) linear light of the vehicles, and coverage."""
    rng = draws.stream(Stream.LAMPS)
    out = np.zeros((frame.side, frame.side, 4), np.float32)
    for number, (model, spec) in enumerate(zip(models, specs, strict=True)):
        brakes = float(rng.uniform(0.3, 1.2)) if rng.random() < 0.15 else 0.0
        surface = surface_of(spec, lamps=sky.lamps, brakes=brakes)
        samples.shade(model, frame.camera, number, lit, surface, out)
    return out


def _behind(
    lit: Lit,
    road: _render.Road,
    street: Place,
    frame: _Frame,
    models: list[Model],
    covered: Bytes,
    draws: _Seed,
    photo: Floats | None,
) -> tuple[Floats, float]:
    """Return (H, W, 3) linear light behind the vehicles, and the level of what of it is seen."""
    side = covered.shape[0]
    camera = frame.camera.window((0.0, 0.0, float(frame.side), float(frame.side)), side, side)
    noise = noise_map(street.noise)
    blocks = beside_road(street, draws.stream(Stream.PLACE), road, camera)
    if photo is not None:
        blocks = blocks[:0]
    color, shadow = background(
        camera, lit, road, noise=noise, blocks=blocks, models=models, size=(side, side), covered=covered
    )
    seen = covered == 0
    level = float(color[seen].mean()) if seen.any() else 0.2
    if photo is not None:  # as bright as the drawn road would be in this light
        color = resized(photo, side, side)
        color *= np.float32(level / max(0.02, float(color.mean())))
    color *= shadow[..., None]
    return color, level


def _composed(vehicles: Floats, behind: Floats, frame: _Frame) -> Floats:
    """Return (H, W, 3) linear light at the crop's size in its frame."""
    size = (frame.width, frame.height)
    front, back = resized(vehicles, *size), resized(behind, *size)
    light: Floats = back * (1.0 - front[..., 3:]) + front[..., :3]
    return light


def _pasted(light: Floats, furniture: Furniture, sky: Sky) -> Floats:
    """Return the light with street furniture before it."""
    received = (0.5 * (sky.zenith + sky.horizon) + 0.4 * sky.sun).astype(np.float32)
    cover = furniture.cover[..., None]
    pasted: Floats = light * (1.0 - cover) + furniture.albedo * received * cover
    return pasted


def _paint_shown(
    samples: Samples, vehicles: Floats, sensor: Sensor, exposure: Exposure
) -> tuple[float, float, float] | None:
    """Return the display levels of the vehicle's paint, their median; None where too little of it shows."""
    step = 3
    paint = (samples.instance[::step, ::step] == _SUBJECT) & (
        samples.material[::step, ::step] == Material.PAINT
    )
    if np.count_nonzero(paint) < 40:
        return None
    median = np.median(vehicles[::step, ::step, :3][paint], axis=0)
    r, g, b = displayed(sensor, exposure, median[None])[0].tolist()
    return (r, g, b)


def _heading_in_picture(frame: _Frame) -> float:
    """Return the direction of the vehicle's motion in the crop, radians."""
    ends = frame.camera.project(np.array([[1.0, 0.0, 0.5], [-1.0, 0.0, 0.5]]))
    dx = (ends[0, 0] - ends[1, 0]) * frame.width
    dy = (ends[0, 1] - ends[1, 1]) * frame.height
    return math.atan2(float(dy), float(dx))
