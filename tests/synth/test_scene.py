# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.backdrops import open_backgrounds
from pamtri_edge.synth.view.colors import looks_like
from pamtri_edge.synth.view.prior import camera_prior
from pamtri_edge.synth.view.scene import View, render_view
from pamtri_edge.synth.view.scenery import composed

SIZE = 96


def built(identity, family, color):
    spec = sample_vehicle(1, identity, family=family, color=color)
    return build(spec), spec


@pytest.fixture(scope="module")
def car():
    return built(1, "sedan", "red")


def seen(vehicle, **options) -> View:
    return render_view(*vehicle, **{"seed": 4, "identity": 1, "view": 0, "size": SIZE} | options)


def test_a_view_has_what_it_promises(car):
    view = seen(car)
    assert (view.image.shape, view.image.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert (view.keypoints.shape, view.keypoints.dtype) == ((36, 2), np.float32)
    assert view.visible.shape == view.visible_veri.shape == (36,)
    assert view.visible.dtype == view.visible_veri.dtype == np.bool_
    assert (view.parts.shape, view.parts.dtype) == ((SIZE, SIZE), np.uint8)
    assert set(np.unique(view.parts)) <= {*range(13), NO_PART}
    assert (view.color_name, view.type_name) == ("red", "sedan")
    decoded = cv2.imdecode(np.frombuffer(view.jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(decoded.astype(int) - view.image).mean() < 4


def test_views_of_one_vehicle_differ_and_so_do_seeds(car):
    pictures = [seen(car, view=view).jpeg for view in range(4)] + [seen(car, seed=5).jpeg]
    assert len(set(pictures)) == 5


def test_visible_keypoints_and_parts_lie_within_the_box_and_parts_fill_much_of_it(car):
    for number in range(8):
        view = seen(car, view=number, camera=number)
        low, high = np.array(view.box[:2]), np.array(view.box[2:])
        assert ((low >= 0) & (low < high) & (high <= SIZE)).all()
        points = view.keypoints[view.visible] * SIZE
        assert len(points) >= 4
        assert ((points >= low - 2) & (points <= high + 2)).all()
        parts = np.argwhere(view.parts != NO_PART)[:, ::-1]
        assert ((parts >= low - 1) & (parts <= high + 1)).all()
        assert len(parts) > 0.2 * np.prod(high - low)


def test_the_crop_has_the_size_its_prior_gives(car):
    prior = camera_prior("cityflow")
    for number in range(6):
        view = seen(car, view=number, camera=number, prior=prior)
        assert prior.crop_limits[0] <= max(view.width, view.height) <= prior.crop_limits[1]


def test_a_small_crop_holds_less_detail_than_a_large_one(car):
    """Both fill the same picture; only what the frame had differs."""

    def energy(size: float) -> float:
        prior = dataclasses.replace(
            camera_prior("veri"), crop_size=(size, size), crop_limits=(size, size), truncated=0.0
        )
        values = []
        for view in range(3):
            shown = seen(car, view=view, camera=view, prior=prior, size=128)
            gray = cv2.cvtColor(shown.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
            values.append(np.abs(cv2.Laplacian(gray, cv2.CV_32F)).mean())
        return float(np.mean(values))

    assert energy(36.0) < 0.6 * energy(260.0)


def test_the_paint_that_is_shown_looks_like_its_label():
    """In the picture, over the pixels of doors, hood and roof; all colors, several cameras."""
    right = total = 0
    for number, color in enumerate(("red", "white", "black", "blue")):
        vehicle = built(20 + number, "sedan", color)
        for view in range(3):
            shown = seen(vehicle, seed=3, identity=number, view=view, camera=7 * number + view)
            body = np.isin(shown.parts, (0, 1, 2, 3, 4, 5, 11))
            if body.sum() < 200:
                continue
            total += 1
            right += looks_like(color, (np.median(shown.image[body], axis=0) / 255).tolist())
    assert total >= 8
    assert right / total >= 0.8


def test_other_vehicles_hide_keypoints_and_parts_in_some_views(car):
    hidden, passer = 0, built(2, "suv", "white")
    for number in range(5):
        alone, among = (seen(car, view=number, others=others) for others in ((), [passer]))
        np.testing.assert_array_equal(alone.keypoints, among.keypoints)
        assert not (among.visible & ~alone.visible).any()
        shown = np.count_nonzero(among.parts != NO_PART) / np.count_nonzero(alone.parts != NO_PART)
        assert shown > 0.35
        hidden += shown < 0.98
    assert hidden


def test_a_vehicle_covers_what_is_behind_it_as_far_as_it_fills_a_pixel():
    vehicles, street = np.zeros((4, 4, 4), np.float32), np.full((4, 4, 3), 0.8, np.float32)
    vehicles[:, 1:] = (0.2, 0.2, 0.2, 1.0)  # half of the left pixel, and all of the right one
    light = composed(vehicles, street, 2, 1)
    np.testing.assert_allclose(light[0, :, 0], [0.5, 0.2], atol=1e-6)


def folder_of_roads(folder: Path) -> Path:
    folder.mkdir()
    for number, level in enumerate((60, 200)):
        picture = np.full((120, 160, 3), level, np.uint8)
        picture[:, :, number] //= 2
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def test_a_cameras_own_picture_stands_behind_its_vehicles(car, tmp_path: Path):
    backgrounds = open_backgrounds(folder_of_roads(tmp_path / "roads"))
    assert len(backgrounds.pictures) == 2
    plain = dataclasses.replace(camera_prior("veri"), truncated=0.0, margin=(0.2, 0.0))
    for view in range(4):
        for camera, weak in ((0, 2), (1, 1)):  # which channel, of RGB, the camera's picture lacks
            shown = seen(car, view=view, camera=camera, prior=plain, backgrounds=backgrounds)
            edge = shown.image[:3].reshape(-1, 3).mean(axis=0)
            assert edge.argmin() == weak or np.ptp(edge) < 12  # a washed out camera may show gray


def test_of_a_video_the_street_without_its_traffic_is_taken(tmp_path: Path):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (160, 120))
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write MJPG")
    for number in range(40):
        frame = np.full((120, 160, 3), 90, np.uint8)
        frame[40:80, 4 * number : 4 * number + 24] = 250
        writer.write(frame)
    writer.release()
    backgrounds = open_backgrounds(path)
    assert all(abs(picture.astype(int) - 90).max() < 12 for picture in backgrounds.pictures)


def test_backgrounds_that_are_none_say_so(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="is a pipe; expected a video file"):
        open_backgrounds(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="no folder, picture or video"):
        open_backgrounds(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no pictures"):
        open_backgrounds(tmp_path / "empty")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"broken\.png is something else, not a picture"):
        open_backgrounds(broken)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("size", 20, "32..1024"),
        ("size", 97, "even"),
        ("supersampling", 0, "1..4"),
        ("camera", -1, "0 or more"),
        ("seed", -3, "0 or more"),
    ],
)
def test_a_number_out_of_range_is_refused(car, option: str, value: int, said: str):
    with pytest.raises(InputError, match=said):
        seen(car, **{option: value})
