# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The group-sensitive triplets: what they pull together, what they push apart, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from pamtri_edge.errors import InputError
from pamtri_edge.train import LossSpec, ReidLoss
from pamtri_edge.train.metric import group_sensitive, grouped
from pamtri_edge.train.recipes import plain

FRONT, BACK = [0.0, 0.0], [1.0, 0.0]
LABELS = torch.tensor([0, 0, 0, 0, 1, 1])


def features(*rows):
    return torch.tensor(rows, requires_grad=True)


def loss(given, **options):
    return group_sensitive(given, LABELS, **{"margin": 0.3, "group_margin": 0.1, "groups": 2, **options})


def test_views_fall_into_groups_wherever_they_stand_in_the_batch():
    views = torch.tensor([FRONT, BACK, [0.1, 0.0], [0.9, 0.0]])
    assert grouped(views, 2)[0] == grouped(views, 2)[2] != grouped(views, 2)[1]
    assert grouped(views, 2)[1] == grouped(views, 2)[3]
    assert len(grouped(views, 4).unique()) == 4
    assert len(grouped(views, 9).unique()) == 4
    assert grouped(views, 1).unique().tolist() == [0]
    assert grouped(torch.zeros(3, 2), 2).unique().tolist() == [0]


def test_groups_far_apart_and_vehicles_farther_cost_nothing():
    far = features(FRONT, FRONT, BACK, BACK, [0.0, 9.0], [0.0, 9.0])
    assert loss(far).item() == 0.0


def test_the_sum_is_as_told():
    given = features(FRONT, [0.2, 0.0], BACK, [1.2, 0.0], [0.6, 0.5], [0.6, 0.5])
    # The first vehicle's mean is (0.6, 0): its pictures are 0.36, 0.16, 0.16, 0.36 from it, the other 0.25.
    # The other's mean is (0.6, 0.5), its own distances 0, and the nearest of the first is 0.16 + 0.25 away.
    across = (2 * (0.3 + 0.36 - 0.25) + 2 * (0.3 + 0.16 - 0.25) + 0.0) / 6
    # Means of groups are 0.1 from their pictures and 0.9 from the nearest of the other: no hinge.
    assert loss(given).item() == pytest.approx(across, abs=1e-6)
    assert loss(given, groups=1).item() == pytest.approx(across, abs=1e-6)
    within = 4 * (1.0 + 0.01 - 0.81) / 4
    wide = loss(given, margin=0.3, group_margin=1.0).item()
    assert wide == pytest.approx(across + within, abs=1e-6)


def test_learning_from_it_brings_vehicles_apart():
    torch.manual_seed(1)
    given = torch.randn(6, 2, requires_grad=True)
    before = loss(given).item()
    for _ in range(60):
        (slope,) = torch.autograd.grad(loss(given), given)
        given = (given - 0.05 * slope).detach().requires_grad_()
    assert loss(given).item() < 0.2 * before
    alone = group_sensitive(given, torch.zeros(6), margin=0.3, group_margin=0.1, groups=1)
    alone.backward()
    assert alone.item() == 0.0


def test_pairs_that_may_be_one_vehicle_are_no_negatives():
    given = features(FRONT, [0.2, 0.0], BACK, [1.2, 0.0], [0.6, 0.5], [0.6, 0.5])
    assert loss(given, differ=torch.zeros(6, 6, dtype=torch.bool)).item() == 0.0
    assert loss(given, differ=torch.ones(6, 6, dtype=torch.bool)) == loss(given)


@pytest.mark.parametrize("wrong", [{"groups": 0}, {"group_margin": 0.3}, {"group_margin": -0.1}])
def test_impossible_groups_are_refused(wrong):
    with pytest.raises(InputError, match="group_margin from 0 to below the margin"):
        LossSpec(kind=ReidLoss.GSTE, **wrong)


def test_records_of_other_losses_are_as_they_were():
    assert "groups" not in plain(LossSpec())
    assert plain(replace(LossSpec(), groups=3))["groups"] == 3
