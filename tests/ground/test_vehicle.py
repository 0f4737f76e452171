# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle model: 36 keypoints, 13 segments, and what a mirror does to them."""

from collections import Counter

import pytest

from pamtri_edge.vehicle import (
    BODY_PARTS,
    COLORS,
    FLIP_PAIRS,
    KEYPOINT_FLIP,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    NUM_SEGMENTS,
    SEGMENT_FLIP,
    SEGMENTS,
    TYPES,
)


def test_there_are_36_keypoints_13_segments_10_colors_and_9_types():
    assert len(KEYPOINT_NAMES) == NUM_KEYPOINTS == 36
    assert len(SEGMENTS) == NUM_SEGMENTS == 13
    assert len(COLORS) == 10
    assert len(TYPES) == 9


@pytest.mark.parametrize(
    "names", [KEYPOINT_NAMES, [segment.name for segment in SEGMENTS], COLORS, TYPES, list(BODY_PARTS)]
)
def test_names_are_unique_words(names):
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and name.replace("_", "").isalpha() for name in names)


def test_the_first_18_keypoints_are_left_and_the_others_the_same_points_on_the_right():
    for left, right in zip(KEYPOINT_NAMES[:18], KEYPOINT_NAMES[18:], strict=True):
        assert left.startswith("left_")
        assert right == left.replace("left_", "right_", 1)


def test_a_mirror_exchanges_left_and_right_keypoints_of_the_same_name():
    other = {"left": "right", "right": "left"}
    for k, partner in enumerate(KEYPOINT_FLIP):
        side, _, name = KEYPOINT_NAMES[k].partition("_")
        assert KEYPOINT_NAMES[partner] == f"{other[side]}_{name}"


def test_flip_pairs_list_every_keypoint_once_and_agree_with_the_permutation():
    assert sorted(k for pair in FLIP_PAIRS for k in pair) == list(range(NUM_KEYPOINTS))
    for a, b in FLIP_PAIRS:
        assert KEYPOINT_FLIP[a] == b
        assert KEYPOINT_FLIP[b] == a


def test_a_mirrored_segment_keeps_its_outline():
    """Corners that are neighbors stay neighbors, so the mirrored quadrilateral is the same shape."""
    for s, partner in enumerate(SEGMENT_FLIP):
        mirrored = [KEYPOINT_FLIP[corner] for corner in SEGMENTS[s].corners]
        assert _edges(mirrored) == _edges(SEGMENTS[partner].corners), SEGMENTS[s].name


def _edges(corners):
    return {frozenset((corners[i], corners[(i + 1) % 4])) for i in range(4)}


def test_sides_of_the_vehicle_change_places_and_what_lies_across_maps_to_itself():
    for s, partner in enumerate(SEGMENT_FLIP):
        name = SEGMENTS[s].name
        if name.startswith("left_"):
            assert SEGMENTS[partner].name == name.replace("left_", "right_", 1)
        elif not name.startswith("right_"):
            assert partner == s


def test_a_segment_has_four_different_corners_that_exist():
    for segment in SEGMENTS:
        assert len(set(segment.corners)) == 4
        assert all(0 <= corner < NUM_KEYPOINTS for corner in segment.corners)


def test_segments_tile_the_surface_an_edge_between_two_of_them_is_shared_by_no_third():
    count = Counter(edge for segment in SEGMENTS for edge in _edges(segment.corners))
    assert set(count.values()) == {1, 2}


@pytest.mark.parametrize(
    ("segment", "corners"),
    [
        (
            "left_doors",
            "left: front_arch_rear_bottom rear_arch_front_bottom rear_window_bottom windshield_bottom",
        ),
        (
            "right_rear_fender",
            "right: rear_arch_front_bottom rear_bumper_bottom trunk_rear_edge rear_window_bottom",
        ),
        ("hood", "both: windshield_bottom hood_front"),
        ("roof", "both: rear_window_top windshield_top"),
        ("rear_face", "both: rear_bumper_bottom trunk_rear_edge"),
        ("front_face", "both: hood_front front_bumper_bottom"),
    ],
)
def test_a_segment_lies_between_the_keypoints_that_its_name_says(segment, corners):
    side, _, names = corners.partition(": ")
    sides = ("left", "right") if side == "both" else (side,)
    found = next(one for one in SEGMENTS if one.name == segment)
    expected = {f"{each}_{name}" for each in sides for name in names.split()}
    assert {KEYPOINT_NAMES[corner] for corner in found.corners} == expected


def test_body_parts_share_every_keypoint_out_once():
    members = [k for part in BODY_PARTS.values() for k in part]
    assert sorted(members) == list(range(NUM_KEYPOINTS))


def test_a_body_part_is_the_same_on_both_sides():
    for part in BODY_PARTS.values():
        assert {KEYPOINT_FLIP[k] for k in part} == set(part)


def test_body_parts_hold_the_keypoints_that_their_names_say():
    def names(part):
        return {KEYPOINT_NAMES[k].partition("_")[2] for k in BODY_PARTS[part]}

    assert names("wheel") == {"rear_wheel", "front_wheel"}
    assert all("arch" in name for name in names("fender"))
    assert names("back") == {"rear_bumper_bottom", "trunk_rear_edge"}
    assert names("front") == {"hood_front", "front_bumper_bottom"}
    assert names("windshield_back") == {"rear_window_bottom", "rear_window_top"}
    assert names("windshield_front") == {"windshield_top", "windshield_bottom"}
