# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of several trainings, and which cannot be averaged."""

from dataclasses import replace

import pytest
import torch

from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.models import ReidNet, save_checkpoint
from pamtri_edge.models.sizes import SIZES
from pamtri_edge.train.average import averaged
from pamtri_edge.train.weights import draw

SPEC = replace(SIZES["lite"][1], vehicles=5)


@pytest.fixture
def weights(tmp_path):
    def written(seed, spec=SPEC):
        network = ReidNet(spec)
        draw(network, seed=seed)
        path = tmp_path / f"{seed}-{spec.vehicles}-{spec.segments}.safetensors"
        save_checkpoint(network, path, metadata={"trained": "true"})
        return path, network.state_dict()

    return written


def test_every_weight_is_the_mean_of_the_files(weights):
    (one, first), (other, second) = weights(1), weights(2)
    mean = averaged([one, other]).state_dict()
    for name in ("base.conv0.weight", "base.norm0.running_mean"):
        torch.testing.assert_close(mean[name], (first[name] + second[name]) / 2)
    assert not torch.equal(mean["base.conv0.weight"], first["base.conv0.weight"])


def test_one_file_is_its_own_mean_without_the_vehicles_of_its_training(weights):
    path, state = weights(1)
    network = averaged([path])
    assert torch.equal(network.state_dict()["base.conv0.weight"], state["base.conv0.weight"])
    assert network.spec.vehicles < SPEC.vehicles


def test_trainings_on_different_vehicles_can_be_averaged(weights):
    (one, _), (other, _) = weights(1), weights(2, replace(SPEC, vehicles=9))
    assert averaged([one, other]).spec == averaged([one]).spec


def test_networks_that_differ_are_refused(weights):
    (one, _), (other, _) = weights(1), weights(2, replace(SPEC, segments=True))
    with pytest.raises(InputError, match="only like can be averaged"):
        averaged([one, other])


def test_nothing_is_no_mean(tmp_path):
    with pytest.raises(InputError, match="at least one file"):
        averaged([])
    with pytest.raises(CheckpointError):
        averaged([tmp_path / "absent.safetensors"])
