# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The maps between crop, frame and the original's window."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.geometry import IMAGE_SIZE, WINDOW_SCALE, crop_to_frame, window_matrix

side = st.integers(1, 2000)


def mapped(matrix, x, y):
    return matrix @ np.array([x, y, 1.0])


def test_the_corners_of_the_crop_are_the_corners_of_its_rectangle():
    keypoints = np.array([[[0, 0, 0.1], [1, 1, 0.2], [0.5, 0.25, 0.3]]], np.float32)
    rectangles = np.array([[100, 50, 180, 90]], np.int32)
    expected = [[[100, 50, 0.1], [180, 90, 0.2], [140, 60, 0.3]]]
    assert np.allclose(crop_to_frame(keypoints, rectangles), expected)


def test_each_crop_is_mapped_by_its_own_rectangle():
    keypoints = np.tile(np.array([0.5, 0.5, 1.0], np.float32), (2, 36, 1))
    rectangles = np.array([[0, 0, 10, 20], [100, 100, 110, 120]], np.int32)
    frame = crop_to_frame(keypoints, rectangles)
    assert frame.shape == (2, 36, 3)
    assert np.allclose(frame[0], [5, 10, 1])
    assert np.allclose(frame[1], [105, 110, 1])


def test_keypoints_outside_the_crop_stay_outside_and_the_input_is_left_alone():
    keypoints = np.array([[[-0.5, 1.5, 2.0]]], np.float32)
    before = keypoints.copy()
    assert np.allclose(crop_to_frame(keypoints, np.array([[10, 10, 20, 20]], np.int32)), [[[5, 25, 2]]])
    assert np.array_equal(keypoints, before)


def test_no_crops_map_to_no_keypoints():
    assert crop_to_frame(np.zeros((0, 36, 3), np.float32), np.zeros((0, 4), np.int32)).shape == (0, 36, 3)


@given(x1=side, y1=side, width=side, height=side, x=st.floats(-1, 2, width=32), y=st.floats(-1, 2, width=32))
def test_crop_to_frame_can_be_undone(x1, y1, width, height, x, y):
    rectangle = np.array([[x1, y1, x1 + width, y1 + height]], np.int32)
    frame = crop_to_frame(np.array([[[x, y, 0.7]]], np.float32), rectangle)
    back = (frame[0, 0, :2] - [x1, y1]) / [width, height]
    assert np.allclose(back, [x, y], atol=1e-3)
    assert frame[0, 0, 2] == np.float32(0.7)


def test_the_window_of_a_wide_crop_worked_by_hand():
    # 200 x 100: the window is 250 pixels on a side, shown on 256; the crop begins 25 and 75 in.
    matrix = window_matrix(200, 100)
    assert matrix.shape == (2, 3)
    assert np.allclose(matrix, [[1.024, 0, 25.6], [0, 1.024, 76.8]])


def test_the_window_of_a_tall_crop_worked_by_hand():
    assert np.allclose(window_matrix(64, 128), [[1.6, 0, 76.8], [0, 1.6, 25.6]])


@given(side, side)
def test_the_middle_of_the_crop_is_the_middle_of_the_window(width, height):
    assert np.allclose(mapped(window_matrix(width, height), width / 2, height / 2), IMAGE_SIZE / 2)


@given(side, side)
def test_the_longer_side_takes_four_fifths_of_the_window(width, height):
    matrix = window_matrix(width, height)
    extent = mapped(matrix, width, height) - mapped(matrix, 0, 0)
    assert extent.max() == pytest.approx(IMAGE_SIZE / WINDOW_SCALE)
    assert extent[0] / extent[1] == pytest.approx(width / height)


@pytest.mark.parametrize(("width", "height"), [(200, 100), (37, 81), (300, 300)])
def test_the_window_is_the_originals_affine_transform(width, height):
    """As its `get_affine_transform`: the center, a point half the scale above, one at a right angle."""
    center = np.array([width / 2, height / 2], np.float32)
    reach = WINDOW_SCALE * max(width, height) / 2
    source = np.float32([center, center - [0, reach], center - [reach, reach]])
    middle = np.float32([IMAGE_SIZE / 2, IMAGE_SIZE / 2])
    half = IMAGE_SIZE / 2
    target = np.float32([middle, middle - [0, half], middle - [half, half]])
    assert np.allclose(window_matrix(width, height), cv2.getAffineTransform(source, target), atol=1e-4)


def test_warping_with_it_shows_the_whole_crop_on_black(rng):
    crop = rng.integers(60, 256, (60, 120, 3), dtype=np.uint8)
    window = cv2.warpAffine(crop, window_matrix(120, 60), (IMAGE_SIZE, IMAGE_SIZE), flags=cv2.INTER_LINEAR)
    shown = window.max(axis=2) > 0
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    # Pixel x lands at 25.6 + 1.706 x; it fades to the black outside over one pixel of the crop.
    assert (columns[0], columns[-1]) == (24, 230)
    assert (rows[0], rows[-1]) == (76, 179)
    assert shown[76:180, 24:231].all()
