# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is pooled beside the last map: the parts of a vehicle under its segments, and the middle stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pamtri_edge.errors import InputError
from pamtri_edge.models import LITES, TINY, TINY_LITE, Pamtri, PoseNet, ReidNet
from pamtri_edge.models.pooling import PARTS, EndsPool, PartsPool
from pamtri_edge.vehicle import NUM_SEGMENTS, SEGMENT_FLIP

CELL = 32


def _segments(*places: tuple[int, int, int], size: int = 4) -> Tensor:
    """Return segments that each fill the cells given as segment, row, column."""
    maps = torch.zeros(1, NUM_SEGMENTS, size * CELL, size * CELL)
    for segment, row, column in places:
        maps[0, segment, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 1.0
    return maps


def test_a_part_is_the_mean_of_the_map_where_its_segments_are() -> None:
    features = torch.randn(1, 3, 4, 4)
    found = PartsPool()(features, _segments((0, 1, 2), (2, 3, 3), (12, 0, 0))).view(len(PARTS), 3)
    assert torch.allclose(found[0], (features[0, :, 1, 2] + features[0, :, 3, 3]) / 2, atol=1e-5)
    assert torch.allclose(found[4], features[0, :, 0, 0], atol=1e-5)
    assert not found[1:4].any()  # parts that are not seen


def test_half_a_cell_counts_half_and_segments_that_overlap_once() -> None:
    features = torch.randn(1, 3, 4, 4)
    maps = _segments((0, 0, 0), (1, 0, 0), (0, 2, 2))
    maps[0, 0, 2 * CELL : 2 * CELL + CELL // 2] = 0.0
    found = PartsPool()(features, maps).view(len(PARTS), 3)[0]
    assert torch.allclose(found, (features[0, :, 0, 0] + 0.5 * features[0, :, 2, 2]) / 1.5, atol=1e-5)


def test_parts_are_those_of_a_mirrored_vehicle_too() -> None:
    parts = [set(part) for part in PARTS]
    assert sorted(index for part in PARTS for index in part) == list(range(NUM_SEGMENTS))
    assert [{SEGMENT_FLIP[index] for index in part} for part in parts] == [parts[1], parts[0], *parts[2:]]


def test_ends_of_resolutions_keep_both_their_signs() -> None:
    pool = EndsPool((2, 1)).eval()
    ends = [torch.tensor([[[[2.0]], [[-3.0]]]]), torch.tensor([[[[-1.0, 1.0]]]])]
    expected = torch.tensor([[2.0, 0.0, 0.0, 3.0, 0.5 ** (1 / 3), 0.5 ** (1 / 3)]])
    assert torch.allclose(pool(ends), expected / (1 + 1e-5) ** 0.5, atol=2e-3)


def test_the_ends_are_the_maps_before_each_halving() -> None:
    assert LITES["efficientnet-lite0"].ends == (16, 24, 40, 112)
    network = ReidNet(replace(TINY_LITE, middle=True)).eval()
    with torch.no_grad():
        ends, last = network.base.with_ends(torch.randn(1, 8, 64, 64))  # type: ignore[operator]
    assert [tuple(end.shape[1:]) for end in ends] == [(8, 64, 64), (12, 32, 32), (16, 16, 16)]
    assert last.shape == (1, 40, 8, 8)
    assert network.spec.joined == 40 + 2 * (8 + 12 + 16) + 108


@pytest.mark.parametrize("variant", ["S+P", "S+L+P+M"])
def test_they_change_the_embedding_and_learn(
    variant: str, tiny: Callable[[str], tuple[PoseNet, ReidNet]], batch: Any
) -> None:
    pose, reid = tiny(variant)
    module = Pamtri(pose, reid)
    with torch.no_grad():
        before = module(batch.images)[0]
        assert reid.parts is not None
        reid.parts.forward = lambda features, segments: torch.zeros(  # type: ignore[method-assign]
            len(features), len(PARTS) * reid.spec.pooled
        )
        after = module(batch.images)[0]
        del reid.parts.forward
    assert (before - after).abs().max() > 1e-3
    stack = torch.cat(
        [torch.randn(2, 3, 128, 128), 2.4 * _segments((0, 1, 1), (6, 2, 2)).expand(2, -1, -1, -1)], 1
    )
    again = ReidNet(reid.spec).train()
    again(stack)[-1].square().sum().backward()
    layers = [again.fc_parts, *([] if again.middle is None else [again.middle.norm])]
    assert all(isinstance(layer, nn.Module) and bool(layer.weight.grad.any()) for layer in layers)


def test_parts_need_segments_and_middle_stages_a_lite() -> None:
    with pytest.raises(InputError, match="--embed segments"):
        replace(TINY[1], parts=16)
    with pytest.raises(InputError, match="this backbone is a DenseNet"):
        replace(TINY[1], middle=True)
    with pytest.raises(InputError):
        replace(TINY[1], segments=True, parts=-1)
