# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps of a reference whose decisions are all clear."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def clear_heatmaps(rng):
    """Return what draws heatmaps (crops, 36, 64, 64) whose decisions are all clear."""

    def drawn(crops):
        heatmaps = np.zeros((crops, 36, 64, 64), np.float32)
        for crop in range(crops):
            for keypoint in range(36):
                row, column = rng.integers(4, 60, 2)
                heatmaps[crop, keypoint, row, column] = 0.9
                heatmaps[crop, keypoint, row, column + 1] = heatmaps[crop, keypoint, row + 1, column] = 0.5
        return heatmaps

    return drawn
