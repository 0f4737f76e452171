# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Intervals over identities: what is drawn, and how wide they are."""

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.bootstrap import Scores, difference, mean_interval


def interval(given, draws=2000, **options):
    return mean_interval([given], draws=draws, **options)


def scores(values, vehicles):
    return Scores(np.asarray(values, np.float64), np.asarray(vehicles))


def test_the_figure_is_the_mean_over_queries_not_over_vehicles():
    found = interval(scores([1.0, 1.0, 1.0, 0.0], [1, 1, 1, 2]))
    assert found.value == 0.75
    assert found.low <= 0.75 <= found.high
    assert found.identities == 2


def test_queries_that_do_not_count_are_left_out():
    found = interval(scores([0.5, np.nan, 0.5], [1, 2, 3]))
    assert (found.value, found.low, found.high, found.identities) == (0.5, 0.5, 0.5, 2)


def test_vehicles_are_drawn_not_queries(rng):
    # Ten vehicles with a hundred equal queries each: a thousand queries, but ten things that vary.
    by_vehicle = rng.random(10)
    found = interval(scores(np.repeat(by_vehicle, 100), np.repeat(np.arange(10), 100)))
    expected = 1.96 * by_vehicle.std() / np.sqrt(10)
    assert (found.high - found.low) / 2 == pytest.approx(expected, rel=0.1)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(0.3, 0.2, 40)
        found = interval(scores(values, np.arange(40)), draws=400, seed=seed)
        covered += found.low <= 0.3 <= found.high
    assert 88 <= covered <= 99


def test_the_same_seed_gives_the_same_interval(rng):
    given = scores(rng.random(30), np.arange(30))
    assert interval(given, seed=4) == interval(given, seed=4)
    assert interval(given, seed=4) != interval(given, seed=5)


def test_a_paired_difference_is_narrower_than_the_figures_it_is_of(rng):
    base = rng.random(40)
    better = np.clip(base + 0.1 + rng.normal(0, 0.01, 40), 0, 2)
    vehicles = np.arange(40)
    found = difference([scores(better, vehicles)], [scores(base, vehicles)])
    assert found.value == pytest.approx(0.1, abs=0.01)
    assert found.excludes_zero
    assert found.high - found.low < 0.2 * (interval(scores(base, vehicles)).high - base.mean())
    none = difference([scores(rng.random(40), vehicles)], [scores(rng.random(40), vehicles)])
    assert not none.excludes_zero
    assert none.low < none.value < none.high


def test_over_several_clips_every_clip_weighs_the_same(rng):
    few, many = np.arange(3), np.arange(300)
    first = [scores(np.full(3, 0.9), few), scores(np.full(300, 0.5), many)]
    second = [scores(np.full(3, 0.5), few), scores(np.full(300, 0.5), many)]
    found = difference(first, second)
    assert found.value == pytest.approx(0.2)
    assert found.identities == 303


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ([], "1 and 0 sets"),
        ([scores([0.1, 0.2], [1, 3])], "set 0: .* not measured on the same queries"),
        ([scores([0.1, np.nan], [1, 2])], "not measured on the same queries"),
    ],
)
def test_what_was_not_measured_alike_is_not_compared(second, words):
    with pytest.raises(InputError, match=words):
        difference([scores([0.1, 0.2], [1, 2])], second)


def test_without_a_query_that_counts_there_is_no_interval():
    with pytest.raises(InputError, match="no query counts"):
        scores([np.nan], [1])
    with pytest.raises(InputError, match="expected one for each query"):
        scores([0.1], [1, 2])
