# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The paper's networks have the parameters, the names and the shapes of the original's checkpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from pamtri_edge.models import DENSENET201, SIZES, TINY, DenseSpec, PoseNet, PoseSpec, ReidNet, ReidSpec
from pamtri_edge.models.checkpoints import parameter_count
from pamtri_edge.models.sizes import PAPER, TINY_LITE, backbone_name, with_lite

POSE_ENTRIES = {
    "conv1": 1, "bn1": 5, "conv2": 1, "bn2": 5, "layer1": 78, "transition1": 12, "stage2": 108,
    "transition2": 6, "stage3": 744, "transition3": 6, "stage4": 786, "final_layer": 2,
}  # fmt: skip

POSE_SHAPES = {
    "conv1.weight": (64, 3, 3, 3),
    "layer1.0.downsample.0.weight": (256, 64, 1, 1),
    "layer1.3.conv3.weight": (256, 64, 1, 1),
    "transition1.0.0.weight": (32, 256, 3, 3),
    "transition1.1.0.0.weight": (64, 256, 3, 3),
    "transition2.2.0.0.weight": (128, 64, 3, 3),
    "transition3.3.0.0.weight": (256, 128, 3, 3),
    "stage2.0.branches.1.3.bn2.running_var": (64,),
    "stage3.0.fuse_layers.2.0.0.0.weight": (32, 32, 3, 3),
    "stage3.0.fuse_layers.2.0.1.0.weight": (128, 32, 3, 3),
    "stage3.3.fuse_layers.0.2.0.weight": (32, 128, 1, 1),
    "stage4.2.fuse_layers.0.3.0.weight": (32, 256, 1, 1),
    "final_layer.weight": (36, 32, 1, 1),
    "final_layer.bias": (36,),
}

REID_SHAPES = {
    "base.conv0.weight": (64, 52, 7, 7),
    "base.norm0.running_mean": (64,),
    "base.denseblock1.denselayer1.norm1.weight": (64,),
    "base.denseblock1.denselayer1.conv1.weight": (128, 64, 1, 1),
    "base.denseblock4.denselayer16.conv2.weight": (32, 128, 3, 3),
    "base.transition3.conv.weight": (512, 1024, 1, 1),
    "base.norm5.weight": (1024,),
    "fc_vid.weight": (1024, 1132),
    "fc_vcolor.weight": (512, 1132),
    "fc_vtype.bias": (512,),
    "classifier_vid.weight": (576, 1024),
    "classifier_vcolor.weight": (10, 512),
    "classifier_vtype.weight": (9, 512),
}


def _pose(spec: PoseSpec | None = None) -> PoseNet:
    with torch.device("meta"):
        return PoseNet(spec)


def _reid(spec: ReidSpec) -> ReidNet:
    with torch.device("meta"):
        return ReidNet(spec)


def test_the_pose_network_of_the_paper_has_its_parameters_and_entries() -> None:
    network = _pose()
    state = network.state_dict()
    assert parameter_count(network) == 28_536_740
    assert sum(tensor.numel() for tensor in state.values()) == 28_591_368
    assert Counter(name.split(".")[0] for name in state) == POSE_ENTRIES
    assert sum(name.endswith("num_batches_tracked") for name in state) == 292


def test_the_pose_networks_names_have_the_original_shapes() -> None:
    state = _pose().state_dict()
    assert {name: tuple(state[name].shape) for name in POSE_SHAPES} == POSE_SHAPES


def test_the_last_exchange_of_the_pose_network_reaches_the_finest_branch_only() -> None:
    state = _pose().state_dict()
    assert any(name.startswith("stage4.1.fuse_layers.3.") for name in state)
    assert not any(
        name.startswith(f"stage4.2.fuse_layers.{branch}.") for name in state for branch in (1, 2, 3)
    )


@pytest.mark.parametrize(
    ("keypoints", "heatmaps", "segments", "multitask", "parameters", "entries"),
    [
        (False, False, False, True, 9_653_203, 737),
        (True, False, False, True, 9_874_387, 737),
        (True, False, True, True, 9_915_155, 737),
        (True, True, False, True, 9_987_283, 737),
        (True, True, True, True, 10_028_051, 737),
        (False, True, False, False, 7_657_152, 727),
        (False, False, True, False, 7_585_024, 727),
        (True, False, False, False, 8_704_448, 729),
    ],
)
def test_a_re_identification_network_of_the_paper_has_its_parameters_and_entries(
    keypoints: bool, heatmaps: bool, segments: bool, multitask: bool, parameters: int, entries: int
) -> None:
    network = _reid(
        ReidSpec(keypoints=keypoints, heatmaps=heatmaps, segments=segments, multitask=multitask, vehicles=576)
    )
    assert parameter_count(network) == parameters
    assert len(network.state_dict()) == entries
    assert sum(name.startswith("base.") for name in network.state_dict()) == 725


def test_the_re_identification_networks_names_have_the_original_shapes() -> None:
    state = _reid(ReidSpec(segments=True)).state_dict()
    assert {name: tuple(state[name].shape) for name in REID_SHAPES} == REID_SHAPES


def test_keypoints_alone_go_through_one_layer_named_fc() -> None:
    state = _reid(ReidSpec(multitask=False, heatmaps=False)).state_dict()
    assert tuple(state["fc.weight"].shape) == (1024, 1132)
    assert "fc_vid.weight" not in state


def test_densenet201_without_heads_gives_1920_values() -> None:
    spec = ReidSpec(backbone=DenseSpec(blocks=DENSENET201), keypoints=False, multitask=False)
    assert spec.embedding == 1920
    assert _reid(spec).state_dict()["base.norm5.weight"].shape == (1920,)


def test_lite_is_far_smaller_and_looks_at_smaller_pictures() -> None:
    pose, reid = _pose(SIZES["lite"][0]), _reid(SIZES["lite"][1])
    assert parameter_count(pose) < 28_536_740 / 10
    assert parameter_count(reid) < 9_987_283 / 2
    assert (reid.spec.side, reid.spec.embedding) == (160, 512)
    assert {name.split(".")[0] for name in pose.state_dict()} == {
        name.split(".")[0] for name in _pose(TINY[0]).state_dict()
    }


def test_a_spec_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="need 3 entries each"):
        PoseSpec(modules=(1, 4))


def test_backbones_have_names_for_people():
    spec = PAPER[1]
    assert backbone_name(spec) == "densenet121"
    assert backbone_name(replace(spec, backbone=DenseSpec(blocks=DENSENET201))) == "densenet201"
    assert backbone_name(with_lite(spec, "efficientnet-lite2")) == "efficientnet-lite2"
    assert backbone_name(TINY_LITE) == "efficientnet-lite of 6 blocks"
