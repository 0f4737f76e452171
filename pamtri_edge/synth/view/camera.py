# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera, and how a camera above a road sees a vehicle.

The world is the vehicle's frame: x forward, y left, z up, meters, the ground at z = 0. Azimuth is the
direction in which the camera stands: 0 before the vehicle, 90 on its left, 180 behind; elevation is
how far above the horizon it stands, both in degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.specification.streams import Stream, camera_stream
from pamtri_edge.synth.view.prior import CameraPrior

Doubles = NDArray[np.float64]

REFERENCE_LENGTH = 4.5
"""Of the vehicle for which a camera's median crop is meant, in meters."""

_KEPT = 0.8
"""Correlation of a camera's elevations: how much of it is its mounting, the rest where the vehicle is."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        eye: (3,) float64, in the world.
        rotation: (3, 3) float64, rows right, down, forward.
        focal: horizontal and vertical focal length in pixels.
        center: x, y of the optical axis in pixels; pixel edges at integers.
    """

    eye: Doubles
    rotation: Doubles
    focal: tuple[float, float]
    center: tuple[float, float]

    def project(self, points: NDArray[np.floating]) -> Doubles:
        """Return (N, 3) float64 x, y in pixels and 1 / depth; not positive behind the camera."""
        local = (np.asarray(points, np.float64) - self.eye) @ self.rotation.T
        depth = local[:, 2]
        inverse = np.where(depth > 0.05, 1.0 / np.where(depth > 0.05, depth, 1.0), -1.0)
        screen = np.empty((len(local), 3))
        screen[:, 0] = local[:, 0] * inverse * self.focal[0] + self.center[0]
        screen[:, 1] = local[:, 1] * inverse * self.focal[1] + self.center[1]
        screen[:, 2] = inverse
        return screen

    def window(self, box: tuple[float, float, float, float], width: int, height: int) -> Camera:
        """Return the camera whose picture of width x height is this camera's `box` (x1, y1, x2, y2)."""
        sx, sy = width / (box[2] - box[0]), height / (box[3] - box[1])
        return replace(
            self,
            focal=(self.focal[0] * sx, self.focal[1] * sy),
            center=((self.center[0] - box[0]) * sx, (self.center[1] - box[1]) * sy),
        )


def aim(yaw: float, pitch: float, roll: float) -> Doubles:
    """Return the rotation of a camera that looks along yaw and pitch, turned by roll (radians)."""
    forward = np.array([math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch)])
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    return np.stack([right * c + down * s, down * c - right * s, forward])


@dataclass(frozen=True)
class Mounting:
    """How one camera is installed; the same in all its views.

    Attributes:
        height: above the road, in meters.
        field: horizontal field of view, in degrees.
        focal: in pixels.
        elevation: of vehicles in the middle of its picture, in degrees.
        rank: of that elevation among the prior's cameras, as a standard normal number.
        steep: whether it follows the prior's free cameras rather than its percentiles.
        azimuth: of vehicles that drive toward it along the road, in degrees.
        azimuth_spread: of vehicles in one direction, in degrees.
        turning: share of vehicles that drive in any direction.
        oncoming: share of vehicles, of those that do not turn, that come toward the camera.
        roll: in degrees.
        pixel_aspect: width of a picture over its true width.
    """

    height: float
    field: float
    focal: float
    elevation: float
    rank: float
    steep: bool
    azimuth: float
    azimuth_spread: float
    turning: float
    oncoming: float
    roll: float
    pixel_aspect: float


def sample_mounting(prior: CameraPrior, seed: int, camera: int) -> Mounting:
    """Draw how a camera is installed."""
    rng = camera_stream(seed, camera, Stream.MOUNTING)
    steep = bool(rng.random() < prior.free_share)
    rank = rng.standard_normal()
    height = rng.uniform(*prior.mount_height)
    elevation = prior.elevation(_KEPT * rank, steep=steep)
    median = float(np.exp(rng.uniform(*np.log(prior.crop_size))))
    mode = prior.azimuth_modes[int(rng.integers(len(prior.azimuth_modes)))]
    turning = rng.uniform(0.5, 1.0) if steep else rng.uniform(0.0, 0.15)
    one_way = rng.random()
    return Mounting(
        height=height,
        field=rng.uniform(22.0, 72.0),
        focal=median * height / math.sin(math.radians(elevation)) / REFERENCE_LENGTH,
        elevation=elevation,
        rank=rank,
        steep=steep,
        azimuth=mode[0] + mode[1] * 0.75 * rng.standard_normal(),
        azimuth_spread=mode[1] * 0.66,
        turning=turning,
        oncoming=0.95 if one_way < 0.3 else 0.05 if one_way > 0.7 else rng.uniform(0.3, 0.7),
        roll=rng.normal(0.0, 1.5),
        pixel_aspect=float(rng.choice([1.0, 1.0, 1.0, 1.09, 0.92, 1.33])),
    )


@dataclass(frozen=True)
class Shot:
    """A camera and the vehicle before it.

    Attributes:
        camera: whose pixels are those of the whole frame, the optical axis at 0, 0.
        azimuth: -180..180 degrees.
        elevation: degrees.
        distance: from the camera to the vehicle's middle, meters.
    """

    camera: Camera
    azimuth: float
    elevation: float
    distance: float


def sample_shot(
    mounting: Mounting, prior: CameraPrior, rng: np.random.Generator, extents: tuple[float, float, float]
) -> Shot:
    """Draw where a vehicle is before a camera.

    Args:
        mounting: of the camera.
        prior: the camera was drawn from.
        rng: the view's numbers.
        extents: length, width, height of the vehicle, meters.
    """
    rank = _KEPT * mounting.rank + math.sqrt(1.0 - _KEPT**2) * rng.standard_normal()
    elevation = prior.elevation(rank, steep=mounting.steep)
    if rng.random() < mounting.turning:
        azimuth = rng.uniform(-180.0, 180.0)
    else:
        away = 0.0 if rng.random() < mounting.oncoming else 180.0
        side = 1.0 if away == 0.0 else -1.0  # the road is seen from the same side in both directions
        azimuth = away + side * mounting.azimuth + mounting.azimuth_spread * rng.standard_normal()
    azimuth = (azimuth + 180.0) % 360.0 - 180.0
    nearest = 0.75 * extents[0] + 2.0
    distance = float(np.clip(mounting.height / math.sin(math.radians(elevation)), nearest, 120.0))
    pan = mounting.field * rng.uniform(-0.42, 0.42)
    tilt = float(np.clip(elevation - mounting.elevation, -0.25 * mounting.field, 0.25 * mounting.field))
    a, e = math.radians(azimuth), math.radians(elevation)
    toward = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    eye = np.array([0.0, 0.0, 0.4 * extents[2]]) + distance * toward
    eye[2] = max(eye[2], 0.9)
    rotation = aim(a + math.pi + math.radians(pan), -e + math.radians(tilt), math.radians(mounting.roll))
    camera = Camera(eye, rotation, (mounting.focal * mounting.pixel_aspect, mounting.focal), (0.0, 0.0))
    return Shot(camera, azimuth, elevation, distance)
