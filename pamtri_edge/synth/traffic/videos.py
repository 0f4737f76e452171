# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Videos of synthetic traffic: the same vehicles before several cameras, with tracks and identities.

A folder gets, for every camera, `camera-a.mp4` (H.264) and `camera-a.txt` (MOTChallenge: frame, id, x, y,
width, height, 1, class, 1), and `identities.csv`: which track of which camera is which vehicle.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import sweep
from pamtri_edge.files.claims import Claim
from pamtri_edge.synth.dataset.fleet import Vehicle, built
from pamtri_edge.synth.dataset.write import whole_file
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.traffic.camera import TrafficCamera
from pamtri_edge.synth.traffic.plan import BEGIN, Drive, TrafficPlan, camera_name, drives
from pamtri_edge.video.encode import VideoWriter

IDENTITIES_FILE: Final = "identities.csv"

_COCO_CLASSES: Final = {"bus": 5, "truck": 7}
_COCO_CAR: Final = 2


OpenCamera = Callable[[TrafficPlan, int, Sequence[Vehicle]], TrafficCamera]


def write_traffic(
    plan: TrafficPlan,
    folder: Path,
    *,
    vehicles: Sequence[Vehicle] | None = None,
    open_camera: OpenCamera = TrafficCamera,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the videos and tracks of all cameras, and the identities; return the paths, videos first.

    The same pixels come out on every run, up to the video encoder. Each file appears whole or not at all;
    `identities.csv` comes last.

    Args:
        plan: the traffic.
        folder: made if it is not there; files of the same names are replaced.
        vehicles: who drives; None draws them from the plan's seed.
        open_camera: opens what draws a camera's frames.
        on_progress: called with how many frames are drawn, and of how many.

    Raises:
        InputError: the vehicles do not fit on the road, another process writes to the folder, or a file
            cannot be written.
        MissingDependencyError: PyAV is not installed.
    """
    if vehicles is None:
        vehicles = traffic_vehicles(plan)
    # Refused before anything there is touched.
    ways = [
        drives(plan, camera, [vehicle.mesh.length for vehicle in vehicles]) for camera in range(plan.cameras)
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the output folder {folder} cannot be made: {error.strerror}.") from error
    with Claim(folder):
        sweep(folder)
        return _write(plan, folder, vehicles, ways, open_camera, on_progress)


def _write(
    plan: TrafficPlan,
    folder: Path,
    vehicles: Sequence[Vehicle],
    ways: Sequence[Sequence[Drive]],
    open_camera: OpenCamera,
    on_progress: Callable[[int, int], None] | None,
) -> list[Path]:
    identities = folder / IDENTITIES_FILE
    identities.unlink(missing_ok=True)
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if on_progress is not None:
            on_progress(done, plan.frames * plan.cameras)

    videos = []
    for camera, way in enumerate(ways):
        path = folder / f"{camera_name(camera)}.mp4"
        _record(plan, path, way, vehicles, open_camera(plan, camera, vehicles), tell)
        videos.append(path)
    with whole_file(identities) as file:
        _write_identities(file, ways, vehicles)
    return [*videos, *(video.with_suffix(".txt") for video in videos), identities]


def traffic_vehicles(plan: TrafficPlan) -> list[Vehicle]:
    """Build the vehicles of a plan; they are in no data set."""
    return [built(sample_vehicle(plan.seed, BEGIN + number)) for number in range(plan.vehicles)]


def _record(
    plan: TrafficPlan,
    path: Path,
    way: Sequence[Drive],
    vehicles: Sequence[Vehicle],
    camera: TrafficCamera,
    tell: Callable[[], None],
) -> None:
    """Write one camera's video, and its tracks."""
    tracks = {drive.vehicle: drive.track_id for drive in way}
    lines = []
    writer = VideoWriter(path, rate=plan.fps)
    try:
        for index in range(plan.frames):
            time_s = index / plan.fps
            poses = [(drive.vehicle, pose) for drive in way if (pose := drive.pose(time_s)) is not None]
            picture, placed = camera.frame(index, poses)
            writer.write(picture, time_s)
            for seen in sorted(placed, key=lambda seen: tracks[seen.number]):
                kind = _COCO_CLASSES.get(vehicles[seen.number].type, _COCO_CAR)
                lines.append(_line(index, tracks[seen.number], seen.box, kind))
            tell()
        writer.close()
    except BaseException:
        writer.discard()
        raise
    with whole_file(path.with_suffix(".txt")) as file:
        file.writelines(lines)


def _line(index: int, track_id: int, box: tuple[float, float, float, float], kind: int) -> str:
    x1, y1, x2, y2 = (round(side) for side in box)
    return f"{index + 1},{track_id},{x1},{y1},{max(x2 - x1, 1)},{max(y2 - y1, 1)},1,{kind},1\n"


def _write_identities(file: Any, ways: Sequence[Sequence[Drive]], vehicles: Sequence[Vehicle]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["camera", "track_id", "identity", "color", "type"])
    for camera, way in enumerate(ways):
        for drive in way:
            vehicle = vehicles[drive.vehicle]
            writer.writerow(
                [camera_name(camera), drive.track_id, drive.vehicle + 1, vehicle.color, vehicle.type]
            )
