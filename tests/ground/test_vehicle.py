# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle model: 36 keypoints, 13 segments, and what a mirror does to them."""

from collections import Counter

import pytest

from pamtri_edge.vehicle import (
    BODY_PARTS,
    COLORS,
    KEYPOINT_FLIP,
    KEYPOINT_NAMES,
    NUM_KEYPOINTS,
    NUM_SEGMENTS,
    SEGMENT_FLIP,
    SEGMENTS,
    TYPES,
)


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (KEYPOINT_NAMES, NUM_KEYPOINTS),
        ([segment.name for segment in SEGMENTS], NUM_SEGMENTS),
        (COLORS, 10),
        (TYPES, 9),
        (BODY_PARTS, 6),
    ],
)
def test_each_of_them_has_a_word_of_its_own(names, count):
    assert (NUM_KEYPOINTS, NUM_SEGMENTS) == (36, 13)
    assert len(set(names)) == len(names) == count
    assert all(name == name.lower() and name.replace("_", "").isalpha() for name in names)


def test_a_mirror_exchanges_left_and_right_keypoints_of_the_same_name():
    other = {"left": "right", "right": "left"}
    for k, partner in enumerate(KEYPOINT_FLIP):
        side, _, name = KEYPOINT_NAMES[k].partition("_")
        assert side == ("left" if k < 18 else "right")
        assert KEYPOINT_NAMES[partner] == f"{other[side]}_{name}"


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


def test_segments_tile_the_surface_an_edge_between_two_of_them_is_shared_by_no_third():
    count = Counter(edge for segment in SEGMENTS for edge in _edges(segment.corners))
    assert set(count.values()) == {1, 2}
    assert all(len(set(segment.corners)) == 4 for segment in SEGMENTS)


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


def test_body_parts_share_every_keypoint_out_once_the_same_on_both_sides():
    members = [k for part in BODY_PARTS.values() for k in part]
    assert sorted(members) == list(range(NUM_KEYPOINTS))
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
