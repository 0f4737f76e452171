# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small data sets of drawn vehicles in the layout of VeRi."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import samples
from pamtri_edge.vehicle import NUM_KEYPOINTS

CAMERAS = 3


def keypoints_of(vehicle: int, view: int) -> NDArray[np.float32]:
    """Return made-up keypoints (36, 3) in crop units: a grid that moves a little from picture to picture."""
    rng = np.random.default_rng([vehicle, view, 3])
    column, row = np.divmod(np.arange(NUM_KEYPOINTS), 6)
    grid = np.stack([column, row], axis=1) / 6 + 1 / 12 + rng.uniform(-0.04, 0.04, 2)
    visible = (rng.random(NUM_KEYPOINTS) < 0.7).astype(np.float32)
    return np.column_stack([grid, visible]).astype(np.float32)


def write_set(
    folder: Path, *, vehicles: Sequence[int] = range(1, 7), views: int = 5, part: str = "train"
) -> Path:
    """Write drawn vehicles as `image_PART/0001_c001_00000000_0.jpg` with both of the original's CSV files."""
    images = folder / f"image_{part}"
    images.mkdir(parents=True)
    reid_rows, pose_rows = [], []
    for vehicle in vehicles:
        for view in range(views):
            width, height = 72 + 4 * view, 60 + 2 * vehicle
            name = f"{vehicle:04d}_c{view % CAMERAS + 1:03d}_{view:08d}_0.jpg"
            drawn = samples.vehicle(vehicle, azimuth=70.0 * view + 11 * vehicle, width=width, height=height)
            picture = np.where(drawn[..., 3:] > 0, drawn[..., :3], 120).astype(np.uint8)
            cv2.imwrite(str(images / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            points = keypoints_of(vehicle, view) * np.array([width, height, 1])
            reid_rows.append([name, vehicle, vehicle % 10 + 1, vehicle % 9 + 1, *points.ravel().round(3)])
            pose_rows.append([name, width, height, *points.ravel().round().astype(int)])
    for path, rows in ((f"label_{part}.csv", reid_rows), (f"pose_{part}.csv", pose_rows)):
        with (folder / path).open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


def drawn(identity: int, camera: int) -> NDArray[np.uint8]:
    """Draw a vehicle on gray, 64x48, as RGB."""
    picture = samples.vehicle(identity, azimuth=35.0 * camera, width=64, height=48)
    return np.where(picture[..., 3:] > 0, picture[..., :3], 128).astype(np.uint8)


def write_test_set(folder: Path, *, vehicles: int = 3, cameras: int = 3) -> Path:
    """Write a folder of a few vehicles seen by a few cameras; camera 1's views are the queries."""
    for part, number in (("query", 1), ("test", cameras)):
        place = folder / f"image_{part}"
        place.mkdir(parents=True)
        labels, poses = [], []
        for identity in range(1, vehicles + 1):
            for camera in range(1, number + 1):
                name = f"{identity:04d}_c{camera:03d}_{10 * camera:08d}_0.jpg"
                picture = drawn(identity, camera)
                cv2.imwrite(str(place / name), picture[..., ::-1])
                points = np.full((36, 3), (32, 24, 1.0))
                labels.append([name, identity, identity, 2, *points.reshape(-1)])
                poses.append([name, 64, 48, *points.reshape(-1).astype(int)])
        for kind, rows in (("label", labels), ("pose", poses)):
            text = "".join(",".join(map(str, row)) + "\n" for row in rows)
            (folder / f"{kind}_{part}.csv").write_text(text)
    return folder
