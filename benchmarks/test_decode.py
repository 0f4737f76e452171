# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""decode, eight vehicles a call: compiled and reference."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from pamtri_edge.ops import native, reference

VEHICLES = 8


@pytest.mark.benchmark(group="decode, 8 vehicles")
@pytest.mark.parametrize("code", [native, reference], ids=["native", "reference"])
def test_decode(benchmark: BenchmarkFixture, code: ModuleType) -> None:
    rng = np.random.default_rng(0)
    heatmaps = rng.uniform(-0.2, 1.0, (VEHICLES, 36, 64, 64)).astype(np.float32)
    out = np.zeros((VEHICLES, 36, 3), np.float32)

    benchmark(code.decode, heatmaps, out, True)

    np.testing.assert_array_equal(out[..., 2], heatmaps.max(axis=(2, 3)))
