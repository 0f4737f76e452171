# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Two cameras that see the same drawn vehicles: something to run on where no footage is at hand.

`python -m pamtri_edge.video.demo FOLDER` writes `camera-a.mp4` and `camera-b.mp4` with their tracks
(`.txt`, MOTChallenge) and `identities.csv`: which track of which camera is which vehicle.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import console, samples
from pamtri_edge.vehicle import COLORS
from pamtri_edge.video.encode import VideoWriter

WIDTH: Final = 640
HEIGHT: Final = 360
FPS: Final = 12.5
SECONDS: Final = 8.8

_IDENTITIES: Final = (4, 5, 0, 6, 2, 9)  # red, blue, yellow, white, green, black
_FOCAL: Final = 650.0  # pixels
_CAMERA_HEIGHT: Final = 2.6  # metres
_CAR_HEIGHT: Final = 1.55
_COCO_CAR: Final = 2

Point = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """What one camera looks at. Places are metres right of the camera and before it.

    Attributes:
        name: name of the camera and of its files.
        order: identities in the order in which they come.
        lanes: each a start and an end; vehicles take them in turn.
        crossing_s: seconds from start to end.
        spacing_s: seconds from one vehicle to the next.
        horizon: row of the horizon.
        sky: RGB above it.
        ground: RGB beside the road.
        light: what all colors are multiplied with.
        noise: standard deviation of the sensor's noise.
    """

    name: str
    order: tuple[int, ...]
    lanes: tuple[tuple[Point, Point], ...]
    crossing_s: float
    spacing_s: float
    horizon: int
    sky: tuple[int, int, int]
    ground: tuple[int, int, int]
    light: tuple[float, float, float]
    noise: float


SCENES: Final = (
    Scene(  # a bright afternoon; vehicles come towards the camera and pass it at the right
        name="camera-a",
        order=_IDENTITIES,
        lanes=(((-7.0, 42.0), (3.4, 6.6)), ((-10.5, 40.0), (-0.6, 6.6))),
        crossing_s=3.2,
        spacing_s=1.1,
        horizon=88,
        sky=(176, 200, 226),
        ground=(104, 128, 82),
        light=(1.06, 1.02, 0.94),
        noise=2.0,
    ),
    Scene(  # an overcast morning; they drive away from it, from left to right
        name="camera-b",
        order=tuple(_IDENTITIES[k] for k in (2, 0, 1, 4, 3, 5)),
        lanes=(((-3.4, 7.4), (9.5, 40.0)), ((-6.6, 10.0), (5.0, 42.0))),
        crossing_s=3.4,
        spacing_s=1.05,
        horizon=76,
        sky=(150, 156, 164),
        ground=(86, 106, 70),
        light=(0.72, 0.76, 0.84),
        noise=3.5,
    ),
)


@dataclass(frozen=True)
class _Placed:
    """A vehicle in one frame."""

    track_id: int
    identity: int
    distance: float
    azimuth: float
    box: tuple[int, int, int, int]


def make(folder: Path) -> list[Path]:
    """Write both cameras' videos and tracks, and the identities; return the paths, videos first.

    The same pixels come out on every machine, up to the video encoder.

    Args:
        folder: made if it is not there; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    videos = [_record(scene, folder) for scene in SCENES]
    tracks = [video.with_suffix(".txt") for video in videos]
    identities = folder / "identities.csv"
    with identities.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["camera", "track_id", "identity", "color"])
        for scene in SCENES:
            for track, identity in enumerate(scene.order, 1):
                writer.writerow([scene.name, track, identity, COLORS[identity % len(COLORS)]])
    return [*videos, *tracks, identities]


def _record(scene: Scene, folder: Path) -> Path:
    path = folder / f"{scene.name}.mp4"
    writer = VideoWriter(path, rate=FPS)
    backdrop = _backdrop(scene)
    lines = []
    for index in range(round(SECONDS * FPS)):
        placed = list(_place(scene, index / FPS))
        writer.write(_draw(scene, backdrop, placed, index), index / FPS)
        for vehicle in sorted(placed, key=lambda vehicle: vehicle.track_id):
            x1, y1, x2, y2 = vehicle.box
            lines.append(f"{index + 1},{vehicle.track_id},{x1},{y1},{x2 - x1},{y2 - y1},1,{_COCO_CAR},1\n")
    writer.close()
    path.with_suffix(".txt").write_text("".join(lines))
    return path


def _place(scene: Scene, time_s: float) -> Iterator[_Placed]:
    """Give the vehicles that are in the picture, far to near."""
    found = []
    for number, identity in enumerate(scene.order):
        part = (time_s - number * scene.spacing_s) / scene.crossing_s
        if not 0.0 <= part <= 1.0:
            continue
        start, end = (np.array(point) for point in scene.lanes[number % len(scene.lanes)])
        place = start + part * (end - start)
        azimuth = _azimuth(place, end - start)
        box = _box(scene, place, azimuth)
        inside = min(box[2], WIDTH) - max(box[0], 0), min(box[3], HEIGHT) - max(box[1], 0)
        if min(inside) > 8:
            found.append(_Placed(number + 1, identity, float(place[1]), azimuth, box))
    yield from sorted(found, key=lambda vehicle: -vehicle.distance)


def _azimuth(place: NDArray[np.float64], way: NDArray[np.float64]) -> float:
    """Return where the camera stands, seen from a vehicle: 0 before it, 90 at its left; degrees."""
    ahead = way / np.linalg.norm(way)
    left = np.array([-ahead[1], ahead[0]])
    return float(np.degrees(np.arctan2(-place @ left, -place @ ahead)) % 360.0)


def _box(scene: Scene, place: NDArray[np.float64], azimuth: float) -> tuple[int, int, int, int]:
    scale = _FOCAL / float(place[1])
    high = _CAR_HEIGHT * scale
    wide = high * (1.15 + 1.35 * abs(np.sin(np.radians(azimuth))))
    middle, bottom = WIDTH / 2 + float(place[0]) * scale, scene.horizon + _CAMERA_HEIGHT * scale
    return (
        round(middle - wide / 2),
        round(bottom - high),
        round(middle - wide / 2) + max(round(wide), 4),
        round(bottom - high) + max(round(high), 4),
    )


def _draw(
    scene: Scene, backdrop: NDArray[np.float32], placed: Sequence[_Placed], index: int
) -> NDArray[np.uint8]:
    picture = backdrop.copy()
    for vehicle in placed:
        _put(picture, vehicle)
    rng = np.random.default_rng([len(scene.name), ord(scene.name[-1]), index])
    lit = cv2.GaussianBlur(picture, (3, 3), 0.6) * np.array(scene.light, np.float32)
    lit += scene.noise * rng.standard_normal(lit.shape[:2], np.float32)[..., None]
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def _put(picture: NDArray[np.float32], vehicle: _Placed) -> None:
    x1, y1, x2, y2 = vehicle.box
    width, height = max(int((x2 - x1) * 0.52), 1), max(int((y2 - y1) * 0.09), 1)
    ground = picture[max(y2 - 2 * height, 0) : y2 + height, max(x1 - width, 0) : x2 + width]
    shadow = ground.copy()
    centre = ((x1 + x2) // 2 - max(x1 - width, 0), y2 - height // 2 - max(y2 - 2 * height, 0))
    cv2.ellipse(shadow, centre, (width, height), 0, 0, 360, (28, 28, 30), -1)
    ground[:] = 0.6 * shadow + 0.4 * ground
    cut_out = samples.vehicle(vehicle.identity, azimuth=vehicle.azimuth, width=x2 - x1, height=y2 - y1)
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, WIDTH), min(y2, HEIGHT)
    seen = cut_out[top - y1 : bottom - y1, left - x1 : right - x1]
    window = picture[top:bottom, left:right]
    window[:] = np.where(seen[..., 3:] > 0, seen[..., :3], window)


def _backdrop(scene: Scene) -> NDArray[np.float32]:
    """Return the scene without vehicles, (HEIGHT, WIDTH, 3) float32 RGB."""
    rng = np.random.default_rng([ord(scene.name[-1]), 36])
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[: scene.horizon] = scene.sky
    picture[scene.horizon :] = scene.ground
    for _ in range(14):  # houses
        left, wide = int(rng.integers(-40, WIDTH)), int(rng.integers(30, 90))
        top = scene.horizon - int(rng.integers(8, 52))
        tone = (rng.uniform(0.5, 0.9) * np.array([150, 130, 118])).tolist()
        cv2.rectangle(picture, (left, top), (left + wide, scene.horizon), tone, -1)
    road = _outline(scene, 4.6)
    cv2.fillPoly(picture, [road], (96, 96, 98))
    for start, end in scene.lanes[:1]:
        for part in np.arange(0.0, 1.0, 0.09):  # a broken line between the lanes
            a, b = (_on_ground(scene, _beside(scene, start, end, p)) for p in (part, part + 0.04))
            cv2.line(picture, a, b, (214, 214, 206), 2, cv2.LINE_AA)
    grain = cv2.GaussianBlur(rng.normal(0.0, 16.0, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
    picture[scene.horizon :] += grain[scene.horizon :, :, None]
    return picture


def _outline(scene: Scene, margin: float) -> NDArray[np.int32]:
    """Return the road's outline in the picture: both lanes and a margin in metres around them."""
    starts, ends = (np.array([lane[k] for lane in scene.lanes]) for k in (0, 1))
    near, far = (starts, ends) if starts[0, 1] < ends[0, 1] else (ends, starts)
    along = (far - near).mean(axis=0)
    along /= np.linalg.norm(along)
    across = np.array([along[1], -along[0]])
    corners = []
    for end, reach, sides in ((near, -1.6, (-1, 1)), (far, 60.0, (1, -1))):
        middle = end.mean(axis=0) + along * reach
        middle[1] = max(middle[1], 4.5)
        half = abs((end[1] - end[0]) @ across) / 2 + margin / 2
        corners += [_on_ground(scene, middle + side * half * across) for side in sides]
    return np.array(corners, np.int32)


def _beside(scene: Scene, start: Point, end: Point, part: float) -> NDArray[np.float64]:
    """Return a point half-way between the first two lanes."""
    other = scene.lanes[1]
    first = np.array(start) + part * (np.array(end) - np.array(start))
    second = np.array(other[0]) + part * (np.array(other[1]) - np.array(other[0]))
    return np.asarray((first + second) / 2)


def _on_ground(scene: Scene, place: NDArray[np.float64]) -> tuple[int, int]:
    scale = _FOCAL / float(place[1])
    return round(WIDTH / 2 + float(place[0]) * scale), round(scene.horizon + _CAMERA_HEIGHT * scale)


def main(arguments: Sequence[str]) -> int:
    """Write the demonstration into a folder and print what was written."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        console.err.print("usage: python -m pamtri_edge.video.demo FOLDER")
        return 2
    for path in make(Path(arguments[0])):
        console.out.print(str(path), soft_wrap=True)
    return 0


if __name__ == "__main__":
    console.guarded(lambda: sys.exit(main(sys.argv[1:])))
