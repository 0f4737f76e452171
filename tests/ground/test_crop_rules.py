# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which integer rectangle is cut for a box: both rules, worked by hand, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.errors import InputError
from pamtri_edge.geometry import CropRule, crop_rectangles

WIDTH, HEIGHT = 640, 352


def cut(*boxes, rule=CropRule.EXACT, width=WIDTH, height=HEIGHT):
    return crop_rectangles(np.array(boxes, float), width, height, rule).tolist()


@pytest.mark.parametrize(
    ("box", "rectangle"),
    [
        ((10, 20, 50, 60), [10, 20, 50, 60]),
        ((10.2, 20.9, 49.1, 59.0), [10, 20, 50, 59]),
        ((10.0, 20.0, 10.1, 20.1), [10, 20, 11, 21]),
        ((-5.5, -0.1, 12.0, 8.0), [0, 0, 12, 8]),
        ((600.5, 300.5, 700.0, 400.0), [600, 300, 640, 352]),
        ((-10, -10, 1000, 1000), [0, 0, 640, 352]),
        ((639.5, 351.5, 640.0, 352.0), [639, 351, 640, 352]),
    ],
)
def test_exact_clips_to_the_frame_and_rounds_outward(box, rectangle):
    assert cut(box) == [rectangle]


@pytest.mark.parametrize(
    ("box", "rectangle"),
    [
        ((10, 20, 50, 60), [10, 20, 50, 60]),
        # Left 11 and top 21 go up to even; width 40 and height 40 stay.
        ((11, 21, 51, 61), [12, 22, 52, 62]),
        # Width 41 and height 39 go down to even.
        ((10, 20, 51, 59), [10, 20, 50, 58]),
        # Fractions are dropped before anything is made even: left 10.9 -> 10, width 40.3 -> 40.
        ((10.9, 20.9, 51.2, 61.9), [10, 20, 50, 60]),
        # Left 11.5 -> 11 -> 12, width 40.0 -> 40.
        ((11.5, 20.0, 51.5, 60.0), [12, 20, 52, 60]),
        # Clipped first: the box is 12 wide, not 17.5.
        ((-5.5, -0.1, 12.0, 8.0), [0, 0, 12, 8]),
        # At the right edge the even left pushes the rectangle past the frame, which cuts it.
        ((601, 301, 640, 352), [602, 302, 640, 352]),
        ((637, 300, 640, 352), [638, 300, 640, 352]),
    ],
)
def test_nvinfer_makes_the_corner_even_upward_and_the_size_even_downward(box, rectangle):
    assert cut(box, rule=CropRule.NVINFER) == [rectangle]


def test_nvinfer_in_a_frame_of_odd_width_keeps_inside_it():
    assert cut((97, 0, 101, 10), rule=CropRule.NVINFER, width=101, height=51) == [[98, 0, 101, 10]]


def test_no_boxes_give_no_rectangles():
    for nothing in ([], np.zeros((0, 4)), np.zeros((0, 4), np.float32)):
        rectangles = crop_rectangles(nothing, WIDTH, HEIGHT)
        assert rectangles.shape == (0, 4)
        assert rectangles.dtype == np.int32


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((50, 20, 10, 60), "empty or inverted"),
        ((10, 60, 50, 20), "empty or inverted"),
        ((10, 20, 10, 60), "empty or inverted"),
        ((10, 20, 50, float("nan")), "not finite"),
        ((float("-inf"), 20, 50, 60), "not finite"),
        ((640, 20, 700, 60), "outside the 640x352 frame"),
        ((-50, 20, 0, 60), "outside the 640x352 frame"),
        ((10, 400, 50, 500), "outside the 640x352 frame"),
    ],
)
def test_a_box_that_cuts_nothing_is_refused_and_named(box, words):
    with pytest.raises(InputError, match=r"^box 1, \(") as error:
        cut((0, 0, 5, 5), box)
    assert words in str(error.value)


def test_several_bad_boxes_are_counted():
    with pytest.raises(InputError, match=r"^box 0, .* \(2 such boxes of 3\)\.$"):
        cut((9, 9, 1, 1), (1, 1, 9, 9), (5, 5, 5, 9))


@pytest.mark.parametrize("box", [(10, 20, 11.9, 60), (10, 20, 50, 21.5), (639, 0, 640, 352)])
def test_nvinfer_refuses_what_its_rounding_leaves_nothing_of(box):
    with pytest.raises(InputError, match="too small for crop_rule='nvinfer'"):
        cut(box, rule=CropRule.NVINFER)


@pytest.mark.parametrize("boxes", [[1, 2, 3, 4], [[1, 2, 3]], [[[1, 2, 3, 4]]]])
def test_boxes_of_another_shape_are_refused(boxes):
    with pytest.raises(InputError, match=r"expected \(N, 4\)"):
        crop_rectangles(boxes, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([(0.1, 0.2, 0.5, 0.9)], "between 0 and 1, as shares of the frame; .* Multiply x by 100 and y by 60"),
        ([(0.1, 0.2, 0.5, 0.9), (0, 0, 1, 1)], "between 0 and 1"),
        ([("a", "b", "c", "d")], "boxes are of type <U1; expected"),
        ([(0, 0, 9), (0, 0, 9, 9)], "cannot be read as numbers"),
        ([(0, 0, 10**400, 9)], "cannot be read as numbers"),
        (np.ones((1, 4), complex), "boxes are of type complex128"),
        ({"x": 1}, "cannot be read as numbers"),
    ],
)
def test_boxes_that_are_shares_or_no_numbers_say_what_is_expected(boxes, words):
    with pytest.raises(InputError, match=words):
        crop_rectangles(boxes, 100, 60)


@pytest.mark.parametrize("far", [2.0**31, 2.0**63, 1e300])
def test_a_box_may_reach_past_the_frame_however_far(far):
    assert crop_rectangles([(-far, 10, far, 20)], 100, 60).tolist() == [[0, 10, 100, 20]]


@st.composite
def boxes_in_reach(draw):
    """Boxes of which something lies in the frame."""
    x1, y1 = draw(st.floats(-200, WIDTH - 4)), draw(st.floats(-200, HEIGHT - 4))
    x2 = max(x1, 0.0) + draw(st.floats(4, 400))
    y2 = max(y1, 0.0) + draw(st.floats(4, 400))
    return x1, y1, x2, y2


@given(boxes_in_reach())
def test_exact_covers_every_pixel_that_the_box_touches_and_no_other(box):
    ((x1, y1, x2, y2),) = cut(box)
    left, top, right, bottom = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    assert x1 <= left < x1 + 1
    assert y1 <= top < y1 + 1
    assert x2 - 1 < right <= x2
    assert y2 - 1 < bottom <= y2


@given(boxes_in_reach())
def test_nvinfer_is_even_inside_the_frame_and_within_two_pixels_of_the_box(box):
    ((x1, y1, x2, y2),) = cut(box, rule=CropRule.NVINFER)
    assert x1 % 2 == y1 % 2 == x2 % 2 == y2 % 2 == 0
    assert 0 <= x1 < x2 <= WIDTH
    assert 0 <= y1 < y2 <= HEIGHT
    clipped = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    assert np.abs(clipped - [x1, y1, x2, y2]).max() <= 3


@given(st.lists(boxes_in_reach(), min_size=1, max_size=5), st.sampled_from(CropRule))
def test_boxes_are_cut_independently(boxes, rule):
    together = cut(*boxes, rule=rule)
    assert together == [cut(box, rule=rule)[0] for box in boxes]
