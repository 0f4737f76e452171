# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import math
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.synth.view.camera import Camera, aim, sample_mounting, sample_shot
from pamtri_edge.synth.view.prior import PRIORS, CameraPrior, camera_prior

CAR = (4.5, 1.8, 1.5)


def shots(prior: CameraPrior, *, cameras: int, views: int):
    for number in range(cameras):
        mounting = sample_mounting(prior, 3, number)
        for view in range(views):
            yield mounting, sample_shot(mounting, prior, np.random.default_rng([number, view]), CAR)


def test_the_vehicles_left_is_on_the_right_of_a_picture_from_before_it():
    eye = np.array([20.0, 0.0, 2.0])
    camera = Camera(eye, aim(math.pi, 0.0, 0.0), (500.0, 500.0), (100.0, 50.0))
    x, y, inverse = camera.project(np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 1.0], [0.0, 0.0, 2.0]])).T
    np.testing.assert_allclose(x, [125.0, 100.0, 100.0])
    np.testing.assert_allclose(y, [50.0, 75.0, 50.0])
    np.testing.assert_allclose(inverse, 1 / 20.0)


def test_a_window_of_a_picture_has_the_windows_corners_as_its_own():
    camera = Camera(np.zeros(3), aim(0.3, -0.2, 0.05), (700.0, 650.0), (320.0, 240.0))
    points = np.random.default_rng(0).uniform(5.0, 9.0, (20, 3))
    whole = camera.project(points)
    part = camera.window((100.0, 40.0, 300.0, 140.0), 256, 128).project(points)
    np.testing.assert_allclose(part[:, 0], (whole[:, 0] - 100.0) * 256 / 200)
    np.testing.assert_allclose(part[:, 1], (whole[:, 1] - 40.0) * 128 / 100)


def test_points_behind_a_camera_have_no_depth():
    camera = Camera(np.zeros(3), aim(0.0, 0.0, 0.0), (1.0, 1.0), (0.0, 0.0))
    assert camera.project(np.array([[-3.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))[:, 2].tolist() == [-1.0, 1 / 3.0]


@pytest.fixture(scope="module")
def veri():
    return list(shots(PRIORS["veri"], cameras=500, views=2))


def test_the_veri_prior_has_the_elevations_of_veris_labels(veri):
    percentiles = np.percentile(
        [shot.elevation for mounting, shot in veri if not mounting.steep], [5, 25, 50, 75, 95]
    )
    np.testing.assert_allclose(percentiles, [7.7, 11.2, 14.5, 18.3, 25.9], atol=1.2)


def test_the_veri_prior_sees_vehicles_from_before_and_behind_and_some_from_anywhere(veri):
    along = np.array([shot.azimuth for mounting, shot in veri if not mounting.steep])
    sector = ((along > -45) & (along < 75)) | (along > 105) | (along < -135)
    assert sector.mean() > 0.88
    assert 0.35 < (np.abs(along) < 90).mean() < 0.65
    free = np.array([shot.azimuth for mounting, shot in veri if mounting.steep])
    assert 0.3 < len(free) / len(veri) < 0.5
    assert np.histogram(free, 6, (-180, 180))[0].min() > 0.08 * len(free)


def test_a_camera_stands_where_its_angles_and_distance_say():
    for _, shot in shots(PRIORS["uniform"], cameras=40, views=1):
        toward = shot.camera.eye - [0.0, 0.0, 0.4 * CAR[2]]
        assert np.linalg.norm(toward) == pytest.approx(shot.distance, rel=0.02)
        assert math.degrees(math.atan2(toward[1], toward[0])) == pytest.approx(shot.azimuth, abs=1e-6)
        np.testing.assert_allclose(shot.camera.rotation @ shot.camera.rotation.T, np.eye(3), atol=1e-12)


def test_a_camera_is_the_same_in_all_its_views_and_no_other():
    prior = PRIORS["veri"]
    assert sample_mounting(prior, 1, 4) == sample_mounting(prior, 1, 4)
    assert len({sample_mounting(prior, 1, number) for number in range(20)}) == 20
    assert sample_mounting(prior, 1, 4) != sample_mounting(prior, 2, 4)


def test_a_prior_is_read_from_a_file_and_named_after_it(tmp_path: Path):
    path = tmp_path / "bridge.json"
    path.write_text('{"elevation_percentiles": [40, 42, 44, 45, 46, 48, 50], "mount_height": [8, 8]}')
    prior = camera_prior(str(path))
    assert prior.name == "bridge"
    pairs = list(shots(prior, cameras=30, views=2))
    assert all(40 <= shot.elevation <= 50 for _, shot in pairs)
    assert {mounting.height for mounting, _ in pairs} == {8.0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "has list"),
        ('{"elevations": [1]}', "has \\['elevations'\\]; accepted are name, azimuth_modes"),
        ('{"elevation_percentiles": [1, 2]}', "has 2 values; expected 7"),
        ('{"elevation_percentiles": [9, 8, 7, 6, 5, 4, 3]}', "must ascend"),
        ('{"free_share": 1.5}', "expected a share"),
        ('{"mount_height": [9, 4]}', "lowest <= highest"),
        ('{"mount_height": "high"}', "does not fit"),
        ('{"crop_limits": [2, 400]}', "8 pixels or more"),
        ('{"azimuth_modes": []}', "at least one"),
    ],
)
def test_a_prior_that_does_not_fit_says_what_is_wrong(tmp_path: Path, text: str, said: str):
    path = tmp_path / "prior.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        camera_prior(str(path))


def test_an_unknown_prior_names_the_known_ones(tmp_path: Path):
    with pytest.raises(InputError, match="veri, cityflow, overpass, uniform"):
        camera_prior("tokyo")
    with pytest.raises(InputError, match="cannot be read"):
        camera_prior(str(tmp_path / "absent.json"))
