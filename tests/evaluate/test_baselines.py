# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The simple features: what they tell apart, and what they pass over."""

import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.evaluate.baselines import BASELINES, binary_patterns, color_names
from pamtri_edge.metrics.distances import distances


@pytest.fixture(scope="module")
def crops():
    return samples.crops(2, seed=1)


def apart(name, *pictures):
    """Return the distances of the first picture from the others."""
    found = BASELINES[name].describe(pictures).embeddings
    return distances(found[:1], found[1:])[0]


def test_a_thumbnail_does_not_mind_brightness():
    dark = np.random.default_rng(1).integers(0, 100, (48, 64, 3)).astype(np.uint8)
    assert BASELINES["thumbnail"].describe([dark]).embeddings.shape == (1, 16 * 16 * 3)
    assert apart("thumbnail", dark, dark + 80)[0] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["histogram", "rgb-histogram"])
def test_a_histogram_minds_colors_not_places(crops, name):
    mirrored, blue = np.ascontiguousarray(crops[0][:, ::-1]), np.full((9, 9, 3), (0, 0, 255), np.uint8)
    near, far = apart(name, crops[0], mirrored, blue)
    assert near == pytest.approx(0, abs=1e-6)
    assert far > 0.9


@pytest.mark.parametrize("name", ["histogram", "rgb-histogram", "fact"])
def test_what_counts_shares_has_unit_length_whatever_the_picture(crops, name):
    # Square roots of shares: the cosine is the Bhattacharyya coefficient.
    pictures = [*crops, np.zeros((1, 1, 3), np.uint8), np.full((300, 20, 3), 255, np.uint8)]
    found = BASELINES[name].describe(pictures).embeddings
    assert found.dtype == np.float32
    assert found.shape == (4, 4 * 11 + 16 * 59 if name == "fact" else 8**3)
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


def test_the_same_car_in_another_light_is_nearer_than_another_car(crops):
    car, other = crops
    same, darker, another = apart("fact", car, car, (car * 0.85).astype(np.uint8), other)
    assert same == pytest.approx(0.0, abs=1e-5)
    assert darker < another
