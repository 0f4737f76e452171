# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small sets to evaluate on: drawn vehicles in folders laid out as VeRi's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import samples
from pamtri_edge.retrieval.views import EvaluationSet, Views


def drawn(identity: int, camera: int) -> NDArray[np.uint8]:
    """Draw a vehicle on gray, 64x48, as RGB."""
    picture = samples.vehicle(identity, azimuth=35.0 * camera, width=64, height=48)
    return np.where(picture[..., 3:] > 0, picture[..., :3], 128).astype(np.uint8)


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return a folder of 3 vehicles seen by 3 cameras; camera 1's views are the queries."""
    folder = tmp_path / "set"
    for part, cameras in (("query", (1,)), ("test", (1, 2, 3))):
        place = folder / f"image_{part}"
        place.mkdir(parents=True)
        labels, poses = [], []
        for identity in (1, 2, 3):
            for camera in cameras:
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


@pytest.fixture
def make_set() -> Callable[..., EvaluationSet]:
    """Return a function that makes a set without files: `make_set(query ids, gallery ids, ...)`."""

    def views(vehicles: Any, cameras: Any, **more: Any) -> Views:
        ids = np.asarray(vehicles, np.int64)
        places = np.zeros(len(ids), np.int64) if cameras is None else np.asarray(cameras, np.int64)
        return Views(
            names=tuple(f"{number}" for number in range(len(ids))),
            vehicles=ids,
            cameras=places,
            read=lambda index: drawn(max(int(ids[index]), 0), int(places[index])),
            **more,
        )

    def make(query: Any, gallery: Any, cameras: Any = (None, None), labels: Any = ({}, {})) -> EvaluationSet:
        across = cameras[0] is not None
        sides = (
            views(ids, camera, **more)
            for ids, camera, more in zip((query, gallery), cameras, labels, strict=True)
        )
        return EvaluationSet("drawn", *sides, across_cameras=across)

    return make
