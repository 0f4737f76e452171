# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small sets to evaluate on: drawn vehicles in folders laid out as VeRi's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drawn_sets import drawn, write_test_set
from pamtri_edge.datasets.views import EvaluationSet, Views


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Return a folder of 3 vehicles seen by 3 cameras; camera 1's views are the queries."""
    return write_test_set(tmp_path / "set")


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
