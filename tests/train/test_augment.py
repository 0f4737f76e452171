# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation moves pictures and keypoints together, swaps left and right, and repeats itself exactly."""

import cv2
import numpy as np
import pytest

from pamtri_edge import ops, samples
from pamtri_edge.train.augment import AugmentSpec, augment
from pamtri_edge.train.photometry import Degradation, Light
from pamtri_edge.train.recipes import REID
from pamtri_edge.vehicle import KEYPOINT_FLIP, NUM_KEYPOINTS

SIZE = 96
PLAIN = AugmentSpec(flip=0.0)


def dotted(point):
    """Return a black picture with one white dot at a point in crop units."""
    picture = np.zeros((120, 160, 3), np.uint8)
    cv2.circle(picture, (round(point[0] * 160 - 0.5), round(point[1] * 120 - 0.5)), 3, (255, 255, 255), -1)
    return picture


def dot_of(picture):
    weights = picture[..., 0].astype(float)
    y, x = np.indices(weights.shape) + 0.5
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum() / len(weights)


def test_without_augmentation_a_picture_is_stretched_as_in_use(rng):
    picture = samples.crops(1)[0]
    out = augment(picture, None, PLAIN, rng, size=256)
    np.testing.assert_array_equal(out.picture, ops.resize([picture])[0].transpose(1, 2, 0).astype(np.uint8))
    assert out.keypoints is None
    assert not out.gray


@pytest.mark.parametrize("seed", range(4))
def test_keypoints_stay_on_what_they_mark(seed):
    spec = AugmentSpec(flip=0.5, zoom_in=0.15, zoom_out=0.15, shift=0.05, rotate=8.0)
    point = np.array([0.4, 0.55])
    keypoints = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    keypoints[:, :2] = point
    out = augment(dotted(point), keypoints, spec, np.random.default_rng(seed), size=SIZE)
    np.testing.assert_allclose(out.keypoints[:, :2], np.tile(dot_of(out.picture), (36, 1)), atol=0.012)


def test_a_mirrored_vehicle_has_its_left_keypoints_on_the_right():
    keypoints = np.random.default_rng(0).random((NUM_KEYPOINTS, 3)).astype(np.float32)
    picture = samples.crops(1)[0]
    out = augment(picture, keypoints, AugmentSpec(flip=1.0), np.random.default_rng(0), size=SIZE)
    expected = keypoints[list(KEYPOINT_FLIP)] * [-1, 1, 1] + [1, 0, 0]
    np.testing.assert_allclose(out.keypoints, expected, atol=1e-6)
    plain = augment(picture, keypoints, PLAIN, np.random.default_rng(0), size=SIZE).picture
    assert np.abs(out.picture[:, ::-1].astype(int) - plain).max() <= 2, "warped, not resized: rounding"


def test_the_same_draw_gives_the_same_picture():
    picture, spec = samples.crops(1)[0], REID["compact"].augment
    first, second, other = (
        augment(picture, None, spec, np.random.default_rng(seed), size=SIZE).picture for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, second)
    assert (other != first).any()


@pytest.mark.parametrize("kind", ["brightness", "contrast", "gamma", "white_balance", "saturation", "hue"])
def test_every_kind_of_light_changes_the_picture(kind, rng):
    picture = samples.crops(1)[0]
    changed = Light(**{kind: 20.0 if kind == "hue" else 0.3}).applied(picture, rng)
    assert changed.dtype == np.uint8
    assert changed.shape == picture.shape
    assert (changed != picture).mean() > 0.2


def test_saturation_and_hue_leave_gray_gray(rng):
    gray = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    changed = Light(saturation=0.5, hue=30.0).applied(gray, rng).astype(int)
    assert np.abs(changed - gray).max() <= 1


@pytest.mark.parametrize("kind", ["blur", "low_resolution", "compression", "noise"])
@pytest.mark.parametrize("size", [64, 700])
def test_every_kind_of_degradation_changes_the_picture_a_little(kind, size, rng):
    picture = cv2.resize(samples.crops(1)[0], (size, size))
    differences = []
    for _ in range(3):
        changed = Degradation(**{kind: 1.0}).applied(picture, rng)
        assert changed.shape == picture.shape
        differences.append(np.abs(changed.astype(int) - picture).mean())
    assert 0 < max(differences) < 25


def test_noise_has_the_deviation_that_was_asked_for():
    flat = np.full((256, 256, 3), 128, np.uint8)
    spec = Degradation(noise=1.0, noise_level=12.0)
    deviations = [spec.applied(flat, np.random.default_rng(seed)).std() for seed in range(20)]
    assert min(deviations) > 2.0
    assert 10.0 < max(deviations) < 12.5


def test_a_hidden_rectangle_stays_within_its_share(rng):
    flat = np.full((100, 100, 3), 128, np.uint8)
    flat[:, :50] = 60
    spec = AugmentSpec(flip=0.0, erase=1.0, erase_area=0.2)
    hidden = [
        (augment(flat, None, spec, rng, size=100).picture != flat).any(axis=2).mean() for _ in range(30)
    ]
    assert max(hidden) <= 0.22
    assert max(hidden) > 0.05


def test_a_picture_without_color_says_so(rng):
    out = augment(samples.crops(1)[0], None, AugmentSpec(flip=0.0, gray=1.0), rng, size=SIZE)
    assert out.gray
    assert np.ptp(out.picture, axis=2).max() == 0
