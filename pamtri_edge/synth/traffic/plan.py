# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Who drives past which camera, when and where: traffic before any of it is drawn.

Each camera has a straight road of its own: it runs along the world's x axis, its middle is y = 0, and
all vehicles drive toward positive x, on two lanes. The first, third, ... camera sees them come, the others
see them go; all stand at the vehicles' left, so that every camera sees that side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pamtri_edge.errors import InputError
from pamtri_edge.synth.dataset.plan import UNSEEN
from pamtri_edge.synth.specification.streams import Stream
from pamtri_edge.synth.view.camera import Camera, aim

LANES: Final = 2
LANE_WIDTH: Final = 3.5
BEGIN: Final = 20 * UNSEEN
"""Where the numbers of traffic's vehicles and cameras begin: no data set has them."""

_MOST_CAMERAS: Final = 26  # cameras are named by letters
_ROOM: Final = 3.0  # meters between two vehicles of a lane


@dataclass(frozen=True, kw_only=True)
class TrafficPlan:
    """Videos of the same vehicles by several cameras.

    Attributes:
        vehicles: how many; each passes every camera once.
        cameras: how many.
        seconds: length of each video.
        fps: frames a second.
        width: of the frames, in pixels; even.
        height: likewise.
        seed: another seed, other vehicles and cameras.
        supersampling: samples along a pixel's side.

    Raises:
        InputError: a number out of its range.
    """

    vehicles: int = 6
    cameras: int = 2
    seconds: float = 8.8
    fps: float = 12.5
    width: int = 640
    height: int = 360
    seed: int = 0
    supersampling: int = 2

    def __post_init__(self) -> None:
        limits: dict[str, tuple[float, float]] = {
            "vehicles": (1, 1000),
            "cameras": (1, _MOST_CAMERAS),
            "seconds": (0.1, 3600.0),
            "fps": (1.0, 60.0),
            "width": (64, 3840),
            "height": (64, 2160),
            "seed": (0, 2**32),
            "supersampling": (1, 4),
        }
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(f"{name} is {value:g}; accepted: {least:g} to {most:g}.")
        if self.width % 2 or self.height % 2:
            raise InputError(f"frames of {self.width}x{self.height} pixels; video needs even numbers.")

    @property
    def frames(self) -> int:
        """Frames of each video."""
        return max(1, round(self.seconds * self.fps))


def camera_name(camera: int) -> str:
    """Return the name of a camera and of its files: camera-a, camera-b, ..."""
    return f"camera-{chr(ord('a') + camera)}"


@dataclass(frozen=True)
class Pose:
    """Where a vehicle is: meters in the road's frame, and radians from its x axis."""

    x: float
    y: float
    heading: float


@dataclass(frozen=True)
class Drive:
    """One vehicle's way past one camera.

    Attributes:
        track_id: in the order in which vehicles come, from 1.
        vehicle: which one, from 0.
        lane: y of its lane's middle.
        start_s: when it is at `start_x`.
        start_x: where it comes into sight.
        end_x: where it is out of it.
        speed: meters a second.
        sway: how far it strays from the lane's middle, in meters.
        phase: of the swaying.
    """

    track_id: int
    vehicle: int
    lane: float
    start_s: float
    start_x: float
    end_x: float
    speed: float
    sway: float
    phase: float

    def pose(self, time_s: float) -> Pose | None:
        """Return where the vehicle is; None before it comes and after it went."""
        x = self.start_x + self.speed * (time_s - self.start_s)
        if not self.start_x <= x <= self.end_x:
            return None
        turn = 2 * math.pi * x / 40.0 + self.phase
        slope = self.sway * math.cos(turn) * 2 * math.pi / 40.0
        return Pose(x, self.lane + self.sway * math.sin(turn), math.atan(slope))


def drives(plan: TrafficPlan, camera: int, lengths: list[float]) -> list[Drive]:
    """Return the vehicles' ways past a camera, in the order in which they come.

    Args:
        plan: the traffic.
        camera: which camera, from 0.
        lengths: of the vehicles, in meters.

    Raises:
        InputError: so many vehicles do not fit into the video one behind the other.
    """
    rng = np.random.default_rng([plan.seed, camera, plan.vehicles, Stream.DRIVES])
    order = rng.permutation(plan.vehicles).tolist()
    speed = rng.uniform(11.0, 13.5)
    start_x, end_x = (-38.0, 15.0) if comes(camera) else (-15.0, 38.0)
    crossing = (end_x - start_x) / speed
    spare = max(plan.seconds - crossing, 0.3 * plan.seconds)
    spacing = spare / max(plan.vehicles - 1, 1)
    _check_room(plan, [lengths[vehicle] for vehicle in order], spacing * speed)
    first_lane = int(rng.integers(LANES))
    return [
        Drive(
            track_id=number + 1,
            vehicle=vehicle,
            lane=((number + first_lane) % LANES - (LANES - 1) / 2) * LANE_WIDTH,
            start_s=number * spacing,
            start_x=start_x,
            end_x=end_x,
            speed=speed,
            sway=rng.uniform(0.0, 0.25),
            phase=rng.uniform(0.0, 2 * math.pi),
        )
        for number, vehicle in enumerate(order)
    ]


def comes(camera: int) -> bool:
    """Tell whether vehicles come toward a camera; else they go away from it."""
    return camera % 2 == 0


def _check_room(plan: TrafficPlan, lengths: list[float], step: float) -> None:
    """Refuse vehicles that would drive into each other; `step` is meters from one to the next."""
    for ahead, behind in zip(lengths, lengths[LANES:], strict=False):
        if LANES * step < (ahead + behind) / 2 + _ROOM:
            raise InputError(
                f"{plan.vehicles} vehicles in {plan.seconds:g} seconds would drive into each other; use more "
                "seconds or fewer vehicles."
            )


def pose_camera(plan: TrafficPlan, camera: int) -> Camera:
    """Return where a camera stands and looks, in pixels of its frames.

    It stands at the vehicles' left, above the kerb, at one end of the stretch that it sees.
    """
    rng = np.random.default_rng([plan.seed, camera, Stream.POSE])
    end = 1.0 if comes(camera) else -1.0
    eye = np.array([end * rng.uniform(10.0, 13.0), rng.uniform(7.0, 9.5), rng.uniform(4.2, 6.2)])
    target = np.array([end * rng.uniform(-5.0, -2.0), rng.uniform(-1.0, 0.5), 0.7])
    away = target - eye
    yaw = math.atan2(away[1], away[0])
    pitch = math.atan2(away[2], math.hypot(away[0], away[1]))
    rotation = aim(yaw, pitch, math.radians(rng.normal(0.0, 0.8)))
    field = math.radians(rng.uniform(44.0, 52.0))
    focal = 0.5 * plan.width / math.tan(0.5 * field)
    return Camera(eye, rotation, (focal, focal), (0.5 * plan.width, 0.5 * plan.height))
