# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A small data set of drawn vehicles in the layout of VeRi, and recipes that end in a second."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pamtri_edge import samples
from pamtri_edge.train import POSE, REID, PoseRecipe, ReidRecipe
from pamtri_edge.train.augment import AugmentSpec
from pamtri_edge.vehicle import NUM_KEYPOINTS

CAMERAS = 3


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Networks this small are not sped up by threads, and other tests run beside these."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


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


@pytest.fixture(scope="session")
def veri(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 6 vehicles with 5 pictures each; leave it as it is."""
    folder = write_set(tmp_path_factory.mktemp("veri"))
    write_set(folder, vehicles=range(11, 15), views=3, part="query")
    return write_set(folder, vehicles=range(11, 15), views=6, part="test")


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a set of one's own; see `write_set`."""
    return lambda **options: write_set(tmp_path / "set", **options)


@pytest.fixture(scope="session")
def quick_pose() -> PoseRecipe:
    return replace(POSE["compact"], epochs=1, batch=6, sizes=((0.0, 64),), precision="fp32")


@pytest.fixture(scope="session")
def quick_reid() -> ReidRecipe:
    return replace(
        REID["paper"],
        epochs=2,
        batch=6,
        pictures=2,
        sizes=((0.0, 64),),
        augment=AugmentSpec(flip=0.5, zoom_in=0.1, zoom_out=0.1, erase=0.3),
    )
