# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The maps between crop, frame and the original's window."""

import cv2
import numpy as np
import pytest

from pamtri_edge.geometry import IMAGE_SIZE, WINDOW_SCALE, crop_to_frame, window_matrix


def test_each_crop_is_mapped_by_its_own_rectangle_what_is_outside_it_too():
    keypoints = np.float32(
        [[[0, 0, 0.1], [1, 1, 0.2], [0.5, 0.25, 0.3]], [[0.5, 0.5, 1], [0, 1, 1], [-0.5, 1.5, 2]]]
    )
    before = keypoints.copy()
    frame = crop_to_frame(keypoints, np.array([[100, 50, 180, 90], [10, 10, 20, 30]], np.int32))
    first = [[100, 50, 0.1], [180, 90, 0.2], [140, 60, 0.3]]
    assert np.allclose(frame, [first, [[15, 20, 1], [10, 30, 1], [5, 40, 2]]])
    assert np.array_equal(keypoints, before)
    assert crop_to_frame(keypoints[:0], np.zeros((0, 4), np.int32)).shape == (0, 3, 3)


def test_the_window_of_a_wide_crop_worked_by_hand():
    # 200 x 100: the window is 250 pixels on a side, shown on 256; the crop begins 25 and 75 in.
    matrix = window_matrix(200, 100)
    assert matrix.shape == (2, 3)
    assert np.allclose(matrix, [[1.024, 0, 25.6], [0, 1.024, 76.8]])


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
