# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest

from pamtri_edge import _render
from pamtri_edge.synth.view.camera import Camera, aim
from pamtri_edge.synth.view.light import Sky, Weather, light_scene, mirror_map, sample_sky
from pamtri_edge.synth.view.raster import Lit, background

DAYS = (Weather.SUN, Weather.OVERCAST, Weather.DUSK, Weather.NIGHT)


def plain_sky(**changes: object) -> Sky:
    sky = sample_sky(np.random.default_rng(0), Weather.PLAIN)
    flat = {"skyline_heights": np.zeros(36), "clouds": 0.0, "haze": 0.0, "sun": np.zeros(3)}
    return dataclasses.replace(sky, **{**flat, **changes})


def lit_by(sky: Sky, albedo: tuple[float, float, float] = (0.2, 0.2, 0.2)) -> Lit:
    return light_scene(sky, albedo, [], np.zeros(3), 1.0)


def looking(lit: Lit, yaw: float, pitch: float) -> np.ndarray:
    """The color in the middle of what a camera at 5 m sees that way."""
    eye = np.array([0.0, 0.0, 5.0])
    camera = Camera(eye, aim(math.radians(yaw), math.radians(pitch), 0.0), (400.0, 400.0), (8.0, 8.0))
    color, _ = background(
        camera,
        lit,
        _render.Road(),
        noise=np.full((2, 2), 0.5, np.float32),
        blocks=np.zeros((0, 12), np.float32),
        models=(),
        size=(16, 16),
    )
    return color[8, 8]


def test_the_sky_is_its_zenith_above_and_its_horizon_at_the_horizon():
    sky = plain_sky(zenith=np.array([0.1, 0.2, 0.9]), horizon=np.array([0.8, 0.7, 0.6]))
    lit = lit_by(sky)
    np.testing.assert_allclose(looking(lit, 40.0, 85.0), sky.zenith, atol=0.06)
    np.testing.assert_allclose(looking(lit, 40.0, 4.0), sky.horizon, atol=0.25)


@pytest.mark.parametrize("yaw", [-150.0, -65.0, 15.0, 100.0])
def test_a_building_on_the_horizon_stands_in_its_direction(yaw: float):
    heights, colors = np.zeros(36), np.zeros((36, 3))
    step = int((math.radians(yaw) / (2 * math.pi) + 0.5) * 36)
    heights[step - 1 : step + 2], colors[step - 1 : step + 2] = 0.6, 9.0
    lit = lit_by(plain_sky(skyline_heights=heights, skyline_colors=colors))
    assert looking(lit, yaw, 15.0).mean() > 5.0
    for other in (70.0, 180.0, -70.0):
        assert looking(lit, yaw + other, 15.0).mean() < 1.5


def test_an_even_world_lights_every_side_alike():
    """Sky, horizon and ground of one radiance: the ground gives back its albedo times it."""
    level = np.full(3, 0.5)
    sky = plain_sky(zenith=level, horizon=level)
    map_ = mirror_map(dataclasses.replace(sky, skyline_colors=np.full((36, 3), 0.5)), level)
    np.testing.assert_allclose(map_[32, 32], 0.5, atol=1e-5)
    assert lit_by(sky).light.sky == pytest.approx((0.5, 0.5, 0.5), abs=0.02)


@pytest.mark.parametrize("weather", DAYS)
def test_every_weather_gives_light_in_range(weather: Weather):
    for number in range(25):
        sky = sample_sky(np.random.default_rng(number), weather)
        assert sky.weather is weather
        assert np.linalg.norm(sky.direction) == pytest.approx(1.0)
        assert sky.direction[2] > 0.05
        assert (sky.sun >= 0).all()
        assert (sky.zenith > 0).all()
        assert 0.0 <= sky.cover.min() <= sky.cover.max() <= 1.0 + 1e-6
        assert (mirror_map(sky, 0.2 * sky.zenith) >= 0.0).all()


def test_night_is_darker_than_day_and_has_its_lamps_on():
    nights, days = (
        [sample_sky(np.random.default_rng(number), weather) for number in range(40)]
        for weather in (Weather.NIGHT, Weather.OVERCAST)
    )
    night, day = (np.mean([sky.zenith.mean() + sky.sun.mean() for sky in skies]) for skies in (nights, days))
    assert night < 0.3 * day
    assert np.mean([sky.lamps > 0 for sky in nights]) > 0.8
    assert np.mean([sky.lamps > 0 for sky in days]) < 0.4


def test_all_weathers_come_and_a_plain_day_only_when_asked_for():
    drawn = [sample_sky(np.random.default_rng(number)).weather for number in range(300)]
    assert set(drawn) == set(DAYS)
    plain = sample_sky(np.random.default_rng(0), Weather.PLAIN)
    assert plain.cover.min() == 1.0
    assert (plain.wet, plain.lamps) == (0.0, 0.0)
