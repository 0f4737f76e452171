# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures held on a device are augmented there by the same specification, and as exactly repeatable."""

import cv2
import numpy as np
import pytest
import torch

from pamtri_edge import samples
from pamtri_edge.models import TINY, load_reid
from pamtri_edge.train import Budget, ReidJob, Training, TrainSpec, read_data
from pamtri_edge.train.augment import AugmentSpec, augment
from pamtri_edge.train.on_device import _compressed, augment_batch
from pamtri_edge.train.photometry import Degradation, Light
from pamtri_edge.train.recipes import REID
from pamtri_edge.vehicle import NUM_KEYPOINTS


@pytest.fixture(scope="module")
def pictures():
    return np.stack([cv2.resize(crop, (128, 128)) for crop in samples.crops(6)])


@pytest.fixture
def keypoints(rng):
    return rng.random((6, NUM_KEYPOINTS, 3)).astype(np.float32)


def on_device(pictures, keypoints, spec, seed=0, size=128):
    rng = np.random.default_rng(seed)
    return augment_batch(torch.from_numpy(pictures), keypoints, spec, rng, size=size)


def on_processor(pictures, keypoints, spec, seed=0, size=128):
    """Augment with OpenCV, all boxes drawn from one generator as on the device."""
    rng = np.random.default_rng(seed)
    done = [
        augment(one, points, spec, rng, size=size) for one, points in zip(pictures, keypoints, strict=True)
    ]
    return np.stack([one.picture for one in done]), np.stack([one.keypoints for one in done])


def test_nothing_drawn_is_nothing_changed(pictures, keypoints):
    out, moved, gray = on_device(pictures, keypoints, AugmentSpec(flip=0.0))
    assert np.abs(out.numpy().astype(int) - pictures).max() <= 1
    np.testing.assert_allclose(moved, keypoints, atol=1e-6)
    assert not gray.any()


@pytest.mark.parametrize("size", [64, 128])
def test_boxes_and_keypoints_move_as_on_the_processor(pictures, keypoints, size):
    spec = AugmentSpec(flip=0.5, zoom_in=0.2, shift=0.04, rotate=5.0)
    out, moved, _ = on_device(pictures, keypoints, spec, size=size)
    smooth = [cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures]
    expected, points = on_processor(np.stack(smooth), keypoints, spec, size=size)
    np.testing.assert_allclose(moved, points, atol=1e-5)
    assert np.abs(out.numpy().astype(int) - expected).mean() < 3


@pytest.mark.parametrize("light", [Light(saturation=0.4, hue=15.0), Light(gamma=0.4, white_balance=0.2)])
def test_light_changes_as_on_the_processor(pictures, keypoints, light):
    spec = AugmentSpec(flip=0.0, light=light)
    out, _, _ = on_device(pictures[:1], keypoints[:1], spec, seed=3)
    expected, _ = on_processor(pictures[:1], keypoints[:1], spec, seed=3)
    assert np.abs(out.numpy().astype(int) - expected).max() <= 2


def test_everything_at_once_repeats_itself(pictures, keypoints):
    spec = REID["compact"].augment
    first, points, _ = on_device(pictures, keypoints, spec, seed=4)
    again, same, _ = on_device(pictures, keypoints, spec, seed=4)
    other, _, _ = on_device(pictures, keypoints, spec, seed=5)
    assert first.dtype == torch.uint8
    assert torch.equal(first, again)
    np.testing.assert_array_equal(points, same)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("kind", ["blur", "low_resolution", "compression", "noise", "erase"])
def test_every_degradation_changes_pictures_a_little(pictures, keypoints, kind):
    how = {"erase": 1.0} if kind == "erase" else {"degradation": Degradation(**{kind: 1.0})}
    out = on_device(pictures, keypoints, AugmentSpec(flip=0.0, **how))[0].numpy().astype(int)
    difference = np.abs(out - pictures).reshape(len(out), -1).mean(axis=1)
    assert (difference > 0).mean() > 0.5, "the least blur is none"
    assert (difference < 30).all()


def test_pictures_without_color_are_gray(pictures, keypoints):
    out, _, gray = on_device(pictures, keypoints, AugmentSpec(flip=0.0, gray=1.0))
    assert gray.all()
    assert np.ptp(out.numpy(), axis=3).max() == 0


@pytest.mark.parametrize("quality", [20, 80])
def test_compression_errs_about_as_much_as_jpeg(pictures, quality):
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    ours = (_compressed(images, np.full(len(images), quality)) - images).abs().mean().item()
    jpeg = [
        cv2.imdecode(cv2.imencode(".jpg", one, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], cv2.IMREAD_COLOR)
        for one in pictures
    ]
    theirs = np.abs(np.stack(jpeg).astype(int) - pictures).mean()
    assert 0.5 * theirs < ours < 1.5 * theirs


@pytest.mark.slow
def test_a_training_from_held_pictures_survives_interruption(veri, quick_reid, tmp_path):
    def train(name, until=None):
        job = ReidJob(TINY[1], read_data(veri), quick_reid)
        spec = TrainSpec(output=tmp_path / name, budget=Budget(steps=3), hold=True)
        training = Training(job, spec)
        return training.run(on_progress=lambda now: training.stop() if now.step == until else None)

    assert train("whole")
    assert not train("broken", until=1)
    assert train("broken")
    first, second = (load_reid(tmp_path / name / "last.safetensors") for name in ("whole", "broken"))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
