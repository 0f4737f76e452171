# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The choice of layers that go back to float32, on losses that are made up."""

from __future__ import annotations

from pamtri_edge.export.onnx.fallback import Loss, fall_back

GROUPS = ("stem", "middle", "end")


def losing(**points):
    """Return a measure that loses so many points for each group in int8, and counts its calls."""
    asked = []

    def measure(floats):
        asked.append(floats)
        left = sum(lost for group, lost in points.items() if group not in floats)
        return Loss(left, left / 100)

    return measure, asked


def test_a_file_within_the_limit_is_left_as_it_is():
    whole, whole_asked = losing(stem=0.2, middle=0.1, end=0.3)
    part, part_asked = losing()
    assert fall_back(GROUPS, whole=whole, part=part, limit=1.0) == ()
    assert whole_asked == [()]
    assert part_asked == []


def test_the_group_that_costs_most_goes_back_first():
    whole, whole_asked = losing(stem=0.5, middle=3.0, end=0.2)
    part, part_asked = losing(stem=0.5, middle=3.0, end=0.2)
    found = fall_back(GROUPS, whole=whole, part=part, limit=1.0)
    assert found == ("middle",)
    assert whole_asked == [(), ("middle",)]
    assert part_asked == [(), ("stem",), ("middle",), ("end",)]


def test_groups_are_added_until_the_whole_set_is_within_the_limit():
    losses = {"stem": 2.0, "middle": 3.0, "end": 0.5}
    found = fall_back(GROUPS, whole=losing(**losses)[0], part=losing(**losses)[0], limit=1.0)
    assert found == ("middle", "stem")


def test_what_is_chosen_is_tried_together_with_what_was_chosen_before():
    part, asked = losing(stem=2.0, middle=3.0, end=0.5)
    fall_back(GROUPS, whole=losing(stem=2.0, middle=3.0, end=0.5)[0], part=part, limit=1.0)
    assert asked[4:] == [("middle", "stem"), ("middle", "end")]


def test_the_whole_set_decides_and_not_the_part():
    """The part shows a loss of `stem` alone, the whole one of `end` too."""
    whole = losing(stem=3.0, end=3.0)[0]
    part = losing(stem=3.0, end=0.1)[0]
    assert fall_back(GROUPS, whole=whole, part=part, limit=1.0) == ("stem", "end")


def test_where_no_group_helps_the_search_ends_above_the_limit():
    found = fall_back(GROUPS, whole=lambda _: Loss(5.0, 0.1), part=lambda _: Loss(5.0, 0.1), limit=1.0)
    assert found == ()


def test_one_group_stays_in_int8_whatever_it_costs():
    losses = dict.fromkeys(GROUPS, 4.0)
    found = fall_back(GROUPS, whole=losing(**losses)[0], part=losing(**losses)[0], limit=1.0)
    assert len(found) == 2


def test_groups_that_helped_the_part_alone_are_not_kept():
    def whole(floats):
        return Loss(5.0 + len(floats), 0.1)

    found = fall_back(GROUPS, whole=whole, part=losing(stem=3.0, middle=2.0)[0], limit=1.0)
    assert found == ()


def test_between_equal_losses_the_smaller_drift_decides():
    drifts = {"stem": 0.03, "middle": 0.02, "end": 0.01}

    def part(floats):
        return Loss(0.0, sum(drift for group, drift in drifts.items() if group not in floats))

    def whole(floats):
        return Loss(2.0 - len(floats), part(floats).drift)

    assert fall_back(GROUPS, whole=whole, part=part, limit=1.0) == ("stem",)
