# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest
from box_vehicle import HEIGHT, LENGTH, WIDTH, box_mesh

from pamtri_edge.synth.body.mesh import NO_PART
from pamtri_edge.synth.view.camera import Camera, aim
from pamtri_edge.synth.view.labels import box_of, part_map, visible_as_veri, visible_by_depth
from pamtri_edge.synth.view.raster import Model, Samples, place
from pamtri_edge.vehicle import KEYPOINT_FLIP, SEGMENTS

NOTHING_PASTED = np.zeros((2, 2), np.float32)
SIZE = 256


def seen_from(azimuth: float, elevation: float = 20.0, distance: float = 14.0) -> Camera:
    a, e = math.radians(azimuth), math.radians(elevation)
    eye = distance * np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    eye[2] += HEIGHT / 2
    return Camera(eye, aim(a + math.pi, -e, 0.0), (450.0, 450.0), (SIZE / 2, SIZE / 2))


def visible(camera: Camera, *models: Model, hidden: np.ndarray = NOTHING_PASTED) -> np.ndarray:
    samples = Samples(SIZE, SIZE)
    for number, model in enumerate(models):
        samples.draw(model, camera, number)
    points = camera.project(models[0].mesh.keypoints)
    return visible_by_depth(points, models[0], camera, samples, hidden)


def test_from_before_and_the_left_the_faces_there_are_seen_and_no_others():
    found = visible(seen_from(45.0), place(box_mesh()))
    left_side = np.arange(10)
    assert found[left_side].all()
    assert not found[left_side + 18].any()
    assert found[[10, 11, 12, 13, 14, 15, 16, 17]].all()  # the left end of both ends is an edge in view
    assert found[[31, 32, 33, 34, 35]].all()  # the right end of the front, and the roof behind it
    assert not found[[28, 29, 30]].any()


def test_what_is_seen_from_one_side_is_mirrored_from_the_other():
    first, second = visible(seen_from(60.0), place(box_mesh())), visible(seen_from(-60.0), place(box_mesh()))
    swapped = first.copy()
    for left, right in enumerate(KEYPOINT_FLIP[:18]):
        swapped[[left, right]] = first[[right, left]]
    np.testing.assert_array_equal(second, swapped)


def test_another_vehicle_hides_what_lies_behind_it():
    camera = seen_from(90.0, elevation=5.0)
    alone = visible(camera, place(box_mesh()))
    hidden = visible(camera, place(box_mesh()), place(box_mesh(), x=2.5, y=3.0))
    assert alone[:10].all()
    assert not hidden[[1, 2, 3]].any()
    assert hidden[[0, 8, 9]].all()


def test_what_is_pasted_before_the_picture_hides_too():
    pasted = np.zeros((64, 64), np.float32)
    pasted[:, :32] = 1.0  # the left half of the picture: the front, seen from the vehicle's left
    camera = seen_from(90.0, elevation=5.0)
    x = camera.project(box_mesh().keypoints)[:, 0]
    found = visible(camera, place(box_mesh()), hidden=pasted)
    assert not found[x < SIZE / 2 - 4].any()
    assert found[:10][x[:10] > SIZE / 2 + 4].all()


def test_a_point_outside_the_crop_is_not_visible():
    camera = seen_from(90.0).window((SIZE / 2, 0.0, SIZE, SIZE), SIZE, SIZE)
    points = camera.project(box_mesh().keypoints)
    found = visible(camera, place(box_mesh()))
    outside = points[:, 0] < 0
    assert outside.any()
    assert not found[outside].any()


def test_veri_marks_roof_corners_from_everywhere_but_nothing_outside_the_crop():
    points = np.full((36, 2), 0.5)
    for azimuth in (0.0, 30.0, 90.0, 150.0, 180.0, -100.0):
        assert visible_as_veri(azimuth, points)[[13, 14, 31, 32]].all()
    points[14] = (0.5, -0.1)
    assert not visible_as_veri(0.0, points)[14]


def test_veri_marks_the_side_that_faces_the_camera():
    inside = np.full((36, 2), 0.5)
    left, right = visible_as_veri(90.0, inside), visible_as_veri(-90.0, inside)
    assert left[:18].all()
    assert right[18:].all()
    assert not left[18:28].any()
    assert not right[:10].any()
    np.testing.assert_array_equal(left[:18], right[18:])


def test_veri_marks_both_ends_of_the_end_that_faces_the_camera():
    inside = np.full((36, 2), 0.5)
    front, rear = visible_as_veri(0.0, inside), visible_as_veri(180.0, inside)
    assert front[[15, 16, 17, 33, 34, 35]].all()
    assert not front[[10, 28]].any()
    assert rear[[10, 11, 12, 28, 29, 30]].all()
    assert not rear[[17, 35]].any()


def test_veri_marks_as_often_as_its_labels_do(rng):
    """Shares of left and right keypoints that VeRi's labels mark, over cameras at their azimuths."""
    count = 1500
    sector = rng.random(count)
    spread = 18.0 * rng.standard_normal(count)
    azimuths = np.where(sector < 0.5, 15.0 + spread, 165.0 + spread)
    anywhere = rng.random(count) < 0.06
    azimuths[anywhere] = rng.uniform(-180, 180, int(anywhere.sum()))
    inside = np.full((36, 2), 0.5)
    share = np.mean([visible_as_veri(float(azimuth), inside) for azimuth in azimuths], axis=0)
    left = {0: 0.545, 3: 0.825, 5: 0.588, 11: 0.908, 12: 0.938, 15: 0.902}
    right = {18: 0.211, 22: 0.472, 29: 0.663, 30: 0.688}
    for keypoint, wanted in {**left, **right}.items():
        assert share[keypoint] == pytest.approx(wanted, abs=0.12), keypoint
    assert 22.0 < share.sum() < 27.0  # 24.2 of 36 in the labels


def test_each_part_is_where_its_face_is():
    camera, model = seen_from(45.0), place(box_mesh())
    samples = Samples(SIZE, SIZE)
    samples.draw(model, camera, 0)
    parts = part_map(model, samples, 0, NOTHING_PASTED, SIZE)
    names = [segment.name for segment in SEGMENTS]
    centers = {
        "front_face": (LENGTH / 2, 0.0, HEIGHT / 2),
        "left_doors": (0.0, WIDTH / 2, HEIGHT / 2),
        "roof": (0.0, 0.0, HEIGHT),
    }
    for name, center in centers.items():
        x, y, _ = camera.project(np.array([center]))[0]
        assert parts[int(y), int(x)] == names.index(name)
    assert set(np.unique(parts)) == {names.index(name) for name in centers} | {NO_PART}
    assert (part_map(model, samples, 0, np.ones((4, 4), np.float32), SIZE) == NO_PART).all()
    half = part_map(model, samples, 0, NOTHING_PASTED, SIZE // 2)
    assert half.shape == (SIZE // 2, SIZE // 2)
    assert (half == parts[1::2, 1::2]).all()


def test_the_box_is_tight():
    shown = np.zeros((100, 200), bool)
    shown[10:30, 40:80] = True
    assert box_of(shown) == (0.2, 0.1, 0.4, 0.3)
    assert box_of(np.zeros((4, 4), bool)) == (0.0, 0.0, 0.0, 0.0)
