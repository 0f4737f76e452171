# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""stack, eight vehicles a call, into memory that is kept: compiled, reference, and cv2.resize.

What a stack costs is its memory: 52 channels are 13.6 MB a vehicle. "fresh" shows what an `out=` saves.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from reference import plain_operations

from pamtri_edge import ops
from pamtri_edge.ops import native, reference

VEHICLES = 8
CODES = pytest.mark.parametrize("code", [native, reference], ids=["native", "reference"])

Floats = NDArray[np.float32]


def inputs() -> tuple[Floats, Floats, Floats]:
    """Return images, heatmaps and keypoints."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (VEHICLES, 3, 256, 256)).astype(np.float32)
    heatmaps = rng.uniform(-0.1, 1.1, (VEHICLES, 36, 64, 64)).astype(np.float32)
    keypoints = rng.uniform(0.2, 0.8, (VEHICLES, 36, 3)).astype(np.float32)
    keypoints[..., 2] = 0.9
    return images, heatmaps, keypoints


def room(channels: int) -> Floats:
    """Return memory for a stack that the operating system has already handed out."""
    return np.ones((VEHICLES, channels, 256, 256), np.float32)


@pytest.mark.benchmark(group="stack of RGB and heatmaps (39 channels), 8 vehicles")
@CODES
def test_stack_of_heatmaps(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    images, heatmaps, _ = inputs()
    benchmark(code.stack, images, heatmaps, None, None, room(39), 0.5)


@pytest.mark.benchmark(group="stack of RGB and heatmaps (39 channels), 8 vehicles")
def test_stack_of_heatmaps_by_opencv(benchmark: BenchmarkFixture) -> None:
    images, heatmaps, _ = inputs()
    benchmark(plain_operations.stack, images, heatmaps, room(39))


@pytest.mark.benchmark(group="stack of RGB, heatmaps and segments from keypoints (52 channels), 8 vehicles")
@CODES
def test_stack_of_everything(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    images, heatmaps, keypoints = inputs()
    benchmark(code.stack, images, heatmaps, None, keypoints, room(52), 0.5)


@pytest.mark.benchmark(group="stack of RGB, heatmaps and segments from keypoints (52 channels), 8 vehicles")
def test_stack_of_everything_into_fresh_memory(benchmark: BenchmarkFixture) -> None:
    images, heatmaps, keypoints = inputs()
    benchmark(ops.stack, images, heatmaps, keypoints=keypoints)


@pytest.mark.benchmark(group="between the networks: decode, segments, stack (52 channels), 8 vehicles")
@CODES
def test_everything_between_the_networks(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    images, heatmaps, _ = inputs()
    points, out = np.zeros((VEHICLES, 36, 3), np.float32), room(52)

    def between() -> None:
        code.decode(heatmaps, points, True)
        code.stack(images, heatmaps, None, points, out, 0.5)

    benchmark(between)
