# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What stands where in one picture: the crop a detector would cut, the vehicle in it, others near it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.specification.vehicle import VehicleSpec
from pamtri_edge.synth.view.camera import Camera, Shot
from pamtri_edge.synth.view.occluders import MOST_HIDDEN, sample_stands
from pamtri_edge.synth.view.prior import CameraPrior
from pamtri_edge.synth.view.raster import Model, Samples, place

SUBJECT: Final = 0
"""Instance number of the vehicle that the picture is of."""


@dataclass(frozen=True)
class Crop:
    """The rectangle that a detector cuts out of a camera's frame.

    Attributes:
        width: of the rectangle, in pixels of the frame.
        height: likewise.
        side: samples on each side of the square picture that is drawn of it.
        camera: whose pixels are these samples.
        shot: the vehicle before the camera.
    """

    width: int
    height: int
    side: int
    camera: Camera
    shot: Shot


@dataclass(frozen=True)
class Stage:
    """Everything that stands in the picture; the vehicle that it is of comes first.

    Attributes:
        crop: the rectangle.
        samples: what each sample shows; instances are indices into `models`.
        models: the vehicles in place.
        specs: their paint.
    """

    crop: Crop
    samples: Samples
    models: tuple[Model, ...]
    specs: tuple[VehicleSpec, ...]


def sample_crop(
    subject: Model,
    shot: Shot,
    prior: CameraPrior,
    rng: np.random.Generator,
    *,
    size: int,
    supersampling: int,
) -> Crop:
    """Draw the detector's box around a vehicle, and how large it is in the camera's frame.

    Args:
        subject: the vehicle.
        shot: where the camera stands.
        prior: margins, limits of the size, share of crops that a border of the frame cuts.
        rng: the view's numbers.
        size: side of the picture that is stored, in pixels.
        supersampling: samples on a side of each pixel of the frame, or of the stored picture if it has fewer;
            the stored picture never has more pixels than there are samples.
    """
    screen = shot.camera.project(subject.vertices)
    low, high = screen[:, :2].min(axis=0), screen[:, :2].max(axis=0)
    extent = high - low
    mean, spread = prior.margin
    margins = np.maximum(mean + spread * rng.standard_normal(4), -0.015)
    low, high = low - margins[:2] * extent, high + margins[2:] * extent
    if rng.random() < prior.truncated:  # a border of the frame
        border, cut = int(rng.integers(4)), rng.uniform(0.10, 0.42)
        if border < 2:
            low[border] += cut * extent[border]
        else:
            high[border - 2] -= cut * extent[border - 2]
    wide, tall = (high - low).tolist()
    longer = max(wide, tall)
    zoom = float(np.clip(longer, *prior.crop_limits)) / longer
    width, height = max(8, round(wide * zoom)), max(8, round(tall * zoom))
    halves = math.ceil(2 * supersampling * max(width, height) / size)  # more samples would show no more
    side = size * min(max(2, halves), 2 * supersampling) // 4 * 2
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Crop(width, height, side, shot.camera.window(box, side, side), shot)


def set_stage(
    subject: Model,
    spec: VehicleSpec,
    crop: Crop,
    rng: np.random.Generator,
    others: Sequence[tuple[Mesh, VehicleSpec]],
) -> Stage:
    """Put vehicles near the one that the picture is of, unless they would hide most of it."""
    samples = Samples(crop.side, crop.side)
    samples.draw(subject, crop.camera, SUBJECT)
    own = int(np.count_nonzero(samples.instance == SUBJECT))
    models, specs = [subject], [spec]
    meshes = [mesh for mesh, _ in others]
    for stand in sample_stands(rng, subject.mesh, meshes, crop.shot.azimuth):
        mesh, paint = others[stand.index]
        model = place(mesh, x=stand.x, y=stand.y, heading=stand.heading)
        if float(crop.camera.project(model.vertices)[:, 2].min()) <= 0.0:
            continue  # it would stand in the camera
        trial = samples.copy()
        trial.draw(model, crop.camera, len(models))
        if int(np.count_nonzero(trial.instance == SUBJECT)) < (1.0 - MOST_HIDDEN) * own:
            continue
        samples = trial
        models.append(model)
        specs.append(paint)
    return Stage(crop, samples, tuple(models), tuple(specs))
