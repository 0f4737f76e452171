# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from pamtri_edge import _core
from pamtri_edge.errors import InputError


def fuse(*views: dict[str, Any]) -> tuple[_core.Fusion, int]:
    """Return views together, and the place of the best; a view is `view(...)`."""
    fusion, best = _core.Fusion(), -1
    for place, view in enumerate(views):
        if fusion.add(**view):
            best = place
    return fusion, best


def view(
    *embedding: float, weight: float = 1.0, worth: float = 1.0, good: bool = True, colors: Any = (0.5, 0.5)
):
    return {
        "weight": weight,
        "worth": worth,
        "good": good,
        "embedding": np.float32(embedding),
        "color_probs": np.float32(colors),
        "type_probs": None,
    }


def test_one_view_speaks_for_itself() -> None:
    fused, best = fuse(view(3, 4, colors=(0.9, 0.1)))
    assert fused.embedding().tolist() == pytest.approx([0.6, 0.8])
    assert fused.embedding().dtype == np.float32
    assert fused.color_probs() == pytest.approx([0.9, 0.1])
    assert fused.type_probs() is None
    assert best == 0


def test_directions_and_probabilities_are_averaged_by_weight_not_lengths() -> None:
    fused, _ = fuse(view(100, 0, colors=(1.0, 0.0)), view(0, 0.01, weight=3.0, colors=(0.2, 0.8)))
    assert fused.embedding().tolist() == pytest.approx([1 / np.sqrt(10), 3 / np.sqrt(10)])
    assert fused.color_probs() == pytest.approx([0.4, 0.6])


def test_the_best_view_is_the_one_of_most_worth_of_those_that_pass() -> None:
    views = [view(1, 0, worth=worth) for worth in (2.0, 7.0, 1.0)]
    below = view(1, 0, worth=9.0, good=False)
    assert fuse(*views)[1] == 1
    assert fuse(below, *views)[1] == 2
    assert fuse(*views, below)[1] == 1


def test_views_below_the_gate_count_beside_the_others() -> None:
    views = view(0, 1, weight=3.0, good=False), view(1, 0, weight=4.0)
    for order in (views, views[::-1]):
        assert fuse(*order)[0].embedding().tolist() == pytest.approx([0.8, 0.6])


def test_views_that_weigh_nothing_count_only_where_there_is_no_other() -> None:
    views = view(0, 1, weight=0.0, colors=(0, 1)), view(1, 0, weight=0.1, colors=(1, 0))
    for order in (views, views[::-1]):
        fused, _ = fuse(*order)
        assert fused.embedding().tolist() == pytest.approx([1, 0])
        assert fused.color_probs() == pytest.approx([1, 0])
    alike, _ = fuse(view(1, 0, weight=0.0), view(0, 1, weight=0.0))
    assert alike.embedding().tolist() == pytest.approx([np.sqrt(0.5)] * 2)


def test_where_embeddings_cancel_out_the_best_view_stands() -> None:
    assert fuse(view(1, 0, worth=2), view(-1, 0))[0].embedding().tolist() == pytest.approx([1, 0])


def test_nothing_to_fuse_is_an_error() -> None:
    with pytest.raises(InputError, match="no embedded view"):
        fuse()[0].embedding()


@pytest.mark.parametrize("vector", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_an_embedding_without_direction_is_an_error(vector: list[float]) -> None:
    with pytest.raises(InputError, match="check the bundle: pamtri verify"):
        fuse(view(1, 0), view(*vector))
