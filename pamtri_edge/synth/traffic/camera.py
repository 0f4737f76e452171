# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What one camera of a synthetic scene sees: its street, its light, and the vehicles in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.dataset.fleet import Vehicle
from pamtri_edge.synth.specification.streams import Stream
from pamtri_edge.synth.traffic.plan import BEGIN, LANE_WIDTH, LANES, Pose, TrafficPlan, pose_camera
from pamtri_edge.synth.view.background import beside_road, noise_map, road_of, sample_place
from pamtri_edge.synth.view.light import Sky, Weather, light_scene, sample_sky
from pamtri_edge.synth.view.raster import Lit, Model, Samples, background, place
from pamtri_edge.synth.view.scenery import composed, surface_of
from pamtri_edge.synth.view.sensor import Exposure, sample_exposure, sample_sensor, take

_WEATHERS: Final = (Weather.SUN, Weather.OVERCAST, Weather.SUN, Weather.DUSK)
"""Of the cameras in turn: their pictures shall differ."""

_CLEARER: Final = 0.4  # of the haze: a frame looks farther down the road than a crop
_SHADOW_HALF: Final = 24.0  # meters of road around the middle on which vehicles throw shadows
_MARGIN: Final = 2.2  # meters from the outer lanes to the kerb
_LEAST_QUALITY: Final = 70.0  # of the camera's own compression; the video's comes on top
_LEAST_SIDE: Final = 8.0  # pixels of a box inside the frame
_LEAST_FILLED: Final = 0.25  # share of that box in which the vehicle is seen


@dataclass(frozen=True)
class Placed:
    """A vehicle in one frame.

    Attributes:
        number: which vehicle.
        box: x1, y1, x2, y2 around it in pixels; may reach past the frame.
    """

    number: int
    box: tuple[float, float, float, float]


class TrafficCamera:
    """One camera: gives its frames, one after the other or any.

    Args:
        plan: the traffic.
        number: which camera, from 0.
        vehicles: all that drive.
    """

    def __init__(self, plan: TrafficPlan, number: int, vehicles: Sequence[Vehicle]) -> None:
        self._plan = plan
        self._number = number
        self._vehicles = vehicles
        self._camera = pose_camera(plan, number)
        street = sample_place(plan.seed, BEGIN + number)
        self._street = replace(
            street,
            junction=False,
            hatch_strength=0.0,
            half_width=LANES / 2 * LANE_WIDTH + _MARGIN,
            lane_width=LANE_WIDTH,
            center_strength=0.0,  # all drive one way
            mark_strength=max(street.mark_strength, 0.5),
            dash=street.dash or 6.0,
            parked=0.0,  # boxes that pass for cars in the corner of a crop, not in the middle of a frame
        )
        rng = np.random.default_rng([plan.seed, number, Stream.SKY])
        sky = sample_sky(rng, _WEATHERS[number % len(_WEATHERS)])
        self._sky: Sky = replace(sky, haze=_CLEARER * sky.haze)
        self._road = road_of(self._street, rng, self._sky.wet)
        self._road.heading, self._road.offset, self._road.crossing = 0.0, 0.0, 1000.0
        self._blocks = beside_road(self._street, rng, self._road, self._camera)
        sensor = sample_sensor(plan.seed, BEGIN + number)
        self._sensor = replace(
            sensor,
            shutter=0.0,  # it smears the street as well as what moves on it
            interlaced=False,
            quality=max(sensor.quality, _LEAST_QUALITY),
            detail=max(sensor.detail, 0.8),
        )
        self._exposure = self._expose(rng)

    def frame(self, index: int, poses: Sequence[tuple[int, Pose]]) -> tuple[NDArray[np.uint8], list[Placed]]:
        """Draw a frame.

        Args:
            index: its number, for the noise.
            poses: which vehicles are where.

        Returns:
            (H, W, 3) uint8 RGB, and the vehicles that can be seen in it.
        """
        models = [
            place(self._vehicles[number].mesh, x=pose.x, y=pose.y, heading=pose.heading)
            for number, pose in poses
        ]
        scale = self._plan.supersampling
        size = (self._plan.height, self._plan.width)
        fine = self._camera.window((0.0, 0.0, size[1], size[0]), size[1] * scale, size[0] * scale)
        samples = Samples(size[0] * scale, size[1] * scale)
        inside = [k for k, model in enumerate(models) if self._in_sight(model)]
        for k in inside:
            samples.draw(models[k], fine, k)
        front = np.zeros((size[0] * scale, size[1] * scale, 4), np.float32)
        for k in inside:
            surface = surface_of(self._vehicles[poses[k][0]].spec, lamps=self._sky.lamps)
            samples.shade(models[k], fine, k, self._light_around(models, k), surface, front)
        light = composed(front, self._behind(models), size[1], size[0])
        rng = np.random.default_rng([self._plan.seed, self._number, index, Stream.FRAME])
        picture = take(self._sensor, self._exposure, light, rng)
        counts = np.bincount(samples.instance.reshape(-1), minlength=256) / scale**2
        placed = [
            Placed(poses[k][0], box)
            for k in inside
            for box in (self._box(models[k]),)
            if self._is_seen(box, float(counts[k]))
        ]
        return picture, placed

    def _expose(self, rng: np.random.Generator) -> Exposure:
        """Measure the empty street once: the camera keeps its exposure while vehicles pass."""
        level = float(self._behind([]).mean())
        dark = 1.0 if self._sky.weather is Weather.NIGHT else 0.0
        exposure = sample_exposure(self._sensor, rng, level=level, dark=dark, angle=0.0)
        return replace(exposure, motion=0.0)

    def _light_around(self, models: Sequence[Model], k: int) -> Lit:
        """Return the light with shadows as fine as one vehicle needs them."""
        mesh = models[k].mesh
        x, y = models[k].footprint[:2].tolist()
        center = np.array([x, y, 0.4 * mesh.height])
        return self._lit(models, center, 0.62 * max(mesh.length, mesh.height))

    def _lit(self, models: Sequence[Model], center: NDArray[np.float64], half: float) -> Lit:
        return light_scene(self._sky, self._street.asphalt, models, center, half)

    def _behind(self, models: Sequence[Model]) -> NDArray[np.float32]:
        """Return (H, W, 3) linear light of the street with the vehicles' shadows."""
        color, shadow = background(
            self._camera,
            self._lit(models, np.zeros(3), _SHADOW_HALF),
            self._road,
            noise=noise_map(self._street.noise),
            blocks=self._blocks,
            models=models,
            size=(self._plan.height, self._plan.width),
        )
        return np.asarray(color * shadow[..., None], np.float32)

    def _in_sight(self, model: Model) -> bool:
        """Tell whether a model is before the camera and any of it inside the frame."""
        screen = self._camera.project(model.vertices[::7])
        if float(screen[:, 2].min()) <= 0.0:
            return False
        low, high = screen[:, :2].min(axis=0), screen[:, :2].max(axis=0)
        return bool(high[0] > 0 and high[1] > 0 and low[0] < self._plan.width and low[1] < self._plan.height)

    def _box(self, model: Model) -> tuple[float, float, float, float]:
        screen = self._camera.project(model.vertices)[:, :2]
        (x1, y1), (x2, y2) = screen.min(axis=0).tolist(), screen.max(axis=0).tolist()
        return x1, y1, x2, y2

    def _is_seen(self, box: tuple[float, float, float, float], pixels: float) -> bool:
        wide = min(box[2], self._plan.width) - max(box[0], 0.0)
        high = min(box[3], self._plan.height) - max(box[1], 0.0)
        return min(wide, high) > _LEAST_SIDE and pixels > _LEAST_FILLED * wide * high
