# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The hand-made features: what they tell apart, and what they pass over."""

from __future__ import annotations

import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.evaluate.baselines import ColorsAndTexture, binary_patterns, color_names


def cosine(a, b):
    first, second = ColorsAndTexture().describe([a, b]).embeddings.astype(np.float64)
    return float(first @ second)


def test_a_feature_has_unit_length_whatever_the_picture():
    pictures = [
        *samples.crops(2, seed=1),
        np.zeros((1, 1, 3), np.uint8),
        np.full((300, 20, 3), 255, np.uint8),
    ]
    found = ColorsAndTexture().describe(pictures).embeddings
    assert found.dtype == np.float32
    assert found.shape == (4, 4 * 11 + 16 * 59)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_colors_have_the_names_that_people_give_them():
    shown = np.array([[[255, 0, 0], [10, 10, 12], [250, 250, 248], [20, 40, 170], [120, 122, 125]]], np.uint8)
    assert color_names(shown).tolist() == [[3, 0, 2, 7, 1]]


def test_patterns_are_those_of_edges_not_of_brightness(rng):
    gray = rng.integers(40, 160, (20, 30)).astype(np.uint8)
    assert np.array_equal(binary_patterns(gray), binary_patterns(gray + 60))
    assert set(np.unique(binary_patterns(gray))) <= set(range(59))
    flat = binary_patterns(np.full((4, 4), 7, np.uint8))
    assert len(np.unique(flat)) == 1
    edge = np.repeat([[0, 0, 200, 200]], 4, axis=0).astype(np.uint8)
    assert len(np.unique(binary_patterns(edge)[1:3])) == 2


def test_the_same_car_in_another_light_is_nearer_than_another_car():
    car, other = samples.crops(2, seed=1)
    darker = (car * 0.85).astype(np.uint8)
    assert cosine(car, car) == pytest.approx(1.0, abs=1e-5)
    assert cosine(car, darker) > cosine(car, other)
