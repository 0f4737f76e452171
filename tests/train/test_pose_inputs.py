# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Targets, decoding and the stack in training are those of the fused graph in use."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pamtri_edge.models import TINY, operators
from pamtri_edge.train.pose import heatmap_loss, target_weights
from pamtri_edge.train.pose_inputs import (
    TruthNoise,
    decoded,
    drawn_heatmaps,
    gaussians,
    noisy_truth,
    reid_inputs,
    segment_channels,
)
from pamtri_edge.vehicle import KEYPOINT_FLIP


@pytest.fixture
def keypoints():
    generator = torch.Generator().manual_seed(4)
    points = torch.rand(3, 36, 3, generator=generator)
    points[..., :2] = 0.1 + 0.8 * points[..., :2]
    points[..., 2] = 1.0
    return points


def test_a_target_lies_where_decode_will_look_for_it():
    center = torch.tensor([[[(20 + 0.5) / 64, (41 + 0.5) / 64]]])
    (target,) = gaussians(center, 64)[0]
    assert divmod(int(target.argmax()), 64) == (41, 20)
    assert target.max().item() == pytest.approx(1.0)
    assert target[41, 22].item() == pytest.approx(np.exp(-0.5)), "two cells away: one deviation"


@pytest.mark.parametrize(("size", "least"), [(32, np.exp(-0.25)), (64, np.exp(-0.0625))])
def test_targets_decode_to_the_keypoints_they_were_drawn_for(keypoints, size, least):
    found = decoded(gaussians(keypoints, size))
    assert (found[..., :2] - keypoints[..., :2]).abs().max().item() <= 0.3 / size
    assert found[..., 2].min().item() >= least - 1e-6, "half a cell off on both axes, at worst"


def test_decoding_agrees_with_the_fused_graph():
    heatmaps = torch.randn(2, 36, 64, 64, generator=torch.Generator().manual_seed(1)) - 1.0
    heatmaps[0, :3] = -1.0
    expected = operators.crop_keypoints(*operators.peaks(heatmaps))
    torch.testing.assert_close(decoded(heatmaps), expected)


def test_segments_agree_with_the_fused_graph(keypoints):
    torch.testing.assert_close(segment_channels(keypoints, 256), operators.stack_segments(keypoints))
    small = segment_channels(keypoints, 128)
    shrunk = functional.avg_pool2d(operators.stack_segments(keypoints), 2)
    assert (small - shrunk).abs().mean() < 0.1 * shrunk.abs().mean()


def test_the_stack_is_that_of_the_fused_graph(keypoints):
    images = torch.rand(3, 3, 256, 256)
    heatmaps = drawn_heatmaps(keypoints, 64)
    spec = TINY[1].__class__(segments=True)
    stack, vector = reid_inputs(spec, images, heatmaps, keypoints)
    parts = [
        images,
        operators.enlarge(operators.coarse_heatmaps(heatmaps)),
        operators.stack_segments(keypoints),
    ]
    torch.testing.assert_close(stack, torch.cat(parts, dim=1))
    torch.testing.assert_close(vector, operators.keypoint_vector(keypoints))


def test_hidden_and_far_keypoints_count_nothing_unless_asked_for(keypoints):
    keypoints[:, 0, 2] = 0.0
    keypoints[:, 1, :2] = 1.4
    weights = target_weights(keypoints)
    assert weights[:, :2].sum() == 0
    assert weights[:, 2:].min() == 1
    assert target_weights(keypoints, hidden=0.3)[:, 0].tolist() == pytest.approx([0.3] * 3)


def test_the_loss_is_half_the_weighted_squared_error(keypoints):
    keypoints[0, :9, 2] = 0.0
    predicted = torch.rand(3, 36, 64, 64)
    error = (predicted - gaussians(keypoints, 64)).square().mean(dim=(2, 3))
    visible = keypoints[..., 2] > 0
    expected = 0.5 * (error * visible).sum() / visible.numel()
    assert heatmap_loss(predicted, keypoints).item() == pytest.approx(expected.item(), rel=1e-5)
    assert heatmap_loss(predicted, keypoints, foreground=4.0) > heatmap_loss(predicted, keypoints)


def test_hidden_keypoints_learn_an_empty_heatmap():
    keypoints = torch.full((1, 36, 3), 0.5)
    keypoints[..., 2] = 0.0
    empty, peaked = torch.zeros(1, 36, 32, 32), gaussians(keypoints, 32)
    assert heatmap_loss(empty, keypoints, hidden=0.5).item() == 0.0
    assert heatmap_loss(peaked, keypoints, hidden=0.5).item() > 0.0
    assert heatmap_loss(peaked, keypoints).item() == 0.0


def test_noise_on_the_truth_repeats_itself_and_has_the_size_it_says():
    truth = torch.full((400, 36, 3), 0.5)
    truth[:, 18:, 2] = 0.0
    noise = TruthNoise(stray=0.0, missed=0.0, mirrored=0.0)
    first = noisy_truth(truth, noise, np.random.default_rng(8))
    torch.testing.assert_close(first, noisy_truth(truth, noise, np.random.default_rng(8)))
    assert (first[..., :2] - 0.5).std().item() == pytest.approx(noise.jitter, rel=0.05)
    assert first[:, :18, 2].mean().item() == pytest.approx(noise.seen, abs=0.02)
    assert first[:, 18:, 2].mean().item() == pytest.approx(noise.unseen, abs=0.02)
    assert first[..., 2].min() > 0
    assert first[..., 2].max() <= 1


def test_a_confused_vehicle_has_left_and_right_exchanged(keypoints):
    noise = TruthNoise(jitter=0.0, stray=0.0, missed=0.0, spread=0.0, mirrored=1.0, seen=1.0)
    turned = noisy_truth(keypoints, noise, np.random.default_rng(0))
    torch.testing.assert_close(turned, keypoints[:, list(KEYPOINT_FLIP)])
