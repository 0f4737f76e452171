# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the core decides of an overlay: the label, its place, which parts of a pose."""

import colorsys

import numpy as np
import pytest

from pamtri_edge import _core
from pamtri_edge.vehicle import SEGMENTS

FRAME = (200, 120)


@pytest.mark.parametrize(
    ("track", "told", "label"),
    [
        (3, (None, None), "#3"),
        (3, (("red", 0.934), None), "#3 red 93%"),
        (99_999, (("red", 1.0), ("sedan", 0.005)), "#99999 red 100% sedan 0%"),
        (100_000, (None, ("sedan", 0.5)), "#..0000 sedan 50%"),
        (2**64 - 2, (None, None), "#..1614"),
        (2**64 - 1, (("red", 0.5), None), "red 50%"),
        (2**64 - 1, (None, None), ""),
        (1, (("red", float("nan")), None), "#1 red"),
        (1, (("", 0.5), None), "#1"),
    ],
)
def test_a_label_tells_the_number_and_what_is_known(track, told, label):
    assert _core.overlay_label(track, *told) == label


def test_colors_go_around_the_circle():
    for track in (0, 1, 7, 12_345, 2**53 + 1, 2**64 - 2):
        wanted = colorsys.hsv_to_rgb((track * 0.61803398875) % 1.0, 0.75, 1.0)
        assert _core.track_color(track) == tuple(int(255 * part) for part in wanted)
    assert len({_core.segment_color(index) for index in range(len(SEGMENTS))}) == len(SEGMENTS)


def test_the_untracked_have_a_color_that_no_track_has():
    color = _core.track_color(2**64 - 1)
    assert np.ptp(color) == 0
    assert color not in {_core.track_color(track) for track in range(2000)}


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((50, 60, 90, 90), (50, 55)),  # above the box
        ((50, 10, 90, 40), (50, 51)),  # below it, where there is no room above
        ((-30, 60, 90, 90), (0, 55)),
        ((190, 60, 230, 90), (138, 55)),
        ((50, -90, 90, 130), (50, 116)),
    ],
)
def test_a_label_is_at_its_box_and_inside_the_frame(box, place):
    assert _core.overlay_label_place(box, (60, 8, 3), FRAME) == place


@pytest.mark.parametrize("side", [float("nan"), float("inf"), -float("inf")])
def test_a_box_that_is_not_finite_is_not_drawn(side):
    assert _core.overlay_box((0.0, 0.0, side, 10.0), FRAME) is None


def test_a_box_far_away_is_moved_near_the_frame():
    assert _core.overlay_box((-1e300, 1.5, 1e300, 2.5), FRAME) == (-800, 2, 800, 2)


def test_keypoints_that_are_no_numbers_are_left_out_with_their_segments():
    square = [(20.0, 20.0), (90.0, 20.0), (90.0, 80.0), (20.0, 80.0)]
    keypoints = np.zeros((36, 3), np.float32)
    for k, (x, y) in zip(SEGMENTS[4].corners, square, strict=True):
        keypoints[k] = (x, y, 0.9)
    shown, segments = _core.overlay_pose(keypoints, FRAME)
    assert segments == [4]
    assert [k for k, one in enumerate(shown) if one] == sorted(SEGMENTS[4].corners)
    for column in range(3):
        spoiled = keypoints.copy()
        spoiled[SEGMENTS[4].corners[0], column] = np.nan
        shown, segments = _core.overlay_pose(spoiled, FRAME)
        assert segments == []
        assert not shown[SEGMENTS[4].corners[0]]
