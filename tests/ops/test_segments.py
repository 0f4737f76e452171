# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""segments: quadrilaterals between keypoints as masks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import ArrayLike, NDArray

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.ops import native, reference
from pamtri_edge.vehicle import SEGMENTS
from properties import tries

Floats = NDArray[np.float32]

SQUARE = np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)], np.float32)

# Coordinates that meet pixel centers, edges and each other often; the far ones overflow float32 products.
GRID = st.integers(-8, 24).map(lambda k: k / 16)
FAR = st.sampled_from([-(2.0**100), -1e6, 1e6, 2.0**127])


def with_corners(corners: ArrayLike, confidence: float = 1.0) -> Floats:
    """Return one vehicle's keypoints in which only the first segment has corners that differ."""
    keypoints = np.zeros((1, 36, 3), np.float32)
    keypoints[0, SEGMENTS[0].corners, :2] = corners
    keypoints[0, SEGMENTS[0].corners, 2] = confidence
    return keypoints


@st.composite
def keypoint_batches(draw: st.DrawFn) -> Floats:
    """Draw (N, 36, 3): tame and absurd places, confidences around the threshold."""
    count = draw(st.integers(0, 2))
    anywhere = st.one_of(GRID, GRID, st.floats(-2, 3, width=32), FAR)
    keypoints = np.empty((count, 36, 3), np.float32)
    keypoints[..., :2] = draw(hnp.arrays(np.float32, (count, 36, 2), elements=anywhere, fill=anywhere))
    confidence = st.sampled_from([0.5, 1.0, 1.0, 1.0, float(np.nextafter(np.float32(0.5), np.float32(0)))])
    keypoints[..., 2] = draw(hnp.arrays(np.float32, (count, 36), elements=confidence, fill=confidence))
    return keypoints


def is_strictly_convex(corners: Floats) -> bool:
    """Tell whether (4, 2) corners turn the same way, and truly turn, at each of them, in float32."""
    turns = []
    for i in range(4):
        a, b, c = corners[i], corners[(i + 1) % 4], corners[(i + 2) % 4]
        turns.append((b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]))
    return all(turn > 0 for turn in turns) or all(turn < 0 for turn in turns)


def outline_band(corners: Floats, size: int) -> NDArray[np.bool_]:
    """Return (size, size): the outline passes within one pixel of the pixel's center, in x and in y.

    That is, it meets the square of two by two pixels around the center; each edge is cut by the square's
    four sides.
    """
    band = np.zeros((size, size), bool)
    centers = np.mgrid[:size, :size][::-1] + 0.5  # x, y
    for i in range(4):
        start = corners[i].astype(np.float64)
        along = corners[(i + 1) % 4].astype(np.float64) - start
        enter, leave = np.zeros((size, size)), np.ones((size, size))
        for axis in range(2):
            offset = centers[axis] - start[axis]
            if along[axis] == 0:
                leave[np.abs(offset) > 1] = -1
                continue
            cuts = (offset - 1) / along[axis], (offset + 1) / along[axis]
            enter = np.maximum(enter, np.minimum(*cuts))
            leave = np.minimum(leave, np.maximum(*cuts))
        band |= enter <= leave
    return band


@given(keypoint_batches(), st.sampled_from([1, 2, 16, 31]), st.sampled_from([0.5, 0.3, -1.0]))
def test_the_compiled_code_equals_the_reference_to_the_bit(
    keypoints: Floats, size: int, threshold: float
) -> None:
    expected = np.empty((len(keypoints), 13, size, size), np.float32)
    result = np.full_like(expected, 7.0)

    reference.segments(keypoints, expected, threshold)
    native.segments(keypoints, result, threshold)

    np.testing.assert_array_equal(result, expected)


def test_the_two_agree_at_full_size_however_far_the_corners_are(rng: np.random.Generator) -> None:
    keypoints = rng.uniform(-0.2, 1.2, (12, 36, 3)).astype(np.float32)
    keypoints[..., 2] = 1.0
    keypoints[4:8, :, :2] = np.round(keypoints[4:8, :, :2] * 512) / 512  # on pixel centers and edges
    keypoints[8:, :, :2] = (keypoints[8:, :, :2] - 0.5) * 1000
    expected = np.empty((12, 13, 256, 256), np.float32)
    result = np.full_like(expected, 7.0)

    reference.segments(keypoints, expected, 0.5)
    native.segments(keypoints, result, 0.5)

    assert (expected[:8].any(axis=(2, 3))).sum() > 10
    assert expected[8:].any()
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("length", [10.0, 1e4, 1e6])
def test_the_two_agree_on_strips_that_reach_far_past_the_picture(
    length: float, rng: np.random.Generator
) -> None:
    """So far away, where an edge crosses a row is known only to several pixels."""
    angles, width = rng.uniform(0, 2 * np.pi, 100), 0.1
    along = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    across = along[:, ::-1] * (-1, 1) * width
    middle = rng.uniform(0.2, 0.8, (100, 2))
    ends = (
        middle - along * length - across,
        middle + along * length - across,
        middle + along * length + across,
        middle - along * length + across,
    )
    keypoints = np.concatenate([with_corners(strip) for strip in np.stack(ends, axis=1)])
    expected = np.empty((100, 13, 64, 64), np.float32)
    result = np.full_like(expected, 7.0)

    reference.segments(keypoints, expected, 0.5)
    native.segments(keypoints, result, 0.5)

    assert expected.any()
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("clockwise", [True, False])
def test_a_square_covers_the_pixels_whose_centers_it_holds(clockwise: bool) -> None:
    corners = SQUARE if clockwise else SQUARE[::-1]

    masks = ops.segments(with_corners(corners))

    expected = np.zeros((256, 256), np.float32)
    expected[64:192, 64:192] = 1.0
    np.testing.assert_array_equal(masks[0, 0], expected)
    assert not masks[0, 1:].any()


def test_a_center_on_the_outline_is_covered() -> None:
    left, right = 64.5 / 256, 128.5 / 256
    masks = ops.segments(with_corners([(left, left), (right, left), (right, right), (left, right)]))

    expected = np.zeros((256, 256), np.float32)
    expected[64:129, 64:129] = 1.0
    np.testing.assert_array_equal(masks[0, 0], expected)


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param(((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)), id="crossing"),
        pytest.param(((0.2, 0.2), (0.8, 0.2), (0.4, 0.4), (0.2, 0.8)), id="concave"),
        pytest.param(((0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (0.5, 0.8)), id="three in a line"),
        pytest.param(((0.2, 0.2), (0.2, 0.2), (0.8, 0.2), (0.5, 0.8)), id="two in one place"),
        pytest.param(((0.5, 0.5),) * 4, id="all in one place"),
    ],
)
def test_an_outline_that_is_not_strictly_convex_is_blank(corners: tuple[tuple[float, float], ...]) -> None:
    assert not ops.segments(with_corners(corners)).any()


def test_four_confidences_at_the_threshold_draw_and_one_below_it_blanks() -> None:
    keypoints = with_corners(SQUARE, confidence=0.5)
    assert ops.segments(keypoints).any()

    for corner in SEGMENTS[0].corners:
        doubtful = keypoints.copy()
        doubtful[0, corner, 2] = np.nextafter(np.float32(0.5), np.float32(0.0))
        assert not ops.segments(doubtful).any()
        assert ops.segments(doubtful, threshold=0.4).any()


def test_every_segment_is_drawn_between_its_own_keypoints() -> None:
    for index, segment in enumerate(SEGMENTS):
        keypoints = np.zeros((1, 36, 3), np.float32)
        keypoints[0, segment.corners, :2] = SQUARE
        keypoints[0, segment.corners, 2] = 1.0

        areas = ops.segments(keypoints, size=16).sum(axis=(0, 2, 3))

        assert np.flatnonzero(areas).tolist() == [index]


@settings(max_examples=tries(60))
@given(
    corners=st.one_of(
        # Mostly convex, and anything at all.
        hnp.arrays(np.float32, (4, 2), elements=st.floats(-0.375, 0.375, width=32)).map(SQUARE.__add__),
        hnp.arrays(np.float32, (4, 2), elements=st.floats(-0.5, 1.5, width=32)),
    ),
    size=st.sampled_from([64, 256]),
)
def test_masks_agree_with_opencv_outside_a_band_of_one_pixel(corners: Floats, size: int) -> None:
    """Outside `outline_band`; cv2.fillPoly paints the pixels that its outline touches too.

    It counts corners from a pixel's center, in 1/256 pixel. It draws on a canvas that holds all corners,
    since it misplaces an outline that it must clip.
    """
    pixels = corners * np.float32(size)
    mask = ops.segments(with_corners(corners), size=size)[0, 0]
    if not is_strictly_convex(pixels):
        assert not mask.any()
        return
    canvas = np.zeros((2 * size + 2, 2 * size + 2), np.uint8)
    margin = size // 2 + 1
    fixed_point = np.rint((pixels.astype(np.float64) - 0.5 + margin) * 256).astype(np.int32)
    cv2.fillPoly(canvas, [fixed_point], 1, lineType=cv2.LINE_8, shift=8)
    expected = canvas[margin : margin + size, margin : margin + size]

    outside = ~outline_band(pixels, size)

    np.testing.assert_array_equal(mask[outside], expected[outside])


def test_a_batch_large_enough_for_streaming_stores_is_drawn_alike(rng: np.random.Generator) -> None:
    keypoints = rng.uniform(0.0, 1.0, (12, 36, 3)).astype(np.float32)  # 41 MB of masks
    keypoints[..., 2] = 1.0

    np.testing.assert_array_equal(
        ops.segments(keypoints), np.concatenate([ops.segments(one[None]) for one in keypoints])
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"keypoints": np.zeros((1, 17, 3), np.float32)}, r"expected \(N, 36, 3\) float32"),
        ({"keypoints": np.zeros((1, 36, 3))}, "dtype float64"),
        ({"size": 0}, "size is 0; expected a whole number of pixels"),
        ({"size": 64.0}, "size is 64.0"),
        ({"threshold": float("nan")}, "threshold is nan; expected a finite number"),
        ({"threshold": "0.5"}, "threshold is '0.5'"),
        ({"out": np.zeros((1, 13, 64, 64), np.float32)}, r"expected .* shape \(1, 13, 256, 256\)"),
    ],
)
def test_other_input_is_refused(change: dict[str, object], complaint: str) -> None:
    arguments = {"keypoints": np.zeros((1, 36, 3), np.float32), **change}
    with pytest.raises(InputError, match=complaint):
        ops.segments(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [np.nan, -np.inf])
def test_a_keypoint_that_is_not_finite_does_not_vanish(broken: float) -> None:
    keypoints = np.zeros((2, 36, 3), np.float32)
    keypoints[1, 35, 0] = broken

    with pytest.raises(InputError, match="keypoint 35 of vehicle 1 holds NaN or infinity"):
        ops.segments(keypoints)
