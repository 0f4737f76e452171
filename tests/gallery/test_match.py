# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which vehicle of one set is which of another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bare_events import SPACE, bare_event
from pamtri_edge.errors import InputError
from pamtri_edge.gallery import Embeddings, match
from pamtri_edge.manifest import Matching
from pamtri_edge.reidentification import Reidentification, Vehicle

SUGGESTED = Matching(threshold=0.9, false_match_rate=0.001, true_match_rate=0.8, set="street")


def embeddings(rows, space=SPACE, matching=None):
    return Embeddings.of_space(rows, space, matching)


def pairs(found):
    return {(pair.first, pair.second) for pair in found.pairs}


def test_each_must_be_the_others_nearest():
    a = embeddings([[1, 0, 0], [0.9, 0.1, 0]])
    b = embeddings([[1, 0.01, 0], [0, 0, 1]])
    # Both of a are nearest to the first of b, which is nearest to the first of a.
    assert pairs(match(a, b)) == {(0, 0)}


def test_the_most_alike_come_first_and_the_cosine_is_told():
    a, b = embeddings([[1, 0, 0], [0, 1, 0]]), embeddings([[0, 1, 0], [1, 0.5, 0]])
    found = match(a, b)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(1, 0), (0, 1)]
    assert found.pairs[0].cosine == pytest.approx(1.0)
    assert found.pairs[1].cosine == pytest.approx(1 / np.sqrt(1.25))
    assert found.cosines.shape == (2, 2)
    assert found.of_first(0) == found.pairs[1]
    assert match(a, b, threshold=0.95).of_first(0) is None


def test_the_length_of_a_vector_does_not_matter():
    a, b = embeddings([[5, 0, 0]]), embeddings([[0.1, 0, 0]])
    assert match(a, b).pairs[0].cosine == pytest.approx(1.0)


def test_without_a_threshold_the_bundles_is_used_with_its_rate(manifest):
    a, b = embeddings([[1, 0, 0], [0, 1, 0]]), embeddings([[1, 0.1, 0], [0, 1, 1]])
    suggested = match(a, b, manifest=manifest(matching=SUGGESTED))
    assert (pairs(suggested), suggested.threshold, suggested.false_match_rate) == ({(0, 0)}, 0.9, 0.001)
    given_one = match(a, b, threshold=0.5, manifest=manifest(matching=SUGGESTED))
    assert (pairs(given_one), given_one.threshold, given_one.false_match_rate) == (
        {(0, 0), (1, 1)},
        0.5,
        None,
    )
    none = match(a, b, manifest=manifest())
    assert (len(none), none.threshold, none.false_match_rate) == (2, None, None)


def test_a_threshold_may_come_with_the_embeddings():
    a, b = embeddings([[1, 0, 0]], matching=SUGGESTED), embeddings([[1, 1, 0]])
    assert (len(match(a, b)), len(match(b, a)), match(b, a).threshold) == (0, 0, 0.9)


def test_a_cosine_that_equals_the_threshold_matches():
    a = embeddings([[1, 0]])
    assert len(match(a, a, threshold=1.0)) == 1


def test_events_are_compared_as_they_are():
    a = [bare_event(1, [1, 0, 0]), bare_event(2, [0, 1, 0])]
    b = [bare_event(8, [0, 1, 0.1], camera="b"), bare_event(9, [1, 0, 0.2], camera="b")]
    assert pairs(match(a, b)) == {(0, 1), (1, 0)}


def test_results_of_the_sdk_are_compared_with_their_manifest(manifest):
    def result(rows):
        return Reidentification(np.array(rows, np.float32), None, None, None, None, None, None)

    described = manifest(matching=SUGGESTED)
    a, b = (Embeddings.of(result(rows), described) for rows in ([[1, 0, 0]], [[1, 0.1, 0]]))
    assert match(a, b).threshold == 0.9
    assert pairs(match(a, Embeddings.of(np.float32([[2, 0, 0]]), described))) == {(0, 0)}
    for bare in (result([[1, 0, 0]]), np.ones((1, 3))):
        assert match(bare, bare, manifest=described).threshold == 0.9
        with pytest.raises(InputError, match=r"does not say which weights gave it; .*reidentifier.manifest"):
            match(bare, b)
    with pytest.raises(InputError, match="have 2 numbers, those of small have 3"):
        Embeddings.of(np.ones((1, 2)), described)


def test_embeddings_of_different_spaces_are_refused(manifest):
    a, b = embeddings([[1, 0, 0]]), embeddings([[1, 0, 0]], "sha256:5678")
    with pytest.raises(InputError, match="different spaces, 'sha256:1234' and 'sha256:5678'"):
        match(a, b)
    with pytest.raises(InputError, match="different spaces"):
        match([bare_event(1, [1, 0, 0])], [bare_event(1, [1, 0, 0], embedding_space="sha256:5678")])
    with pytest.raises(InputError, match=r"of 2 embedding spaces: .*bundle small, camera a"):
        match([bare_event(1, [1, 0]), bare_event(2, [1, 0], embedding_space="sha256:5678")], a)
    with pytest.raises(InputError, match="its threshold says nothing of them"):
        match(b, b, manifest=manifest(matching=SUGGESTED))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([1.0, 0.0], r"embeddings have shape \(2,\); expected \(N, D\)"),
        ([[1, 0], [0, 0]], "embedding 1 has length 0: it has no direction"),
        ([[1, np.nan]], "embedding 0 has length nan"),
    ],
)
def test_what_is_no_embedding_is_refused(rows, words):
    with pytest.raises(InputError, match=words):
        embeddings(rows)


def test_what_does_not_compare_is_refused():
    a = embeddings([[1, 0]])
    with pytest.raises(InputError, match=r"the threshold is 1\.5; expected a cosine"):
        match(a, a, threshold=1.5)
    with pytest.raises(InputError, match="have 2 and 3 numbers"):
        match(a, embeddings([[1, 0, 0]]))
    with pytest.raises(InputError, match="there are no events"):
        match([], a)
    with pytest.raises(InputError, match=r"'out/events\.jsonl' is a path; read its events first"):
        match("out/events.jsonl", a)
    with pytest.raises(
        InputError, match=r"the set holds Vehicle; expected .* by a slice or a list: out\[:1\]"
    ):
        match(Vehicle(a.vectors[0], *7 * [None]), a)
    with pytest.raises(InputError, match=r"the set holds list; expected events"):
        match([[1.0, 0.0]], a)
    with pytest.raises(InputError, match=r"have \[2, 3\] numbers"):
        match([bare_event(1, [1, 0]), bare_event(2, [1, 0, 0])], a)


def test_an_empty_array_matches_nothing():
    empty, other = embeddings(np.zeros((0, 3))), embeddings([[1, 0, 0]])
    assert len(match(empty, other)) == len(match(other, empty)) == 0
    assert match(empty, other).cosines.shape == (0, 1)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_every_vehicle_matches_one_at_most_and_none_is_nearer(rows, columns, seed):
    rng = np.random.default_rng(seed)
    a, b = (embeddings(rng.integers(-2, 3, (n, 3)) + 0.5) for n in (rows, columns))  # with many ties
    found = match(a, b)
    assert 1 <= len(found) <= min(rows, columns)
    for side in ([pair.first for pair in found.pairs], [pair.second for pair in found.pairs]):
        assert len(set(side)) == len(side)
    for pair in found.pairs:
        assert pair.cosine == found.cosines[pair.first].max() == found.cosines[:, pair.second].max()
    swapped = match(b, a)
    assert len(swapped) >= 1


def test_pairs_that_may_not_be_are_left_out():
    a, b = embeddings([[1, 0, 0], [0, 1, 0]]), embeddings([[1, 0.1, 0], [0.9, 0.3, 0]])
    allowed = np.array([[False, True], [False, False]])
    assert pairs(match(a, b, allowed=allowed)) == {(0, 1)}
    assert pairs(match(a, b, allowed=np.zeros((2, 2), bool))) == set()
    for bad in (allowed[:1], allowed.astype(int)):
        with pytest.raises(InputError, match=r"expected \(2, 2\) of bool"):
            match(a, b, allowed=bad)
