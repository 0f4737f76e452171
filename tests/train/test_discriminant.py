# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Discriminant: an embedding of what tells vehicles apart, in a network that stays as it is otherwise."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pamtri_edge import ops, samples
from pamtri_edge.errors import InputError
from pamtri_edge.models import TINY, TINY_LITE, Pamtri, PoseNet, ReidNet, load_reid, save_checkpoint, seeded
from pamtri_edge.refit import RefitSpec
from pamtri_edge.train import read_data
from pamtri_edge.train.refit import discriminant, discriminate
from tiny_networks import SMALLEST

FEW = RefitSpec(vehicles=6, views=5, smallest=16, largest=48, shrinkage=0.3)
RGB = replace(TINY_LITE, keypoints=False, heatmaps=False, feature=16)


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
    assert np.array_equal(weight, weight.astype(np.float16).astype(np.float32))
    own, noise = np.linalg.norm(weight[:2, :2]), np.linalg.norm(weight[:2, 2:])
    assert own > 20 * noise
    found = features @ weight.T + bias
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-3)
    assert found.std(axis=0)[2] < found.std(axis=0)[1] / 2


def test_too_few_views_for_the_width_are_refused():
    features, labels = hidden(vehicles=2, views=3)
    with pytest.raises(
        InputError, match=r"6 views are too few for an embedding of 7 numbers; show more than 7"
    ):
        discriminant(features, labels, width=7, shrinkage=0.3)


def test_only_the_embedding_changes_and_it_is_as_wide(veri, tmp_path):
    pose, reid = seeded((SMALLEST[0], RGB), pictures=samples.crops(4))
    done = []
    result = discriminate(reid, None, read_data(veri), FEW, advance=done.append)
    assert sum(done) == 30
    assert result.spec == reid.spec
    changed = {
        name for name, one in reid.state_dict().items() if not torch.equal(one, result.state_dict()[name])
    }
    assert {name.split(".")[0] for name in changed} == {"fc_vid", "neck"}
    loaded = load_reid(save_checkpoint(result, tmp_path / "reid.safetensors"))
    images = torch.from_numpy(ops.resize(samples.crops(3)))
    with torch.no_grad():
        found, before = Pamtri(pose, loaded)(images), Pamtri(pose, reid)(images)
    assert found[0].shape == (3, 16)
    assert (found[0] - before[0]).abs().max() > 0.01
    for one, other in zip(found[1:], before[1:], strict=True):
        assert torch.equal(one, other)


def test_a_network_without_a_neck_is_refused(veri):
    with pytest.raises(InputError, match="no layer to replace"):
        discriminate(ReidNet(TINY[1]), PoseNet(SMALLEST[0]), read_data(veri), FEW)
