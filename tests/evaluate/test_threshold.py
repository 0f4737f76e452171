# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The cosine from which on two vehicles may be called one: measured for a wanted rate of false matches."""

import dataclasses
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.bundle import open_bundle
from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.features import Description
from pamtri_edge.evaluate.measure import Described
from pamtri_edge.evaluate.threshold import (
    Pairs,
    store_threshold,
    suggest_threshold,
)
from pamtri_edge.manifest import Matching


def suggested(genuine, impostor, rate, name="drawn"):
    return suggest_threshold([Pairs(name, np.array(genuine), np.array(impostor))], false_match_rate=rate)


def test_the_threshold_lies_above_all_but_the_allowed_impostors():
    impostor = np.arange(100) / 100  # 0.00 to 0.99
    found = suggested([0.2, 0.975, 0.999], impostor, 0.03)
    assert found == Matching(threshold=0.9601, false_match_rate=0.03, true_match_rate=2 / 3, set="drawn")


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=30),
    st.lists(st.floats(-1, 0.9999), min_size=20, max_size=200),
    st.sampled_from([0.05, 0.1, 0.5]),
)
def test_the_rate_is_kept_and_no_lower_step_keeps_it(genuine, impostor, rate):
    found = suggested(genuine, impostor, rate)
    others = np.array(impostor)
    assert found.false_match_rate == (others >= found.threshold).mean() <= rate
    assert found.true_match_rate == (np.array(genuine) >= found.threshold).mean()
    assert found.threshold == -0.9999 or (others >= found.threshold - 1.0001e-4).mean() > rate


def test_many_equal_cosines_are_kept_out_together():
    found = suggested([0.9], np.full(100, 0.5), 0.1)
    assert (found.threshold, found.false_match_rate) == (0.5001, 0.0)


@pytest.mark.parametrize(
    ("genuine", "impostor", "rate", "words"),
    [
        ([0.9], np.zeros(99), 0.01, "1 pairs of one vehicle and 99 of different .* takes at least 1 and 100"),
        ([], np.zeros(100), 0.01, "0 pairs of one vehicle"),
        ([0.9], np.zeros(100), 0.0, "the false match rate is 0; expected above 0"),
        ([0.9], [np.nan] * 100, 0.1, "not finite"),
        ([0.9], np.ones(100), 0.1, "no threshold keeps that rate"),
    ],
)
def test_what_cannot_be_measured_is_refused(genuine, impostor, rate, words):
    with pytest.raises(InputError, match=words):
        suggested(genuine, impostor, rate)


def test_pairs_are_those_that_take_part_in_retrieval(make_set):
    data = make_set([1, -1], [1, 1, 2, -1], cameras=([1, 1], [1, 2, 1, 1]))
    vectors = np.eye(4, dtype=np.float32)
    described = Described(Description(vectors[:2]), Description(vectors))
    pairs = Pairs.of(data, described)
    assert pairs.name == "drawn"
    assert pairs.genuine.tolist() == [0.0]  # not the one by the same camera
    assert pairs.impostor.tolist() == [0.0]  # unknown vehicles are neither
    between = Pairs.of(dataclasses.replace(data, between_cameras=True), described)
    assert (between.genuine.size, between.impostor.size) == (1, 0)  # nor anything by the same camera


def test_a_threshold_keeps_its_rate_on_every_set_and_promises_the_worst_of_them():
    easy = Pairs("easy", np.float32([0.9] * 4), np.linspace(-0.5, 0.3, 100, dtype=np.float32))
    hard = Pairs("hard", np.float32([0.9, 0.9, 0.5, 0.5]), np.linspace(-0.5, 0.7, 100, dtype=np.float32))
    found = suggest_threshold([easy, hard], false_match_rate=0.05)
    assert found.threshold == suggest_threshold([hard], false_match_rate=0.05).threshold
    assert (found.false_match_rate, found.true_match_rate) == (0.05, 0.5)
    assert found.set == "easy, hard"
    assert easy.at(found.threshold).false_match_rate == 0.0


def test_a_bundle_keeps_it_and_stays_whole(tiny_bundle, tmp_path):
    copy = tmp_path / "copy.pamtri"
    shutil.copytree(tiny_bundle, copy)
    before = open_bundle(copy).manifest
    assert before.matching is None
    found = Matching(threshold=0.61, false_match_rate=0.001, true_match_rate=0.7, set="street")
    store_threshold(copy, found)
    assert open_bundle(copy).manifest == dataclasses.replace(before, matching=found)
    assert {path.name for path in copy.iterdir()} == {path.name for path in tiny_bundle.iterdir()}
