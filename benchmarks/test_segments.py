# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""segments, eight vehicles a call: compiled, reference, and cv2.fillPoly as the original draws them."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from reference import plain_operations

from pamtri_edge.ops import native, reference
from pamtri_edge.ops.tables import SEGMENT_CORNERS

VEHICLES = 8


def keypoints() -> NDArray[np.float32]:
    """Return keypoints of which every segment is a convex quadrilateral of a tenth of the picture or so."""
    points = np.zeros((VEHICLES, 36, 3), np.float32)
    for number, corners in enumerate(SEGMENT_CORNERS):
        turn = 2 * np.pi * np.arange(4) / 4 + number
        points[:, corners, 0] = 0.5 + 0.22 * np.cos(turn)
        points[:, corners, 1] = 0.5 + 0.22 * np.sin(turn)
    points[..., 2] = 0.9
    return points


@pytest.mark.benchmark(group="segments, 8 vehicles")
@pytest.mark.parametrize("code", [native, reference], ids=["native", "reference"])
def test_segments(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    out = np.zeros((VEHICLES, 13, 256, 256), np.float32)

    benchmark(code.segments, keypoints(), out, 0.5)

    assert out.any(axis=(2, 3)).sum() >= VEHICLES


@pytest.mark.benchmark(group="segments, 8 vehicles")
def test_segments_by_fill_poly(benchmark: BenchmarkFixture) -> None:
    out = np.zeros((VEHICLES, 13, 256, 256), np.float32)
    corners = np.ascontiguousarray(keypoints()[:, SEGMENT_CORNERS, :2] * 256).astype(np.int32)

    benchmark(plain_operations.segments, corners, out)
