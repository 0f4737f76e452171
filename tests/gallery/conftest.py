# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events without a video, and a manifest without a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from pamtri_edge.bundle import Manifest, TensorSpec
from pamtri_edge.events import Event, FrameCounts
from pamtri_edge.geometry import Geometry

SPACE = "sha256:1234"


@pytest.fixture
def event() -> Callable[..., Event]:
    """Return a function that makes an event: `event(track, vector, camera=, space=)`."""

    def make(track: int, vector: Sequence[float], camera: str = "a", space: str = SPACE) -> Event:
        unit = np.asarray(vector, np.float64)
        return Event(
            camera=camera,
            track_id=track,
            start_s=0.0,
            end_s=1.0,
            start_utc=None,
            end_utc=None,
            frames=FrameCounts(5, 1),
            below_gate=False,
            box=(0, 0, 9, 9),
            color=None,
            type=None,
            embedding=tuple((unit / np.linalg.norm(unit)).tolist()),
            keypoints=None,
            quality=None,
            embedding_space=space,
            bundle="small",
        )

    return make


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """Return a function that makes the manifest of a bundle of three-dimensional embeddings."""

    def make(**more: Any) -> Manifest:
        fields: dict[str, Any] = {
            "name": "small",
            "precision": "fp32",
            "geometry": Geometry.UNIFIED,
            "size": "custom",
            "variant": dict.fromkeys(("keypoints", "heatmaps", "segments", "multitask", "pose"), False),
            "inputs": (TensorSpec("images", (None, 3, 4, 4)),),
            "outputs": (TensorSpec("embedding", (None, 3)),),
            "embedding_dim": 3,
            "embedding_norm": "unit",
            "embedding_space": SPACE,
            "colors": None,
            "types": None,
            "keypoint_names": None,
            "trained": True,
            "tolerance": {"embedding": {"cosine": 0.999}},
        }
        return Manifest(**{**fields, **more})

    return make
