# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks with drawn weights are the same every time and behave as trained ones do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.models import TINY, Pamtri, PoseNet, ReidNet, seeded, weights_id


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    pictures: list[NDArray[np.uint8]],
) -> None:
    state = torch.random.get_rng_state()
    first, again = (weights_id(*seeded(TINY, seed=5, pictures=pictures[:2])) for _ in range(2))
    assert first == again
    assert first != weights_id(*seeded(TINY, seed=6, pictures=pictures[:2]))
    assert torch.equal(torch.random.get_rng_state(), state), "drawing moved the caller's random numbers"


def test_peaks_stand_around_the_gate_and_differ_from_picture_to_picture(
    tiny: Callable[[str], tuple[PoseNet, ReidNet]], batch: Any
) -> None:
    module = Pamtri(*tiny("K+H+MT"))
    with torch.no_grad():
        found = dict(zip(module.output_names, module(batch.images), strict=True))
    confidence = found["keypoints"][..., 2]
    assert 0.3 < confidence.mean() < 1.0
    assert (confidence > 0).all()
    assert found["keypoints"][..., :2].std(dim=0).mean() > 0.05
    cosine = found["embedding"] @ found["embedding"].T
    assert (cosine - torch.eye(3)).abs().max() < 0.95


def test_activations_fit_into_half_precision(
    tiny: Callable[[str], tuple[PoseNet, ReidNet]], batch: Any
) -> None:
    module = Pamtri(*tiny("K+H+S+MT"))
    largest: list[float] = []
    for part in module.modules():
        if not list(part.children()):
            part.register_forward_hook(lambda _m, _i, output: largest.append(output.abs().max().item()))
    with torch.no_grad():
        module(batch.images)
    for part in module.modules():
        part._forward_hooks.clear()
    assert max(largest) < 1000  # float16 ends at 65504


def test_an_unknown_size_and_too_few_pictures_are_refused(pictures: list[NDArray[np.uint8]]) -> None:
    with pytest.raises(InputError, match="no size 'huge'; accepted: 'paper', 'lite'"):
        seeded("huge", pictures=pictures)
    with pytest.raises(InputError, match="at least 2 pictures"):
        seeded(TINY, pictures=pictures[:1])
