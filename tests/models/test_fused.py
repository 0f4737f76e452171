# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fused module equals its parts composed by hand, in every variant and in both geometries."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import Pamtri, PoseNet, ReidNet
from pamtri_edge.models.original import coarse_segments

Tiny = Callable[[str], tuple[PoseNet, ReidNet]]

VARIANTS = ["RGB", "MT", "K", "H", "S", "K+MT", "H+S", "K+H+MT", "K+H+S+MT"]
"""Each input alone, with another, and all of them; with and without the heads."""


def _outputs(module: Pamtri, *inputs: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return dict(zip(module.output_names, module(*inputs), strict=True))


def _assert_close(found: Tensor, expected: Tensor, tolerance: float = 5e-5) -> None:
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= tolerance * expected.abs().max().clamp_min(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [*VARIANTS, "S+P", "K+H+S+MT+L+P+M"])
def test_the_fused_module_equals_the_networks_with_ops_between_them(
    variant: str, tiny: Tiny, batch: Any
) -> None:
    pose, reid = tiny(variant)
    module = Pamtri(pose, reid)
    found = _outputs(module, batch.images)
    with torch.no_grad():
        heatmaps = module.pose_stage()(batch.images)
        keypoints = ops.decode(heatmaps.numpy())
        stack = ops.stack(
            batch.images.numpy(),
            heatmaps.numpy() if reid.spec.heatmaps else None,
            ops.segments(keypoints) if reid.spec.segments else None,
        )
        vector = (
            torch.from_numpy(keypoints.reshape(3, 108) - np.float32(0.5)) if reid.spec.keypoints else None
        )
        expected = module.reid_stage()(torch.from_numpy(stack), vector)
    for name, tensor in zip(module.reid_stage().output_names, expected, strict=True):
        _assert_close(found[name], tensor)
    np.testing.assert_array_equal(found["keypoints"].numpy(), keypoints)
    np.testing.assert_allclose(
        found["quality"].numpy()[:, 0], np.clip(keypoints[..., 2], 0, 1).mean(axis=1), rtol=1e-6
    )


@pytest.mark.parametrize("geometry", list(Geometry))
@pytest.mark.parametrize("variant", ["H", "S", "K+H+S+MT", "MT", "S+P", "H+S+L+P+M"])
def test_the_rewritten_first_convolution_changes_no_output(
    variant: str, geometry: Geometry, tiny: Tiny, batch: Any
) -> None:
    module = Pamtri(*tiny(variant), geometry=geometry)
    plain = Pamtri(*tiny(variant), geometry=geometry, optimize=False)
    inputs = (batch.images, batch.windows, batch.sizes)[: len(module.input_names)]
    assert plain.reid.stem is None
    found, expected = _outputs(module, *inputs), _outputs(plain, *inputs)
    assert list(found) == list(expected)
    for name in found:
        assert (found[name] - expected[name]).abs().max() < 1e-4


@pytest.mark.parametrize("geometry", list(Geometry))
@pytest.mark.parametrize("variant", ["RGB", "K+MT", "K+H+S+MT"])
def test_outputs_have_their_names_shapes_and_types(
    variant: str, geometry: Geometry, tiny: Tiny, batch: Any
) -> None:
    pose, reid = tiny(variant)
    module = Pamtri(pose, reid, geometry=geometry)
    inputs = (batch.images, batch.windows, batch.sizes)[: len(module.input_names)]
    found = _outputs(module, *inputs)
    expected = {"embedding": (3, reid.spec.embedding)}
    if reid.spec.multitask:
        expected |= {"color": (3, 10), "type": (3, 9)}
    expected |= {"keypoints": (3, 36, 3), "quality": (3, 1)}
    assert list(found) == list(expected)
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == expected
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    assert torch.allclose(found["embedding"].norm(dim=1), torch.ones(3))
    for name in {"color", "type"} & set(found):
        assert torch.allclose(found[name].sum(dim=1), torch.ones(3))


def test_without_a_pose_network_there_are_neither_keypoints_nor_quality(tiny: Tiny, batch: Any) -> None:
    _, reid = tiny("MT")
    for geometry in Geometry:
        module = Pamtri(None, reid, geometry=geometry)
        assert module.input_names == ("images",)
        assert list(_outputs(module, batch.images)) == ["embedding", "color", "type"]
        with pytest.raises(InputError, match="no pose network"):
            module.pose_stage()


@pytest.mark.parametrize("variant", ["K", "H", "S", "K+H+S+MT"])
def test_a_network_that_takes_pose_needs_a_pose_network(variant: str, tiny: Tiny) -> None:
    with pytest.raises(InputError, match="come from a pose network"):
        Pamtri(None, tiny(variant)[1])


def test_the_raw_feature_is_the_networks_own_and_points_the_same_way(tiny: Tiny, batch: Any) -> None:
    pose, reid = tiny("K+MT")
    raw = _outputs(Pamtri(pose, reid, raw_feature=True), batch.images)["embedding"]
    unit = _outputs(Pamtri(pose, reid), batch.images)["embedding"]
    assert not torch.allclose(raw.norm(dim=1), torch.ones(3), atol=0.1)
    _assert_close(functional.normalize(raw), unit)


def test_half_of_a_whitened_embedding_is_the_pooled_feature(tiny: Tiny, batch: Any) -> None:
    pose, reid = tiny("K+H+MT")
    twin = ReidNet(replace(reid.spec, whitened=True))
    missing = twin.load_state_dict(reid.state_dict(), strict=False).missing_keys
    assert missing == ["whitening.linear.weight", "whitening.linear.bias"]
    plain, whitened = (_outputs(Pamtri(pose, network), batch.images) for network in (reid, twin))
    first, second = whitened["embedding"].split([reid.spec.learned, reid.spec.pooled], dim=1)
    _assert_close(first * 2**0.5, plain["embedding"])
    assert torch.allclose(second.norm(dim=1), torch.full((3,), 0.5**0.5))
    assert (second[0] - second[1]).abs().max() > 1e-3
    for name in ("color", "type", "keypoints", "quality"):
        _assert_close(whitened[name], plain[name])


def test_whitening_stays_in_float32_in_half_networks(tiny: Tiny, batch: Any) -> None:
    pose, reid = (deepcopy(network) for network in tiny("MT"))
    twin = ReidNet(replace(reid.spec, whitened=True))
    twin.load_state_dict(reid.state_dict(), strict=False)
    images = batch.images[:1]
    whole = _outputs(Pamtri(pose, twin), images)["embedding"]
    module = Pamtri(pose, twin).half_networks()
    assert twin.whitening is not None
    assert {parameter.dtype for parameter in twin.whitening.parameters()} == {torch.float32}
    cosine = (whole * _outputs(module, images)["embedding"]).sum()
    assert cosine > 0.9999


def test_a_feature_of_zeros_stays_finite(tiny: Tiny, batch: Any) -> None:
    pose, reid = (deepcopy(network) for network in tiny("MT"))
    with torch.no_grad():
        for parameter in reid.fc_vid.parameters():
            parameter.zero_()
    assert torch.equal(_outputs(Pamtri(pose, reid), batch.images)["embedding"], torch.zeros(3, 32))


def test_the_flip_test_averages_with_the_mirrored_pictures_maps(tiny: Tiny, batch: Any) -> None:
    pose, reid = tiny("H")
    plain, tested = Pamtri(pose, reid).pose_stage(), Pamtri(pose, reid, flip_test=True).pose_stage()
    with torch.no_grad():
        back = plain(batch.images.flip(3)).flip(3)
        back = torch.cat([back[:, 18:], back[:, :18]], dim=1)
        back[..., 1:] = back[..., :-1].clone()
        expected = (plain(batch.images) + back) / 2
        _assert_close(tested(batch.images), expected)
        assert (tested(batch.images) - plain(batch.images)).abs().max() > 0.01


@pytest.mark.parametrize("flip_test", [False, True])
def test_the_original_geometry_shows_pose_the_window_and_lays_its_maps_over_the_crop(
    flip_test: bool, tiny: Tiny, batch: Any
) -> None:
    pose, reid = tiny("K+H+S+MT")
    module = Pamtri(pose, reid, geometry=Geometry.ORIGINAL, flip_test=flip_test)
    assert module.input_names == ("images", "pose_images", "crop_size")
    found = _outputs(module, batch.images, batch.windows, batch.sizes)
    with torch.no_grad():
        heatmaps = module.pose_stage()(batch.windows)
        cells = ops.decode(heatmaps.numpy(), geometry=Geometry.ORIGINAL)
        size = batch.sizes.numpy()[:, None]
        keypoints = cells.copy()
        keypoints[..., :2] = (cells[..., :2] - 32) * 1.25 * size.max(axis=2, keepdims=True) / 64 / size + 0.5
        drawn = functional.interpolate(
            coarse_segments(torch.from_numpy(keypoints), batch.sizes), size=(256, 256), mode="bilinear"
        )
        stack = ops.stack(batch.images.numpy(), heatmaps.numpy(), drawn.numpy())
        vector = torch.from_numpy(keypoints.reshape(3, 108) - np.float32(0.5))
        expected = module.reid_stage()(torch.from_numpy(stack), vector)
    np.testing.assert_allclose(found["keypoints"].numpy(), keypoints, atol=1e-6)
    for name, tensor in zip(module.reid_stage().output_names, expected, strict=True):
        _assert_close(found[name], tensor)


def test_the_original_geometry_says_what_it_lacks(tiny: Tiny, batch: Any) -> None:
    module = Pamtri(*tiny("K"), geometry=Geometry.ORIGINAL)
    with pytest.raises(ValueError, match="needs pose_images"):
        module(batch.images)
    with pytest.raises(ValueError, match="needs crop_size"):
        module(batch.images, batch.windows)


@pytest.mark.slow
def test_half_networks_compute_in_half_and_everything_around_them_in_float(tiny: Tiny, batch: Any) -> None:
    networks, images = tiny("K+H+S+MT"), batch.images[:1]
    exact, half = Pamtri(*networks), Pamtri(*deepcopy(networks)).half_networks()
    assert {parameter.dtype for parameter in half.parameters()} == {torch.float16}
    expected, found = _outputs(exact, images), _outputs(half, images)
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}
    assert all(torch.isfinite(tensor).all() for tensor in found.values())
    assert not torch.equal(found["embedding"], expected["embedding"])
    with torch.no_grad():
        _assert_close(half.pose_stage()(images), exact.pose_stage()(images), 0.01)
        stack = torch.randn(1, 52, 256, 256, generator=torch.Generator().manual_seed(0))
        vector = torch.zeros(1, 108)
        for one, other in zip(
            half.reid_stage()(stack, vector), exact.reid_stage()(stack, vector), strict=True
        ):
            _assert_close(one, other, 0.01)


def test_the_networks_own_results_are_the_originals(tiny: Tiny) -> None:
    stack = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    identity, color, kind, feature = tiny("MT")[1](stack)
    assert [tuple(t.shape) for t in (identity, color, kind, feature)] == [(2, 7), (2, 10), (2, 9), (2, 32)]
    identity, feature = tiny("RGB")[1](stack)
    assert (feature < 0).any(), "a ReLU stands behind the last normalization; the original has none"
    with pytest.raises(ValueError, match="pass keypoint_vector"):
        tiny("K")[1](stack)
