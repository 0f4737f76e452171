# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a box another covers: every pair tried by hand says the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge import _core

WIDTH, HEIGHT = 60, 40
_corner = st.floats(-20, 70) | st.integers(-20, 70).map(float)
_side = st.floats(0.5, 50) | st.integers(1, 50).map(float)
_boxes = st.lists(st.tuples(_corner, _corner, _side, _side), min_size=1, max_size=12)
_broken = st.sampled_from([float("nan"), float("inf"), -float("inf")])


def measured(boxes: np.ndarray) -> dict[int, float]:
    found = _core.sightings(boxes, WIDTH, HEIGHT, 0.0, "exact", 2.0)
    return {index: sighting.overlap for index, sighting in found}


def covered(boxes: np.ndarray, one: int) -> float:
    inside = np.clip(boxes, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    others = np.delete(inside, one, axis=0)
    low, high = np.maximum(others[:, :2], inside[one, :2]), np.minimum(others[:, 2:], inside[one, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    return float(common.max(initial=0) / max(np.prod(inside[one, 2:] - inside[one, :2]), 1e-9))


@given(_boxes)
def test_overlap_is_the_largest_part_that_another_box_covers(given_boxes: list[tuple[float, ...]]) -> None:
    boxes = np.array([(x, y, x + wide, y + high) for x, y, wide, high in given_boxes])
    for index, overlap in measured(boxes).items():
        assert overlap == covered(boxes, index)


@given(_boxes, _broken, st.integers(0, 3))
def test_a_box_that_is_no_box_covers_nothing(
    given_boxes: list[tuple[float, ...]], value: float, place: int
) -> None:
    boxes = np.array([(x, y, x + wide, y + high) for x, y, wide, high in given_boxes])
    broken = np.array([5.0, 5.0, 55.0, 35.0])
    broken[place] = value
    with_it = measured(np.vstack([boxes, broken]))
    assert with_it == measured(boxes)
