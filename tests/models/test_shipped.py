# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that come with the package take half the room and lose nothing that matters."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from pamtri_edge.bundle import SHIPPED_BUNDLE, open_bundle
from pamtri_edge.errors import CheckpointError
from pamtri_edge.models import TINY, PoseNet, ReidNet, load_pose
from pamtri_edge.models.checkpoints import checkpoint_metadata
from pamtri_edge.models.shipped import save_half, shipped_weights, without_identities


def test_half_weights_take_half_the_room_and_load_as_float32(tmp_path: Path) -> None:
    network = PoseNet(TINY[0])
    path = save_half(network, tmp_path / "pose.safetensors", metadata={"trained": "true"})
    matrices = sum(tensor.numel() for tensor in network.parameters() if tensor.dim() > 1)
    assert path.stat().st_size < 2 * matrices + 40_000  # names and vectors beside the matrices
    loaded = load_pose(path)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=2**-11, atol=1e-7)
    assert all(parameter.dtype is torch.float32 for parameter in loaded.parameters())
    assert checkpoint_metadata(path) == {"trained": "true"}


def test_statistics_keep_their_range(tmp_path: Path) -> None:
    network = PoseNet(TINY[0])
    network.bn1.running_var.fill_(1e6)  # float16 ends at 65504
    assert load_pose(save_half(network, tmp_path / "pose.safetensors")).bn1.running_var[0] == 1e6


def test_a_weight_beyond_float16_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    network = PoseNet(TINY[0])
    with torch.no_grad():
        network.conv1.weight[0, 0, 0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"conv1.weight holds 1e\+05, more than float16 can"):
        save_half(network, tmp_path / "pose.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_size_without_trained_weights_has_none() -> None:
    assert shipped_weights("no such size") is None


def test_the_shipped_bundle_is_made_of_the_shipped_weights() -> None:
    files = shipped_weights("lite")
    assert files is not None
    manifest = open_bundle(SHIPPED_BUNDLE).manifest
    for kind, file in zip(("pose", "reid"), files, strict=True):
        assert manifest.provenance[kind]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert manifest.provenance[kind]["notes"]["trained"] == "true"
    assert manifest.matching is not None, "a bundle that ships suggests a threshold"


def test_without_the_training_sets_vehicles_all_else_stays_the_same() -> None:
    full = ReidNet(TINY[1]).eval()
    slim = without_identities(full)
    stack, vector = torch.randn(2, full.spec.channels, 64, 64), torch.randn(2, 108)
    with torch.no_grad():
        before, after = full(stack, vector), slim(stack, vector)
    assert after[0].shape == (2, 1)
    for one, other in zip(before[1:], after[1:], strict=True):
        assert torch.equal(one, other)
