# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A layer made anew without training: the best one by its definition, in a network that stays as it is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pamtri_edge import ops, samples
from pamtri_edge.datasets.data_set import DataSet
from pamtri_edge.errors import InputError
from pamtri_edge.models import TINY, TINY_LITE, Pamtri, PoseNet, ReidNet, load_reid, save_checkpoint, seeded
from pamtri_edge.models.shipped import save_half, without_identities
from pamtri_edge.refit import RefitSpec
from pamtri_edge.train import read_data
from pamtri_edge.train.refit import (
    discriminant,
    discriminate,
    drawn_views,
    learn_type,
    type_row,
    whiten,
    within_class_whitening,
)
from pamtri_edge.vehicle import TYPES
from tiny_networks import SMALLEST

FEW = RefitSpec(vehicles=6, views=5, smallest=16, largest=48, shrinkage=0.3)
BUS = TYPES.index("bus")


@pytest.fixture(scope="module")
def network():
    """Return a network that takes no pose; leave it as it is."""
    spec = replace(TINY_LITE, keypoints=False, heatmaps=False, feature=16)
    return seeded((SMALLEST[0], spec), pictures=samples.crops(4))[1]


@pytest.fixture(scope="module")
def data(veri):
    return read_data(veri)


def embedded(reid):
    images = torch.from_numpy(ops.resize(samples.crops(3)))
    with torch.no_grad():
        return Pamtri(None, reid)(images)


def is_shipped_whole(weight):
    """Tell whether weights are values of float16, which is how trained weights are shipped."""
    return np.array_equal(weight, weight.astype(np.float16).astype(np.float32))


def spread_features(vehicles=60, views=8, width=6):
    """Return features whose views spread a hundred times as far in one direction as in another."""
    rng = np.random.default_rng(0)
    scales = np.geomspace(0.03, 3.0, width)
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    centers = rng.normal(size=(vehicles, 1, width)) + 5.0
    features = centers + rng.normal(size=(vehicles, views, width)) * scales @ turn
    return features.reshape(-1, width).astype(np.float32), np.repeat(np.arange(vehicles), views)


def test_within_a_vehicle_every_direction_spreads_alike():
    features, labels = spread_features()
    weight, bias = within_class_whitening(features, labels, shrinkage=1e-6)
    found = features.astype(np.float64) @ weight.T.astype(np.float64) + bias
    within = found - np.array([found[labels == one].mean(axis=0) for one in labels])
    covariance = within.T @ within / (len(found) - 60)
    np.testing.assert_allclose(covariance, np.eye(6), atol=0.02)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-3)
    assert is_shipped_whole(weight)


def test_shrinkage_bounds_what_a_still_direction_counts():
    features, labels = spread_features()
    gains = [
        np.linalg.norm(within_class_whitening(features, labels, shrinkage=part)[0], 2)
        for part in (1e-6, 0.1, 10.0)
    ]
    assert gains[0] > 5 * gains[1] > 25 * gains[2]


def test_every_vehicle_gives_as_many_different_views(data):
    indices, labels = drawn_views(data, replace(FEW, views=3))
    assert np.bincount(labels).tolist() == [3] * 6
    assert len(set(indices.tolist())) == len(indices) == 18
    for one in range(6):
        assert len(set(data.labels[indices[labels == one]].tolist())) == 1
    again, _ = drawn_views(data, replace(FEW, views=3))
    assert np.array_equal(indices, again)
    assert not np.array_equal(indices, drawn_views(data, replace(FEW, views=3, seed=1))[0])


def test_whitening_keeps_what_a_network_knew_and_adds_half_an_embedding(data, network, tmp_path):
    done = []
    result = whiten(network, None, data, FEW, advance=done.append)
    assert sum(done) == 30
    assert result.spec == replace(network.spec, whitened=True)
    for name, tensor in network.state_dict().items():
        assert torch.equal(result.state_dict()[name], tensor)
    embedding, plain = embedded(result)[0], embedded(network)[0]
    assert embedding.shape == (3, network.spec.learned + network.spec.pooled)
    torch.testing.assert_close(embedding[:, : network.spec.learned] * 2**0.5, plain)
    again = whiten(result, None, data, FEW)
    for name, tensor in result.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    whole = save_checkpoint(result, tmp_path / "whole.safetensors")
    packed = save_half(without_identities(result), tmp_path / "packed.safetensors")
    for file in (whole, packed):
        loaded = load_reid(file)
        assert loaded.spec.whitened
        torch.testing.assert_close(embedded(loaded)[0], embedding, atol=4e-3, rtol=0)


def test_a_network_that_takes_the_pose_is_shown_it(data):
    reid, few = ReidNet(TINY[1]), replace(FEW, vehicles=2, views=2)
    assert whiten(reid, PoseNet(SMALLEST[0]), data, few).spec.whitened
    with pytest.raises(InputError, match="come from a pose network"):
        whiten(reid, None, data, few)


def test_too_few_vehicles_or_views_are_refused(data):
    with pytest.raises(InputError, match="0 vehicles have 40 views or more"):
        drawn_views(data, RefitSpec(views=40))
    with pytest.raises(InputError, match="takes 2 of both"):
        RefitSpec(vehicles=1)
    with pytest.raises(InputError, match="above 0"):
        RefitSpec(shrinkage=0.0)
    with pytest.raises(InputError, match="in order"):
        RefitSpec(smallest=80, largest=20)


def hidden(vehicles=80, views=6, noisy=6):
    """Return features of which two numbers tell vehicles apart, and louder ones change with the view."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(vehicles), views)
    own = rng.normal(size=(vehicles, 2))[labels] + rng.normal(size=(len(labels), 2)) * 0.1
    features = np.concatenate([own, rng.normal(size=(len(labels), noisy)) * 5.0], axis=1) + 3.0
    return features.astype(np.float32), labels


def test_the_first_directions_are_those_that_tell_classes_apart():
    features, labels = hidden()
    weight, bias = discriminant(features, labels, width=3, shrinkage=1e-6)
    assert is_shipped_whole(weight)
    own, noise = np.linalg.norm(weight[:2, :2]), np.linalg.norm(weight[:2, 2:])
    assert own > 20 * noise
    found = features @ weight.T + bias
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-3)
    assert found.std(axis=0)[2] < found.std(axis=0)[1] / 2


def test_a_discriminant_changes_the_embedding_alone_which_is_as_wide(data, network, tmp_path):
    done = []
    result = discriminate(network, None, data, FEW, advance=done.append)
    assert sum(done) == 30
    assert result.spec == network.spec
    after = result.state_dict()
    changed = {name for name, one in network.state_dict().items() if not torch.equal(one, after[name])}
    assert {name.split(".")[0] for name in changed} == {"fc_vid", "neck"}
    found = embedded(load_reid(save_checkpoint(result, tmp_path / "reid.safetensors")))
    before = embedded(network)
    assert found[0].shape == (3, 16)
    assert (found[0] - before[0]).abs().max() > 0.01
    for one, other in zip(found[1:], before[1:], strict=True):
        assert torch.equal(one, other)


def test_a_network_without_a_neck_and_too_few_views_for_the_width_are_refused(data):
    with pytest.raises(InputError, match="no layer to replace"):
        discriminate(ReidNet(TINY[1]), None, data, FEW)
    with pytest.raises(InputError, match="6 views are too few for an embedding of 7 numbers; show more"):
        discriminant(*hidden(vehicles=2, views=3), width=7, shrinkage=0.3)


@pytest.fixture
def buses(data):
    """Return a set of which every second vehicle is a bus, and one picture's type is not known."""
    told = [replace(one, type=BUS if one.vehicle % 2 else 0) for one in data.samples]
    return DataSet(data.name, (replace(told[0], type=None), *told[1:]))


def test_the_row_is_where_the_loss_with_its_penalty_is_flat():
    rng = np.random.default_rng(0)
    hidden, others = rng.normal(size=(500, 4)), rng.normal(size=500)
    shown = hidden[:, 1] + 0.5 * rng.normal(size=500) > 0.3
    before = rng.normal(size=5)
    found = torch.tensor(type_row(hidden, others, shown, before, shrinkage=0.01), requires_grad=True)
    logits = torch.tensor(np.column_stack([hidden, np.ones(500)])) @ found
    both = torch.stack([torch.tensor(others), logits], dim=1)  # all other types count as one
    loss = torch.nn.functional.cross_entropy(both, torch.tensor(shown).long())
    loss = loss + 0.005 * float(hidden.var(axis=0).mean()) * ((found - torch.tensor(before))[:4] ** 2).sum()
    loss.backward()
    assert found.grad.abs().max() < 1e-7


def test_a_row_that_is_kept_firmly_hardly_moves_and_types_that_part_cleanly_do_no_harm():
    hidden = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    shown = hidden[:, 0] > 0
    firm, free = (type_row(hidden, np.zeros(4), shown, np.zeros(2), shrinkage=s) for s in (1e6, 1e-6))
    assert abs(firm[0]) < 1e-5
    assert 5 < free[0] < 50
    assert np.isfinite(free).all()


def test_one_row_changes_and_tells_the_type_better(network, buses, tmp_path):
    done = []
    result = learn_type(network, None, buses, replace(FEW, shrinkage=0.001), name="bus", advance=done.append)
    assert sum(done) == 29, "but for the one whose type is not known"
    after = load_reid(save_checkpoint(result, tmp_path / "reid.safetensors")).state_dict()
    for name, before in network.state_dict().items():
        if name in ("classifier_vtype.weight", "classifier_vtype.bias"):
            others = [row for row in range(len(TYPES)) if row != BUS]
            assert torch.equal(before[others], after[name][others])
            assert not torch.equal(before[BUS], after[name][BUS])
        else:
            assert torch.equal(before, after[name]), name
    weight = after["classifier_vtype.weight"][BUS]
    assert is_shipped_whole(weight.numpy())


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({}, "tram", "unknown types: tram; accepted: sedan"),
        ({"type": BUS}, "bus", "30 of 30 pictures with a known type show a bus; it takes pictures of it and"),
        ({"type": 0}, "bus", "0 of 30 pictures with a known type show a bus"),
        ({"type": None}, "bus", "0 of 0 pictures with a known type"),
    ],
    ids=["another type", "nothing else", "none of it", "no types"],
)
def test_pictures_of_it_and_of_others_are_needed(network, data, change, name, message):
    data = DataSet(data.name, tuple(replace(one, **change) for one in data.samples))
    with pytest.raises(InputError, match=message):
        learn_type(network, None, data, FEW, name=name)


def test_a_network_that_tells_no_types_is_refused(buses):
    with pytest.raises(InputError, match="does not tell the 9 types, of which one could be learned"):
        learn_type(ReidNet(replace(TINY[1], multitask=False)), None, buses, FEW, name="bus")
