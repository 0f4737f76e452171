# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""crop, eight vehicles of a 1080p frame: compiled, reference, and cv2.resize with a change of layout."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from reference import plain_operations

from pamtri_edge.ops import native, reference

FRAME = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
# From a distant car to one that fills a third of the frame.
BOXES = np.array(
    [[200 * i, 50 * i, 200 * i + 60 * (i + 1), 50 * i + 45 * (i + 1)] for i in range(8)], np.int32
)


@pytest.mark.benchmark(group="crop, 8 vehicles")
@pytest.mark.parametrize("code", [native, reference], ids=["native", "reference"])
def test_crop(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    out = np.zeros((8, 3, 256, 256), np.float32)

    benchmark(code.crop, FRAME, BOXES, out, False)

    assert out.any(axis=(1, 2, 3)).all()


@pytest.mark.benchmark(group="crop, 8 vehicles")
def test_crop_by_opencv(benchmark: BenchmarkFixture) -> None:
    out = np.zeros((8, 3, 256, 256), np.float32)

    benchmark(plain_operations.crop, FRAME, BOXES, out)
