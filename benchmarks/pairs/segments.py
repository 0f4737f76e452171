# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""segments, one vehicle, each segment a tenth of the picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference import plain_operations
from test_segments import keypoints

from pamtri_edge.ops import native
from pamtri_edge.ops.tables import SEGMENT_CORNERS

VEHICLES = 1
SIDE = 64
"""Small: what stays in a core's own cache, neighbors do not disturb."""


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `native.segments` beside `cv2.fillPoly`."""
    points = keypoints()[:VEHICLES]
    corners = np.ascontiguousarray(points[:, SEGMENT_CORNERS, :2] * SIDE).astype(np.int32)
    ours, theirs = (np.zeros((VEHICLES, 13, SIDE, SIDE), np.float32) for _ in range(2))
    native.segments(points, ours, 0.5)
    plain_operations.segments(corners, theirs)
    assert (ours != theirs).mean() < 0.03  # along the outlines
    yield Pair(lambda: native.segments(points, ours, 0.5), lambda: plain_operations.segments(corners, theirs))
