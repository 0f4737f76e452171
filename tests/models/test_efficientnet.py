# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite is built as published, and takes PAMTRI's inputs and heads in every combination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from pamtri_edge.errors import CheckpointError
from pamtri_edge.models import LITES, TINY_LITE, Pamtri, PoseNet, ReidNet, ReidSpec, with_lite
from pamtri_edge.models.checkpoints import load_reid, parameter_count, save_checkpoint
from pamtri_edge.models.efficientnet import EfficientNetLite, SameConvolution
from pamtri_edge.models.operators import enlarge, normalize_extra, resized
from pamtri_edge.models.shapes import reid_spec
from pamtri_edge.models.stem import FusedStem, rewritable

Tiny = Callable[[str], tuple[PoseNet, ReidNet]]

VARIANTS = ["L", "L+K", "L+S", "L+H+MT", "L+K+H+S+MT"]

SHAPES = {
    "efficientnet-lite0": {
        "_conv_stem.weight": (32, 3, 3, 3),
        "_blocks.0._depthwise_conv.weight": (32, 1, 3, 3),
        "_blocks.3._depthwise_conv.weight": (144, 1, 5, 5),
        "_blocks.11._expand_conv.weight": (672, 112, 1, 1),
        "_blocks.15._project_conv.weight": (320, 1152, 1, 1),
        "_conv_head.weight": (1280, 320, 1, 1),
        "_bn1.running_var": (1280,),
    },
    "efficientnet-lite2": {
        "_conv_stem.weight": (32, 3, 3, 3),
        "_blocks.5._depthwise_conv.weight": (288, 1, 5, 5),
        "_blocks.8._expand_conv.weight": (528, 88, 1, 1),
        "_blocks.20._project_conv.weight": (352, 1248, 1, 1),
        "_conv_head.weight": (1280, 352, 1, 1),
        "_bn1.running_var": (1280,),
    },
}


@pytest.mark.parametrize(
    ("name", "parameters"), [("efficientnet-lite0", 3_371_008), ("efficientnet-lite2", 4_811_072)]
)
def test_the_published_backbones_have_their_parameters_and_names(name: str, parameters: int) -> None:
    with torch.device("meta"):
        network = EfficientNetLite(LITES[name])
    state = network.state_dict()
    assert parameter_count(network) == parameters
    assert {key: tuple(state[key].shape) for key in SHAPES[name]} == SHAPES[name]


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 1), (3, 2), (5, 2)])
def test_a_convolution_pads_as_tensorflow_does(kernel: int, stride: int) -> None:
    convolution = SameConvolution(2, 3, kernel, stride=stride)
    x = torch.randn(1, 2, 16, 16)
    missing = (16 // stride - 1) * stride + kernel - 16
    around = (missing // 2, missing - missing // 2) * 2
    expected = functional.conv2d(functional.pad(x, around), convolution.weight, stride=stride)
    assert convolution(x).shape == (1, 3, 16 // stride, 16 // stride)
    assert torch.allclose(convolution(x), expected, atol=1e-6)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_combination_is_read_from_its_weights_and_gives_its_outputs(
    variant: str, tiny: Tiny, batch: Any, tmp_path: Any
) -> None:
    pose, reid = tiny(variant)
    loaded = load_reid(save_checkpoint(reid, tmp_path / "reid.safetensors"))
    assert loaded.spec == _as_told(reid.spec)
    module, plain = Pamtri(pose, loaded), Pamtri(pose, reid, optimize=False)
    with torch.no_grad():
        found, expected = module(batch.images), plain(batch.images)
    assert module.output_names[0] == "embedding"
    assert found[0].shape == (3, reid.spec.feature)
    assert torch.allclose(found[0].norm(dim=1), torch.ones(3))
    assert (found[0][0] - found[0][1]).abs().max() > 1e-3
    for one, other in zip(found, expected, strict=True):
        assert (one - other).abs().max() < 1e-4
    assert (module.reid.stem is not None) == (reid.spec.heatmaps or reid.spec.segments)


@pytest.mark.parametrize("side", [160, 192])
def test_at_a_side_that_no_rewrite_fits_the_stack_is_built(
    side: int, tiny: Tiny, batch: Any, spec_of: Callable[[str], ReidSpec]
) -> None:
    pose, _ = tiny("L")
    reid = ReidNet(replace(spec_of("L+H"), side=side)).eval()
    assert not rewritable(reid.stem[0], side / 64)
    seen: list[tuple[int, ...]] = []
    reid.stem[0].register_forward_pre_hook(lambda _module, inputs: seen.append(tuple(inputs[0].shape)))
    with torch.no_grad():
        Pamtri(pose, reid)(batch.images)
    assert seen == [(3, 39, side, side)]


@pytest.mark.parametrize("side", [128, 256])
def test_the_stem_of_parts_equals_the_convolution_of_the_resized_stack(side: int) -> None:
    drawn = torch.Generator().manual_seed(0)
    convolution = SameConvolution(3 + 4 + 2, 6, 3, stride=2)
    norm = nn.BatchNorm2d(6).eval()
    rgb = torch.randn(2, 3, 256, 256, generator=drawn)
    coarse = torch.rand(2, 4, 64, 64, generator=drawn)
    fine = torch.rand(2, 2, 256, 256, generator=drawn).round()
    stack = torch.cat([rgb, normalize_extra(enlarge(coarse)), normalize_extra(fine)], dim=1)
    with torch.no_grad():
        expected = norm(convolution(resized(stack, side)))
        stem = FusedStem(convolution, norm, coarse=4, fine=2, factor=side // 64)
        found = stem(resized(rgb, side), coarse, resized(fine, side))
    assert found.shape == (2, 6, side // 2, side // 2)
    assert torch.allclose(found, expected, atol=1e-5 * expected.abs().max().item())


def test_with_a_published_backbone_the_embedding_has_at_most_512_numbers() -> None:
    spec = with_lite(ReidSpec(), "efficientnet-lite0")
    assert (spec.embedding, spec.side) == (512, 128)
    with torch.device("meta"):
        assert parameter_count(ReidNet(spec)) < 5_000_000


def test_the_side_that_a_network_looks_at_stays_with_its_weights() -> None:
    for side in (128, 160, 256):
        state = ReidNet(replace(TINY_LITE, side=side)).state_dict()
        assert ("side" in state) == (side != 256)
        assert reid_spec(state).side == side
    for wrong in (100.0, 0.0, 512.0):
        with pytest.raises(CheckpointError, match="multiple of 32, from 64 to 256 pixels"):
            reid_spec({**state, "side": torch.tensor(wrong)})


def _as_told(spec: ReidSpec) -> ReidSpec:
    """Return a spec with what is written nowhere as it is in the paper."""
    return spec if spec.multitask else replace(spec, attribute=512)
