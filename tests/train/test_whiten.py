# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whitening: views of one vehicle spread alike in all directions, and nothing else of a network changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pamtri_edge import ops, samples
from pamtri_edge.errors import InputError
from pamtri_edge.models import Pamtri, load_reid, save_checkpoint, seeded
from pamtri_edge.models.shipped import save_half, without_identities
from pamtri_edge.refit import RefitSpec
from pamtri_edge.train import read_data
from pamtri_edge.train.refit import drawn_views, whiten, within_class_whitening
from tiny_networks import SMALLEST

FEW = RefitSpec(vehicles=6, views=3, smallest=16, largest=48)


@pytest.fixture(scope="module")
def networks():
    return seeded(SMALLEST, pictures=samples.crops(4))


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


def test_shrinkage_bounds_what_a_still_direction_counts():
    features, labels = spread_features()
    gains = [
        np.linalg.norm(within_class_whitening(features, labels, shrinkage=part)[0], 2)
        for part in (1e-6, 0.1, 10.0)
    ]
    assert gains[0] > 5 * gains[1] > 25 * gains[2]


def test_the_weights_lose_nothing_when_shipped_as_float16():
    weight, _ = within_class_whitening(*spread_features(), shrinkage=0.03)
    assert np.array_equal(weight, weight.astype(np.float16).astype(np.float32))


def test_every_vehicle_gives_as_many_different_views(veri):
    data = read_data(veri)
    indices, labels = drawn_views(data, FEW)
    assert np.bincount(labels).tolist() == [3] * 6
    assert len(set(indices.tolist())) == len(indices) == 18
    for one in range(6):
        assert len(set(data.labels[indices[labels == one]].tolist())) == 1
    again, _ = drawn_views(data, FEW)
    assert np.array_equal(indices, again)
    assert not np.array_equal(indices, drawn_views(data, replace(FEW, seed=1))[0])


@pytest.mark.slow
def test_a_network_keeps_what_it_knew_and_gains_half_an_embedding(veri, networks, tmp_path):
    pose, reid = networks
    done = []
    result = whiten(reid, pose, read_data(veri), FEW, advance=done.append)
    assert sum(done) == 18
    assert result.spec == replace(reid.spec, whitened=True)
    for name, tensor in reid.state_dict().items():
        assert torch.equal(result.state_dict()[name], tensor)
    images = torch.from_numpy(ops.resize(samples.crops(3)))
    with torch.no_grad():
        embedding = Pamtri(pose, result)(images)[0]
        plain = Pamtri(pose, reid)(images)[0]
    assert embedding.shape == (3, reid.spec.learned + reid.spec.pooled)
    torch.testing.assert_close(embedding[:, : reid.spec.learned] * 2**0.5, plain)
    again = whiten(result, pose, read_data(veri), FEW)
    for name, tensor in result.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    whole = save_checkpoint(result, tmp_path / "whole.safetensors")
    packed = save_half(without_identities(result), tmp_path / "packed.safetensors")
    for file in (whole, packed):
        loaded = load_reid(file)
        assert loaded.spec.whitened
        torch.testing.assert_close(Pamtri(pose, loaded)(images)[0], embedding, atol=2e-3, rtol=0)


def test_too_few_vehicles_or_views_are_refused(veri):
    with pytest.raises(InputError, match="0 vehicles have 40 views or more"):
        drawn_views(read_data(veri), RefitSpec(views=40))
    with pytest.raises(InputError, match="takes 2 of both"):
        RefitSpec(vehicles=1)
    with pytest.raises(InputError, match="above 0"):
        RefitSpec(shrinkage=0.0)
    with pytest.raises(InputError, match="in order"):
        RefitSpec(smallest=80, largest=20)
