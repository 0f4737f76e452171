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


@pytest.mark.parametrize("index", range(len(SEGMENTS)))
def test_a_segment_is_drawn_by_its_own_four_keypoints_if_all_are_numbers_and_sure(index):
    corners = list(SEGMENTS[index].corners)
    keypoints = np.zeros((36, 3), np.float32)
    keypoints[corners] = [(20, 20, 0.5), (90, 20, 0.5), (90, 80, 0.5), (20, 80, 0.5)]
    shown, segments = _core.overlay_pose(keypoints, FRAME)
    assert segments == [index]
    assert np.flatnonzero(shown).tolist() == sorted(corners)
    for column, value in ((0, np.nan), (1, np.nan), (2, np.nan), (2, 0.49)):
        spoiled = keypoints.copy()
        spoiled[corners[0], column] = value
        shown, segments = _core.overlay_pose(spoiled, FRAME)
        assert segments == []
        assert shown[corners[0]] == (value == 0.49)
