# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.errors import InputError


class Answer(NamedTuple):
    weight: float
    worth: float
    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    good: bool


class Fused(NamedTuple):
    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    best: Answer | None


def fuse(answers: list[Answer]) -> Fused:
    fusion = _core.Fusion()
    best = None
    for one in answers:
        if fusion.add(one.weight, one.worth, one.good, one.embedding, one.color_probs, one.type_probs):
            best = one
    return Fused(fusion.embedding(), fusion.color_probs(), fusion.type_probs(), best)


def _answer(
    embedding: list[float],
    weight: float = 1.0,
    *,
    worth: float = 1.0,
    good: bool = True,
    color_probs: Any = (0.5, 0.5),
) -> Answer:
    return Answer(weight, worth, np.float32(embedding), np.float32(color_probs), None, good)


def test_one_view_speaks_for_itself() -> None:
    answer = _answer([3, 4], color_probs=np.float32([0.9, 0.1]))
    fused = fuse([answer])
    assert fused.embedding.tolist() == pytest.approx([0.6, 0.8])
    assert fused.embedding.dtype == np.float32
    assert fused.color_probs is not None
    assert fused.color_probs.tolist() == pytest.approx([0.9, 0.1])
    assert fused.type_probs is None
    assert fused.best is answer


def test_directions_are_averaged_by_weight_not_lengths() -> None:
    fused = fuse([_answer([100, 0], 1.0), _answer([0, 0.01], 3.0)])
    assert fused.embedding.tolist() == pytest.approx([1 / np.sqrt(10), 3 / np.sqrt(10)])
    assert np.linalg.norm(fused.embedding) == pytest.approx(1.0)


def test_probabilities_are_averaged_by_weight_and_sum_to_one() -> None:
    fused = fuse(
        [
            _answer([1, 0], 1.0, color_probs=np.float32([1.0, 0.0])),
            _answer([1, 0], 3.0, color_probs=np.float32([0.2, 0.8])),
        ]
    )
    assert fused.color_probs is not None
    assert fused.color_probs.tolist() == pytest.approx([0.4, 0.6])


def test_the_best_view_is_the_one_of_most_worth_of_those_that_pass() -> None:
    answers = [_answer([1, 0], worth=worth) for worth in (2.0, 7.0, 1.0)]
    assert fuse(answers).best is answers[1]
    below = _answer([1, 0], worth=9.0, good=False)
    assert fuse([below, *answers]).best is answers[1]
    assert fuse([*answers, below]).best is answers[1]


def test_views_below_the_gate_count_beside_the_others() -> None:
    below, good = _answer([0, 1], 3.0, good=False), _answer([1, 0], 4.0)
    for answers in ([below, good], [good, below]):
        assert fuse(answers).embedding.tolist() == pytest.approx([0.8, 0.6])


def test_views_that_weigh_nothing_count_only_where_there_is_no_other() -> None:
    nothing, something = _answer([0, 1], 0.0, color_probs=[0, 1]), _answer([1, 0], 0.1, color_probs=[1, 0])
    for answers in ([nothing, something], [something, nothing]):
        assert fuse(answers).embedding.tolist() == pytest.approx([1, 0])
        assert fuse(answers).color_probs == pytest.approx([1, 0])


def test_views_that_all_weigh_nothing_count_alike() -> None:
    fused = fuse([_answer([1, 0], 0.0), _answer([0, 1], 0.0)])
    assert fused.embedding.tolist() == pytest.approx([np.sqrt(0.5)] * 2)


def test_where_embeddings_cancel_out_the_best_view_stands() -> None:
    assert fuse([_answer([1, 0], worth=2), _answer([-1, 0])]).embedding.tolist() == pytest.approx([1, 0])


def test_nothing_to_fuse_is_an_error() -> None:
    with pytest.raises(InputError, match="no embedded view"):
        fuse([])


@pytest.mark.parametrize("vector", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_an_embedding_without_direction_is_an_error(vector: list[float]) -> None:
    with pytest.raises(InputError, match="check the bundle: pamtri verify"):
        fuse([_answer([1, 0]), _answer(vector)])
