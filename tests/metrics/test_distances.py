# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How features are compared, and that large sets are compared piece by piece."""

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate import retrieval
from pamtri_edge.metrics import distances as module
from pamtri_edge.metrics.distances import distance_blocks, distances
from pamtri_edge.metrics.ranking import retrieval_of
from pamtri_edge.words import METRICS


def test_cosine_and_euclidean_rank_unit_vectors_alike(rng):
    query, gallery = (rng.normal(size=(n, 8)).astype(np.float32) for n in (3, 20))
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    cosine, euclidean = distances(query, gallery), distances(query, gallery, "euclidean")
    assert np.allclose(2 * cosine, euclidean, atol=1e-5)
    assert np.allclose(euclidean, ((query[:, None] - gallery) ** 2).sum(2), atol=1e-5)


def test_bhattacharyya_compares_distributions():
    query, gallery = np.float32([[0.5, 0.5, 0.0]]), np.float32([[5, 5, 0], [0, 0, 1], [0.5, 0.25, 0.25]])
    found = distances(query, gallery, "bhattacharyya")[0]
    assert found[:2] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert found[2] == pytest.approx(1 - (0.5 + np.sqrt(0.125)), abs=1e-6)


def test_a_feature_of_length_zero_is_as_far_from_everything():
    assert distances(np.zeros((1, 2), np.float32), np.float32([[1, 0], [0, 1]])).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("metric", METRICS)
def test_pieces_give_what_the_whole_gives(rng, monkeypatch, metric):
    query, gallery = (rng.random((n, 6), np.float32) for n in (11, 7))
    whole = distances(query, gallery, metric)
    monkeypatch.setattr(module, "_BLOCK", 3 * len(gallery))
    assert [len(block) for block in distance_blocks(query, gallery, metric)] == [3, 3, 3, 2]
    assert np.allclose(distances(query, gallery, metric), whole, atol=1e-6)


def test_retrieval_of_features_is_retrieval_of_their_distances(rng):
    query, gallery = (rng.random((n, 6), np.float32) for n in (9, 40))
    labels = [rng.integers(0, 4, n) for n in (9, 40, 9, 40)]
    first = retrieval(distances(query, gallery), *labels)
    second = retrieval_of(query, gallery, *labels)
    assert np.array_equal(first.average_precision, second.average_precision, equal_nan=True)
    assert second.top_mean(5) == pytest.approx(retrieval(distances(query, gallery), *labels, 5).mAP)


@pytest.mark.parametrize(
    ("query", "metric", "words"),
    [
        (np.ones((2, 3)), "manhattan", "the metric is 'manhattan'; accepted: cosine"),
        (np.ones((2, 4)), "cosine", "queries have 4 features and the gallery 3"),
        (np.ones(3), "cosine", r"query features have shape \(3,\)"),
        (np.array([[1, 1, 1], [1, np.inf, 1]]), "cosine", "features of query picture 1 are not finite"),
    ],
)
def test_features_that_do_not_compare_are_refused(query, metric, words):
    with pytest.raises(InputError, match=words):
        distances(query, np.ones((5, 3)), metric)
