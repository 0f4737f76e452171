# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One picture of one vehicle, as a detector would cut it from a camera's frame, with its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.specification.streams import Draws, Stream
from pamtri_edge.synth.specification.vehicle import VehicleSpec
from pamtri_edge.synth.view import labels
from pamtri_edge.synth.view.backdrops import Backgrounds
from pamtri_edge.synth.view.background import sample_place
from pamtri_edge.synth.view.camera import sample_mounting, sample_shot
from pamtri_edge.synth.view.occluders import sample_furniture
from pamtri_edge.synth.view.prior import PRIORS, CameraPrior
from pamtri_edge.synth.view.raster import Bytes, Floats, place
from pamtri_edge.synth.view.scenery import composed, pasted, sample_scenery, shaded, street_behind
from pamtri_edge.synth.view.sensor import sample_sensor, take
from pamtri_edge.synth.view.stage import SUBJECT, sample_crop, set_stage

_STORED_QUALITY: Final = 92

_NOTHING_PASTED: Final = np.zeros((2, 2), np.float32)


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
        distance: of the camera, meters.
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
    box: tuple[float, float, float, float]
    azimuth: float
    elevation: float
    distance: float
    color_name: str
    type_name: str


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
        supersampling: samples on a side of each pixel of the frame, or of the picture if it has fewer.
        others: vehicles that may stand near, and hide parts of this one.

    Raises:
        InputError: a number is out of range.
    """
    _check(seed=seed, identity=identity, view=view, camera=camera, size=size, supersampling=supersampling)
    draws = Draws(seed, identity, view)
    mounting, sensor = sample_mounting(prior, seed, camera), sample_sensor(seed, camera)
    rng = draws.stream(Stream.SHOT)
    shot = sample_shot(mounting, prior, rng, (mesh.length, mesh.width, mesh.height))
    subject = place(mesh)
    crop = sample_crop(subject, shot, prior, rng, size=size, supersampling=supersampling)
    stage = set_stage(subject, spec, crop, draws.stream(Stream.COMPANIONS), others)
    scenery = sample_scenery(stage, sample_place(seed, camera), sensor, draws)
    photo = None
    if backgrounds is not None:
        photo = backgrounds.window(draws.stream(Stream.PHOTO), camera, crop.width, crop.height)
    vehicles = shaded(stage, stage.samples, scenery, draws)
    light = composed(vehicles, street_behind(stage, scenery, photo), crop.width, crop.height)
    furniture = sample_furniture(draws.stream(Stream.OCCLUDERS), crop.width, crop.height)
    if furniture is not None:
        light = pasted(light, furniture, scenery.sky)
    picture = take(sensor, scenery.exposure, light, draws.stream(Stream.NOISE))
    image = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _STORED_QUALITY])[1]
    hidden = _NOTHING_PASTED if furniture is None else furniture.cover
    points = crop.camera.project(mesh.keypoints)
    units = (points[:, :2] / crop.side).astype(np.float32)
    x1, y1, x2, y2 = labels.box_of(stage.samples.instance == SUBJECT)
    return View(
        image=image,
        jpeg=encoded.tobytes(),
        width=crop.width,
        height=crop.height,
        keypoints=units,
        visible=labels.visible_by_depth(points, subject, crop.camera, stage.samples, hidden),
        visible_veri=labels.visible_as_veri(shot.azimuth, units),
        parts=labels.part_map(subject, stage.samples, SUBJECT, hidden, size),
        box=(x1 * size, y1 * size, x2 * size, y2 * size),
        azimuth=shot.azimuth,
        elevation=shot.elevation,
        distance=shot.distance,
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
