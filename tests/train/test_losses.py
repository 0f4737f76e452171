# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every loss is what its definition says, computed here a second time with plain loops."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional

from pamtri_edge.datasets.data_set import UNKNOWN
from pamtri_edge.errors import InputError
from pamtri_edge.train import LossSpec, ReidLoss
from pamtri_edge.train.losses import Head, Labels, known_cross_entropy, reid_losses
from pamtri_edge.train.metric import (
    Centers,
    batch_all,
    batch_hard,
    batch_sample,
    distances,
    group_sensitive,
    grouped,
)
from pamtri_edge.train.recipes import plain

MARGIN = 0.3


@pytest.fixture
def batch():
    torch.manual_seed(2)
    return torch.randn(12, 5), torch.arange(12) // 3


def test_distances_are_euclidean_and_have_a_slope_at_zero(batch):
    features, _ = batch
    np.testing.assert_allclose(distances(features), torch.cdist(features, features), atol=2e-3)
    same = torch.ones(3, 4, requires_grad=True)
    distances(same).sum().backward()
    assert torch.isfinite(same.grad).all()


def test_batch_hard_takes_the_farthest_positive_and_the_nearest_negative(batch):
    features, labels = batch
    between = torch.cdist(features, features)
    expected = []
    for anchor in range(12):
        far = max(between[anchor, other] for other in range(12) if labels[other] == labels[anchor])
        near = min(between[anchor, other] for other in range(12) if labels[other] != labels[anchor])
        expected.append(max(0.0, float(MARGIN + far - near)))
    assert batch_hard(features, labels, margin=MARGIN).item() == pytest.approx(np.mean(expected), rel=1e-3)


@pytest.mark.parametrize("loss", [batch_hard, partial(group_sensitive, group_margin=0.1, groups=2)])
def test_negatives_can_be_limited_to_pairs_that_surely_differ(batch, loss):
    features, labels = batch
    given = features.requires_grad_()
    everything = torch.ones(12, 12, dtype=torch.bool)
    nothing = loss(given, labels, margin=MARGIN, differ=~everything)
    nothing.backward()  # of a batch without a pair too
    assert nothing.item() == 0.0
    assert loss(given, labels, margin=MARGIN, differ=everything) == loss(given, labels, margin=MARGIN) > 0.0


def test_batch_all_is_the_mean_over_violating_triplets(batch):
    features, labels = batch
    between = torch.cdist(features, features)
    hinges = [
        float(MARGIN + between[a, p] - between[a, n])
        for a, p, n in itertools.product(range(12), repeat=3)
        if a != p and labels[a] == labels[p] and labels[a] != labels[n]
    ]
    violating = [hinge for hinge in hinges if hinge > 0]
    assert batch_all(features, labels, margin=MARGIN).item() == pytest.approx(np.mean(violating), rel=1e-3)
    far_apart = torch.eye(4).repeat_interleave(3, 0) * 100
    assert batch_all(far_apart, labels, margin=MARGIN).item() == 0.0


def test_batch_sample_draws_hard_triplets_more_often(batch):
    features, labels = batch
    spread = features * 20  # softmax of such distances is all but a maximum
    drawn = batch_sample(spread, labels, margin=MARGIN).item()
    assert drawn == pytest.approx(batch_hard(spread, labels, margin=MARGIN).item(), rel=0.05)
    tight = features * 1e-4  # and of such, uniform
    assert batch_sample(tight, labels, margin=MARGIN).item() == pytest.approx(MARGIN, abs=1e-2)


def test_centers_follow_their_class_at_full_speed_however_little_they_pull(batch):
    features, labels = batch
    features.requires_grad_()
    centers = Centers(4, 5)
    loss = centers(features, labels, weight=0.01)
    assert loss.item() == pytest.approx(0.01 * 0.5 * features.square().sum(1).mean().item(), rel=1e-5)
    loss.backward()
    np.testing.assert_allclose(features.grad, 0.01 * features.detach() / 12, rtol=1e-4)
    np.testing.assert_allclose(centers.centers.grad[0], -features.detach()[:3].sum(0) / 12, rtol=1e-4)


def test_unlabeled_attributes_cost_nothing():
    logits = torch.randn(4, 3, requires_grad=True)
    labels = torch.tensor([0, UNKNOWN, 2, UNKNOWN])
    expected = functional.cross_entropy(logits[[0, 2]], labels[[0, 2]])
    assert known_cross_entropy(logits, labels).item() == pytest.approx(expected.item())
    assert known_cross_entropy(logits, torch.full((4,), UNKNOWN)).item() == 0.0


def outputs(count=12):
    torch.manual_seed(0)
    shapes = ((count, 4), (count, 10), (count, 9), (count, 5))
    return tuple(torch.randn(shape) for shape in shapes)


def labels_of(count=12):
    vehicles = torch.arange(count) // 3
    return Labels(vehicles, vehicles % 10, vehicles % 9)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (ReidLoss.BOTH, {"identity", "triplet"}),
        (ReidLoss.XENT, {"identity"}),
        (ReidLoss.HTRI, {"triplet"}),
        (ReidLoss.CENTER, {"identity", "center"}),
        (ReidLoss.BATCH_ALL, {"triplet"}),
        (ReidLoss.BATCH_SAMPLE, {"triplet"}),
        (ReidLoss.GSTE, {"identity", "triplet"}),
    ],
)
def test_each_rival_of_the_paper_has_its_terms(kind, names):
    classifier = torch.nn.Linear(5, 4)
    terms = reid_losses(
        outputs(), labels_of(), LossSpec(kind=kind), classifier=classifier, centers=Centers(4, 5)
    )
    assert set(terms) == names | {"color", "type"}
    bare = reid_losses(
        outputs()[::3], labels_of(), LossSpec(kind=kind), classifier=classifier, centers=Centers(4, 5)
    )
    assert set(bare) == names


def test_the_paper_s_loss_adds_up_as_its_equations_say():
    out, labels = outputs(), labels_of()
    terms = reid_losses(out, labels, LossSpec(), classifier=torch.nn.Linear(5, 4))
    expected = {
        "identity": functional.cross_entropy(out[0], labels.vehicle),
        "triplet": batch_hard(out[3], labels.vehicle, margin=0.3),
        "color": 0.125 * functional.cross_entropy(out[1], labels.color),
        "type": 0.125 * functional.cross_entropy(out[2], labels.type),
    }
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (LossSpec(kind=ReidLoss.XENT, head=Head.COSINE), "identity"),
        (LossSpec(kind=ReidLoss.HTRI, unit=True), "triplet"),
    ],
    ids=["cosine logits", "triplets on unit features"],
)
def test_what_compares_directions_forgets_the_length_of_a_feature(spec, name):
    out, classifier = outputs(), torch.nn.Linear(5, 4)
    once = reid_losses(out, labels_of(), spec, classifier=classifier)[name]
    longer = reid_losses((*out[:3], out[3] * 7), labels_of(), spec, classifier=classifier)[name]
    assert once.item() == pytest.approx(longer.item(), rel=1e-4)
    harder = replace(spec, angular_margin=0.2, margin=0.5)
    assert reid_losses(out, labels_of(), harder, classifier=classifier)[name] > once


FRONT, BACK = [0.0, 0.0], [1.0, 0.0]
LABELS = torch.tensor([0, 0, 0, 0, 1, 1])


VIEWS = torch.tensor([FRONT, [0.2, 0.0], BACK, [1.2, 0.0], [0.6, 0.5], [0.6, 0.5]])


def grouped_loss(given, **options):
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
    far = torch.tensor([FRONT, FRONT, BACK, BACK, [0.0, 9.0], [0.0, 9.0]])
    assert grouped_loss(far).item() == 0.0


def test_the_sum_over_vehicles_and_groups_is_as_told_and_so_is_its_slope():
    # The first vehicle's mean is (0.6, 0): its pictures are 0.36, 0.16, 0.16, 0.36 from it, the other 0.25.
    # The other's mean is (0.6, 0.5), its own distances 0, and the nearest of the first is 0.16 + 0.25 away.
    across = (2 * (0.3 + 0.36 - 0.25) + 2 * (0.3 + 0.16 - 0.25) + 0.0) / 6
    # Means of groups are 0.1 from their pictures and 0.9 from the nearest of the other: no hinge.
    assert grouped_loss(VIEWS).item() == pytest.approx(across, abs=1e-6)
    assert grouped_loss(VIEWS, groups=1).item() == pytest.approx(across, abs=1e-6)
    within = 4 * (1.0 + 0.01 - 0.81) / 4
    assert grouped_loss(VIEWS, group_margin=1.0).item() == pytest.approx(across + within, abs=1e-6)
    moved = (VIEWS + torch.arange(12).view(6, 2) / 200).double().requires_grad_()  # no two hinges alike
    assert torch.autograd.gradcheck(grouped_loss, moved)


@pytest.mark.parametrize("wrong", [{"groups": 0}, {"group_margin": 0.3}, {"group_margin": -0.1}])
def test_impossible_groups_are_refused(wrong):
    with pytest.raises(InputError, match="group_margin from 0 to below the margin"):
        LossSpec(kind=ReidLoss.GSTE, **wrong)


def test_records_of_other_losses_are_as_they_were():
    assert "groups" not in plain(LossSpec())
    assert plain(replace(LossSpec(), groups=3))["groups"] == 3
