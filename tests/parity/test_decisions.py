# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How near a keypoint is to being decided otherwise, and whether it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge import ops
from pamtri_edge.parity.decisions import flips, margins


def heatmap(**cells):
    """Return (1, 1, 64, 64) of zeros with a clear peak at row 20, column 30, and other cells as given."""
    maps = np.zeros((1, 1, 64, 64), np.float32)
    maps[0, 0, 20, 30] = 1.0
    maps[0, 0, 20, 31] = maps[0, 0, 21, 30] = 0.4
    for place, value in cells.items():
        row, column = map(int, place.removeprefix("at_").split("_"))
        maps[0, 0, row, column] = value
    return maps


def peak_at_the_border(value, others):
    maps = np.full((1, 1, 64, 64), others, np.float32)
    maps[0, 0, 0, 30] = value
    return maps


@pytest.mark.parametrize(
    ("maps", "margin"),
    [
        (heatmap(), 0.4),  # of a clear peak: the quarter step to either side
        (heatmap(at_50_50=0.9), 0.1),  # to a second peak
        (heatmap(at_50_50=1.0), 0),
        (heatmap(at_20_29=0.4), 0),  # of a quarter step between equal neighbors
        (peak_at_the_border(0.01, -1.0), 0.02),  # near zero it may vanish
        (peak_at_the_border(1.0, 0.0), 1.0),  # there its neighbors tie, but nobody asks
    ],
)
def test_the_margin_is_the_least_difference_that_decides(maps, margin):
    assert margins(maps, gated=False)[0, 0] == pytest.approx(margin, abs=1e-6)


def test_the_gate_counts_only_where_segments_are_drawn():
    maps = heatmap(at_20_30=0.51)
    assert margins(maps, gated=False)[0, 0] == pytest.approx(0.11, abs=1e-6)  # to the cell of 0.4
    assert margins(maps, gated=True)[0, 0] == pytest.approx(0.02, abs=1e-6)  # twice the distance to 0.5


@given(st.integers(0, 2**31), st.floats(0.05, 0.99))
def test_an_error_below_half_the_margin_changes_no_decision(seed, part):
    rng = np.random.default_rng(seed)
    maps = rng.normal(0, 0.3, (1, 4, 64, 64)).astype(np.float32)
    error = margins(maps, gated=True)[..., None, None] / 2 * np.float32(part)
    noisy = (maps + error * rng.choice([-1, 1], maps.shape)).astype(np.float32)
    before, after = ops.decode(maps), ops.decode(noisy)
    assert not flips(before, after, gated=True).any()


def test_no_crops_have_no_margins():
    assert margins(np.zeros((0, 36, 64, 64), np.float32), gated=True).shape == (0, 36)


def points(x=0.5, y=0.5, confidence=0.9):
    return np.array([[[x, y, confidence]]], np.float32)


def test_rounding_is_no_flip():
    assert not flips(points(), points(x=0.5 + 1e-5, confidence=0.7), gated=True).any()


def test_a_quarter_cell_is_a_flip():
    assert flips(points(), points(y=0.5 + 0.25 / 64), gated=False).all()


def test_crossing_the_gate_is_a_flip_where_segments_are_drawn():
    before, after = points(confidence=0.4999), points(confidence=0.5)
    assert flips(before, after, gated=True).all()
    assert not flips(before, after, gated=False).any()
