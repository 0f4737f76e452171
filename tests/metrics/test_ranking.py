# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Retrieval: the protocol on rankings worked out by hand, and agreement with scikit-learn on random ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate import retrieval
from pamtri_edge.metrics.ranking import retrieval_of
from properties import tries


def test_average_precision_is_the_mean_precision_at_the_true_matches():
    # true, false, true, false: precision 1/1 at the first and 2/3 at the second match
    result = retrieval([[0.1, 0.2, 0.3, 0.4]], [7], [7, 1, 7, 2])
    assert result.average_precision[0] == pytest.approx((1 + 2 / 3) / 2)
    assert result.mAP == result.average_precision[0]
    assert result.ranks[0].tolist() == [1, 3]


def test_minp_is_the_true_matches_over_the_rank_of_the_last():
    result = retrieval([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]], [7, 1], [7, 1, 7, 2])
    assert result.mINP == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_between_cameras_a_query_s_own_camera_takes_no_part():
    one, two = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[[1, 0, 2, 3]]
    everything, cameras = np.concatenate([one, two]), [1] * 4 + [2] * 4
    ids = [1, 2, 3, 4, 1, 2, 3, 4]  # the second camera mistakes 1 for 2
    between = retrieval_of(everything, everything, ids, ids, cameras, cameras, between=True)
    across = retrieval_of(everything, everything, ids, ids, cameras, cameras)
    assert between.rank(1) == 0.5
    assert [ranks.tolist() for ranks in between.ranks[2:4]] == [[1], [1]]
    assert max(ranks[-1] for ranks in between.ranks) <= 4 < max(ranks[-1] for ranks in across.ranks)


def test_cmc_is_the_share_of_queries_answered_within_so_many_pictures():
    distances = [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]
    result = retrieval(distances, [1, 2, 3], [1, 2, 3])  # first matches at ranks 1, 2 and 1
    assert result.cmc.shape == (50,)
    assert result.rank(1) == pytest.approx(2 / 3)
    assert (result.cmc[1:] == 1).all()


def test_a_match_by_the_same_camera_is_left_out_and_others_by_that_camera_stay():
    distances = [[0.1, 0.2, 0.3]]
    result = retrieval(distances, [1], [1, 2, 1], [5], [5, 5, 6])
    assert result.first_match[0] == 2  # the picture at 0.1 is gone, the distractor at 0.2 is not
    assert result.ranks[0].tolist() == [2]
    assert retrieval(distances, [1], [1, 2, 1]).first_match[0] == 1


def test_a_query_without_a_true_match_is_skipped_and_counted():
    result = retrieval([[0.1, 0.9], [0.2, 0.1], [0.1, 0.2]], [1, 9, -1], [1, 2])
    assert result.valid.tolist() == [True, False, False]
    assert (result.queries, result.skipped) == (1, 2)
    assert result.mAP == 1.0
    assert np.isnan(result.average_precision[1:]).all()
    assert result.first_match.tolist() == [1, 0, 0]


def test_of_equal_distances_the_false_matches_come_first():
    assert retrieval([[0.5, 0.5, 0.5, 0.5]], [1], [1, 2, 2, 2]).first_match[0] == 4
    # a feature that tells nothing apart: two matches at the last two of four ranks
    constant = retrieval(np.zeros((1, 4)), [1], [1, 2, 1, 2])
    assert constant.mAP == pytest.approx((1 / 3 + 2 / 4) / 2)


@st.composite
def rankings(draw):
    """A matrix with many ties, distractors, junk and cameras; every query has a match that stays."""
    queries, size = draw(st.integers(1, 4)), draw(st.integers(3, 24))
    steps = draw(st.sampled_from([2, 5, 10_000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distances = rng.integers(0, steps, (queries, size)) / steps
    ids = rng.integers(1, 4, queries), rng.integers(-1, 5, size)
    cameras = rng.integers(0, 3, queries), rng.integers(0, 3, size)
    ids[1][0], cameras[1][0] = ids[0][0], cameras[0][0] + 1
    return distances, *ids, *cameras


def without_ties(distances, true):
    """Return scores that rank as the distances do and differ all: within a tie, false matches first."""
    scores = np.empty(len(true))
    scores[np.lexsort((true, distances))] = -np.arange(len(true))
    return scores


@settings(max_examples=tries(40))
@given(rankings(), st.none() | st.integers(1, 30))
def test_figures_agree_with_scikit_learn(ranking, top):
    metrics = pytest.importorskip("sklearn.metrics")
    distances, query_ids, gallery_ids, query_cameras, gallery_cameras = ranking
    result = retrieval(*ranking, top)
    for q, row in enumerate(distances):
        same = gallery_ids == query_ids[q]
        kept = (gallery_ids >= 0) & ~(same & (gallery_cameras == query_cameras[q]))
        true, score = same[kept], -row[kept]
        assert result.valid[q] == true.any()
        if not true.any():
            continue
        # Its average precision knows no order within a tie, so it is given the ranking without ties.
        resolved = without_ties(row[kept], true)
        within = np.argsort(-resolved)[:top]
        hits = true[within].sum()
        found = metrics.average_precision_score(true[within], resolved[within]) if hits else 0.0
        assert result.average_precision[q] == pytest.approx(found * hits / true.sum())
        # Left as they are, it takes the precision behind the whole tie for all matches in it: never less.
        assert result.average_precision[q] <= metrics.average_precision_score(true, score) + 1e-12
        # Its coverage error is the rank of the last true label, behind the tie it is in. With the best
        # match as the only true one, that is the rank of the first match. (Two far ones, as one is too few.)
        best = np.flatnonzero(true)[score[true].argmax()]
        alone = np.append(np.flatnonzero(~true), best)
        truth = [*np.zeros(len(alone) - 1, int), 1, 0, 0]
        rank = metrics.coverage_error([truth], [[*score[alone], -9, -9]])
        assert result.first_match[q] == rank


def test_progress_is_told():
    told = []
    retrieval(np.eye(3), [1, 2, 3], [1, 2, 3], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_figures_are_plain_json():
    record = retrieval([[1.0, 2.0]], [1], [1, 2], top=100).to_json()
    assert (record["mAP"], record["top"], record["queries"], record["skipped"]) == (1.0, 100, 1, 0)
    assert record["cmc"][:2] == [1.0, 1.0]


def test_no_query_with_a_true_match_is_refused_and_says_why():
    with pytest.raises(InputError, match="the one query has no true match among 2 gallery pictures"):
        retrieval([[0.1, 0.2]], [1], [2, 3])
    with pytest.raises(InputError, match="that another camera took"):
        retrieval([[0.1, 0.2]], [1], [1, 3], [0], [0, 0])
    with pytest.raises(InputError, match="nothing to measure: 0 queries"):
        retrieval(np.zeros((0, 2)), [], [1, 2])
    with pytest.raises(InputError, match="the one query has no true match"):
        retrieval([[0.1]], [-1], [-1])  # nobody knows whether these show one vehicle


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0.1, 0.2], [1], [1, 2]), r"distances have shape \(2,\)"),
        (([["a", "b"]], [1], [1, 2]), "distances have shape"),
        (([[0.1, 0.2]], [1, 2], [1, 2]), r"query_ids have shape \(2,\) .* expected \(1,\)"),
        (([[0.1, 0.2]], [1], [1]), "gallery_ids .* as many as the distances have columns"),
        (([[0.1, 0.2]], [1], [1.5, 2.0]), "gallery_ids .* whole numbers"),
        (([[0.1, 0.2]], [1], [1, 2], [1]), "cameras are given for one side only"),
        (([[0.1, 0.2]], [1], [1, 2], [1], [1]), "gallery_cameras have shape"),
        (([[0.1, np.nan]], [1], [1, 2]), "the distance of query 0 to gallery picture 1 is NaN"),
        (([[0.1, 0.2]], [1], [1, 2], None, None, 0), "top is 0"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        retrieval(*arguments)
