# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import cv2
import numpy as np
import pytest

from pamtri_edge.synth.view.sensor import Exposure, Sensor, displayed, sample_exposure, sample_sensor, take

PLAIN = Sensor(
    white_balance=np.ones(3, np.float32), key=0.5, gamma=2.2, contrast=1.0, black=0.0, saturation=1.0,
    detail=1.0, blur=0.0, shutter=0.0, bloom=0.0, noise=0.0, chroma_noise=0.0, denoise=0.0,
    sharpen=0.0, sharpen_radius=1.0, quality=95.0, interlaced=False,
)  # fmt: skip
EXPOSED = Exposure(gain=1.0, drift=np.ones(3, np.float32), motion=0.0, angle=0.0, worse=0.0, dark=0.0)


def scene(rng: np.random.Generator, height: int = 96, width: int = 128) -> np.ndarray:
    """Linear light with detail at every scale."""
    light = np.zeros((height, width, 3), np.float32)
    for side in (4, 16, 64):
        light += cv2.resize(rng.random((side, side, 3), dtype=np.float32), (width, height)) / 3
    return light


def taken(rng: np.random.Generator, exposure: Exposure = EXPOSED, **changes: object) -> np.ndarray:
    light = scene(np.random.default_rng(1))
    return take(dataclasses.replace(PLAIN, **changes), exposure, light, rng).astype(np.float32)


def detail(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image.mean(axis=2), axis=1)).mean())


def test_a_plain_sensor_shows_the_light_through_its_gamma(rng):
    light = np.full((64, 64, 3), 0.5**2.2, np.float32)
    np.testing.assert_allclose(take(PLAIN, EXPOSED, light, rng), 127.5, atol=1.5)


def test_twice_the_gain_is_the_same_as_twice_the_light():
    light = scene(np.random.default_rng(2))
    brighter = dataclasses.replace(EXPOSED, gain=2.0)
    np.testing.assert_allclose(
        displayed(PLAIN, brighter, light), displayed(PLAIN, EXPOSED, 2 * light), atol=1e-3
    )


def test_black_and_white_stay_between_0_and_1_with_any_sensor():
    light = np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0], [0.0, 5.0, 0.1]], np.float32)
    for camera in range(40):
        levels = displayed(sample_sensor(0, camera), EXPOSED, light)
        assert levels.min() >= 0.0
        assert levels.max() <= 1.0
        assert (levels[1] > levels[0]).all()


def test_the_exposure_brings_what_is_measured_to_the_key(rng):
    for level in (0.002, 0.05, 0.6):
        levels = []
        for _ in range(60):
            exposure = sample_exposure(PLAIN, rng, level=level, dark=0.0, angle=0.0)
            levels.append(displayed(PLAIN, exposure, np.full((1, 3), level))[0].mean())
        assert np.median(levels) == pytest.approx(PLAIN.key, abs=0.05)


def test_the_same_numbers_give_the_same_bytes():
    sensor = dataclasses.replace(PLAIN, noise=0.02, chroma_noise=0.01)
    light = scene(np.random.default_rng(1))
    first, second, other = (take(sensor, EXPOSED, light, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("name", "value"), [("blur", 1.5), ("detail", 0.4), ("denoise", 1.0), ("shutter", 8.0)]
)
def test_what_takes_detail_away_does(rng, name: str, value: float):
    moving = dataclasses.replace(EXPOSED, motion=1.0)
    assert detail(taken(rng, moving, **{name: value})) < 0.93 * detail(taken(rng, moving))


@pytest.mark.parametrize(("name", "value"), [("sharpen", 1.5), ("noise", 0.05), ("contrast", 1.5)])
def test_what_adds_contrast_does(rng, name: str, value: float):
    assert detail(taken(rng, **{name: value})) > 1.1 * detail(taken(rng))


def test_motion_blurs_along_its_direction_only(rng):
    along = dataclasses.replace(EXPOSED, motion=1.0, angle=0.0)
    image = taken(rng, along, shutter=8.0).mean(axis=2)
    still = taken(rng).mean(axis=2)
    across = np.abs(np.diff(image, axis=0)).mean() / np.abs(np.diff(still, axis=0)).mean()
    sideways = np.abs(np.diff(image, axis=1)).mean() / np.abs(np.diff(still, axis=1)).mean()
    assert sideways < 0.75 * across


def test_strong_compression_leaves_blocks(rng):
    def steps(image: np.ndarray) -> float:
        """Steps between columns, those at multiples of 8 (at the best offset) over the others."""
        by_column = np.abs(np.diff(image.mean(axis=2), axis=1)).mean(axis=0)
        means = [by_column[offset::8].mean() for offset in range(8)]
        return float(max(means) / np.mean(means))

    assert steps(taken(rng, quality=8.0)) > 1.25 * steps(taken(rng))


def test_a_bright_lamp_spills_into_its_neighborhood(rng):
    light = np.full((80, 80, 3), 0.02, np.float32)
    light[38:42, 38:42] = 20.0
    dull, spilled = (take(dataclasses.replace(PLAIN, bloom=b), EXPOSED, light, rng) for b in (0.0, 0.4))
    assert spilled[36, 40].mean() > dull[36, 40].mean() + 10
    assert abs(int(spilled[2, 2].mean()) - int(dull[2, 2].mean())) < 3


def test_a_gray_sensor_shows_no_color(rng):
    image = taken(rng, saturation=0.0)
    assert np.ptp(image, axis=2).max() <= 3


def test_cameras_differ_and_each_stays_what_it_is():
    sensors = [sample_sensor(7, camera) for camera in range(20)]
    assert len({sensor.key for sensor in sensors}) == 20
    again = sample_sensor(7, 3)
    assert dataclasses.replace(again, white_balance=sensors[3].white_balance) == sensors[3]
    np.testing.assert_array_equal(again.white_balance, sensors[3].white_balance)
