# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""First weights: drawn the same for the same seed, or taken from a file as far as it fits."""

from dataclasses import replace

import pytest
import torch

from pamtri_edge.errors import CheckpointError
from pamtri_edge.models import TINY, DenseSpec, PoseNet, ReidNet, save_checkpoint
from pamtri_edge.train.weights import begin
from tiny_networks import SMALLEST


def reid(**changes):
    return ReidNet(replace(TINY[1], **changes))


def test_the_same_seed_draws_the_same_weights_and_leaves_the_generator_of_others_alone():
    first, again, other = (reid() for _ in range(3))
    generator = torch.get_rng_state()
    origin = begin(first, seed=1)
    assert torch.equal(torch.get_rng_state(), generator)
    begin(again, seed=1)
    begin(other, seed=2)
    assert (origin.file, origin.taken) == (None, 0)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert not torch.equal(first.fc_vid.weight, other.fc_vid.weight)


def test_what_fits_is_taken_and_the_rest_is_told(tmp_path):
    source = reid(heatmaps=False, keypoints=False, vehicles=5)
    begin(source, seed=3)
    file = save_checkpoint(source, tmp_path / "source.safetensors")
    network = reid(heatmaps=True, keypoints=False, vehicles=9)
    origin = begin(network, seed=0, file=file)
    state, first = network.state_dict(), source.state_dict()
    assert origin.file == "source.safetensors"
    inner = "base.denseblock1.denselayer1.conv1.weight"
    assert torch.equal(state[inner], first[inner])
    assert torch.equal(state["base.conv0.weight"][:, :3], first["base.conv0.weight"])
    assert state["base.conv0.weight"][:, 3:].abs().sum() > 0
    assert set(origin.drawn) == {"classifier_vid.weight", "classifier_vid.bias"}
    assert set(origin.left) == {"classifier_vid.weight", "classifier_vid.bias"}


def test_a_densenet_by_torchvision_s_names_begins_the_backbone(tmp_path):
    source, network = reid(heatmaps=False), reid(heatmaps=False)
    begin(source, seed=3)
    state = {f"features.{name}": tensor for name, tensor in source.base.state_dict().items()}
    state["classifier.weight"] = torch.zeros(1000, 20)
    torch.save(state, tmp_path / "densenet.pth")
    origin = begin(network, seed=0, file=tmp_path / "densenet.pth")
    assert torch.equal(network.stem[0].weight, source.stem[0].weight)
    assert all(not name.startswith("base.") for name in origin.drawn)
    assert origin.left == ("classifier.weight",)


def test_an_image_classifier_of_the_same_hrnet_begins_the_pose_network(tmp_path):
    source, network = PoseNet(SMALLEST[0]), PoseNet(SMALLEST[0])
    begin(source, seed=3)
    state = {name: tensor for name, tensor in source.state_dict().items() if "final_layer" not in name}
    state["incre_modules.0.0.conv1.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "hrnet.pth")
    origin = begin(network, seed=0, file=tmp_path / "hrnet.pth")
    assert torch.equal(network.conv1.weight, source.conv1.weight)
    assert set(origin.drawn) == {"final_layer.weight", "final_layer.bias"}


def test_weights_of_another_network_are_refused(tmp_path):
    file = save_checkpoint(PoseNet(SMALLEST[0]), tmp_path / "pose.safetensors")
    with pytest.raises(CheckpointError, match=r"gives only 0 of the \d+ tensors"):
        begin(ReidNet(TINY[1]), seed=0, file=file)
    wide = save_checkpoint(
        reid(backbone=DenseSpec(stem=16, growth=8, blocks=(1, 1, 1, 1))), tmp_path / "wide.safetensors"
    )
    with pytest.raises(CheckpointError, match=r"has shape \(16, 39, 7, 7\) there and \(8, 39, 7, 7\) here"):
        begin(ReidNet(TINY[1]), seed=0, file=wide)
    with pytest.raises(CheckpointError, match="there is no file of weights"):
        begin(ReidNet(TINY[1]), seed=0, file=tmp_path / "absent.pth")
