# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events without a video: of a vehicle nothing but its embedding is known, unless a test says more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pamtri_edge.events import Event, FrameCounts

SPACE = "sha256:1234"


def bare_event(track: int, vector: ArrayLike, **more: Any) -> Event:
    """Return an event of a track whose embedding points as a vector does."""
    unit = np.asarray(vector, np.float64) / np.linalg.norm(vector)
    fields: dict[str, Any] = {
        **{"camera": "a", "start_s": 0.0, "end_s": 1.0, "frames": FrameCounts(5, 1), "below_gate": False},
        **{"box": (0, 0, 9, 9), "embedding": tuple(unit.tolist()), "embedding_space": SPACE},
        **dict.fromkeys(("start_utc", "end_utc", "color", "type", "keypoints", "quality")),
        "bundle": "small",
    }
    return Event(track_id=track, **{**fields, **more})
