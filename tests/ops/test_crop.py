# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""crop, resize and window: pictures become the networks' input."""

from __future__ import annotations

import platform

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.ops import native, reference
from row_loops import loops

Pictures = NDArray[np.uint8]

# OpenCV's builds for other architectures may bring vendor code that rounds its own way.
OPENCV_MAY_DIFFER_BY = 0 if platform.machine() in ("x86_64", "AMD64") else 1


def picture(seed: int, height: int, width: int) -> Pictures:
    """Return noise, which shows every rounding; every fifth picture is black and white only."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.where(pixels > 127, 255, 0).astype(np.uint8) if seed % 5 == 0 else pixels


def opencv(pixels: Pictures, size: int) -> NDArray[np.float32]:
    resized = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR)
    planar: NDArray[np.float32] = resized.transpose(2, 0, 1).astype(np.float32)
    return planar


@given(
    seed=st.integers(0, 2**32 - 1),
    shapes=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), max_size=3),
    size=st.integers(1, 80),
    swap_channels=st.booleans(),
    plain=st.booleans(),
)
def test_the_compiled_code_equals_the_reference_to_the_bit(
    seed: int, shapes: list[tuple[int, int]], size: int, swap_channels: bool, plain: bool
) -> None:
    crops = [picture(seed + i, *shape) for i, shape in enumerate(shapes)]
    expected = np.empty((len(crops), 3, size, size), np.float32)
    result = np.full_like(expected, 7.0)

    reference.resize(crops, expected, swap_channels)
    with loops(plain=plain):
        native.resize(crops, result, swap_channels)

    np.testing.assert_array_equal(result, expected)


@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 600),
    width=st.integers(1, 600),
    size=st.sampled_from([32, 96, 256]),
)
def test_pixels_are_those_of_opencv(seed: int, height: int, width: int, size: int) -> None:
    pixels = picture(seed, height, width)

    result = ops.resize([pixels], size=size)[0]

    np.testing.assert_allclose(result, opencv(pixels, size), rtol=0, atol=OPENCV_MAY_DIFFER_BY)


@pytest.mark.parametrize(
    ("height", "width"),
    [(256, 256), (512, 512), (128, 128), (512, 256), (1, 1), (1, 300), (300, 1), (1080, 1920)],
)
def test_pixels_are_those_of_opencv_at_special_scales(height: int, width: int) -> None:
    pixels = picture(3, height, width)

    result = ops.resize([pixels])[0]

    np.testing.assert_allclose(result, opencv(pixels, 256), rtol=0, atol=OPENCV_MAY_DIFFER_BY)


def test_a_rectangle_of_a_frame_is_resized_as_if_cut_out() -> None:
    frame = picture(1, 240, 320)
    rectangles = np.array(
        [[0, 0, 320, 240], [10, 20, 11, 21], [300, 200, 320, 240], [5, 7, 205, 99]], np.int32
    )

    result = ops.crop(frame, rectangles)

    assert result.shape == (4, 3, 256, 256)
    for (x1, y1, x2, y2), pixels in zip(rectangles, result, strict=True):
        np.testing.assert_array_equal(pixels, ops.resize([frame[y1:y2, x1:x2]])[0])


def test_swapping_channels_makes_rgb_of_a_bgr_frame() -> None:
    frame = picture(2, 60, 80)
    rectangle = np.array([[3, 4, 70, 50]], np.int32)

    for size in (64, 32):
        swapped = ops.crop(frame, rectangle, size=size, swap_channels=True)
        np.testing.assert_array_equal(swapped, ops.crop(frame, rectangle, size=size)[:, ::-1])


@pytest.mark.usefixtures("implementation")
def test_pictures_may_lie_in_memory_as_they_like() -> None:
    pixels = picture(4, 50, 70)
    views = [
        pixels[5:, 10:60],  # rows apart
        pixels[::2],
        pixels[::-1],  # bottom up
        pixels[:, ::2],
        pixels[..., ::-1],
        np.asfortranarray(pixels),
        np.broadcast_to(pixels[:1], (20, 70, 3)),
    ]

    np.testing.assert_array_equal(
        ops.resize(views, size=40), ops.resize([np.ascontiguousarray(view) for view in views], size=40)
    )


def test_one_array_of_pictures_does_as_well_as_a_list() -> None:
    batch = np.stack([picture(seed, 30, 40) for seed in range(1, 4)])

    np.testing.assert_array_equal(ops.resize(batch, size=24), ops.resize(list(batch), size=24))


def test_the_window_holds_the_crop_in_its_middle_and_is_black_around() -> None:
    wide, tall = np.full((100, 200, 3), 200, np.uint8), np.full((80, 40, 3), 200, np.uint8)

    result = ops.window([wide, tall])

    # The longer side takes 256 / 1.25 = 204.8 pixels; near the border the crop fades over one of its own.
    rows, columns = np.mgrid[:256, :256] - 128
    for pixels, half_height, half_width in ((result[0], 51.2, 102.4), (result[1], 102.4, 51.2)):
        inside = (abs(rows) < half_height - 4) & (abs(columns) < half_width - 4)
        outside = (abs(rows) > half_height + 4) | (abs(columns) > half_width + 4)
        assert (pixels[:, inside] == 200).all()
        assert not pixels[:, outside].any()


def test_the_window_maps_crop_pixels_as_the_original_does() -> None:
    crop = np.zeros((100, 200, 3), np.uint8)
    crop[28:31, 158:161] = (10, 120, 250)  # centered on x = 159, y = 29

    red, _, blue = ops.window([crop])[0]

    weight = blue / blue.sum()
    scale = 256 / (1.25 * 200)
    assert float((weight.sum(axis=0) * np.arange(256)).sum()) == pytest.approx(
        (159 - 100) * scale + 128, abs=0.1
    )
    assert float((weight.sum(axis=1) * np.arange(256)).sum()) == pytest.approx(
        (29 - 50) * scale + 128, abs=0.1
    )
    assert red.max() == 10
    np.testing.assert_array_equal(ops.window([crop], swap_channels=True)[0, 0], blue)


FRAME = np.zeros((48, 64, 3), np.uint8)


@pytest.mark.parametrize(
    "rectangle",
    [[-1, 0, 5, 5], [0, 0, 65, 5], [0, 0, 5, 49], [5, 0, 5, 5], [0, 9, 5, 8], [0, -(2**31), 5, 2**31 - 1]],
)
def test_a_rectangle_that_is_empty_or_outside_is_refused(rectangle: list[int]) -> None:
    rectangles = np.array([[0, 0, 64, 48], rectangle], np.int32)
    with pytest.raises(InputError, match=r"rectangle 1 is .* within the frame of 64 x 48 pixels"):
        ops.crop(FRAME, rectangles)


@pytest.mark.parametrize(
    ("frame", "rectangles", "complaint"),
    [
        (FRAME[..., 0], np.zeros((1, 4), np.int32), "the frame has shape"),
        (FRAME.astype(np.float32), np.zeros((1, 4), np.int32), "the frame has dtype float32"),
        (FRAME, np.zeros((1, 4)), "rectangles has dtype float64; expected .* int32"),
        (FRAME, np.zeros(4, np.int32), r"rectangles has shape \(4,\); expected \(N, 4\) int32"),
    ],
)
def test_another_frame_or_other_rectangles_are_refused(
    frame: Pictures, rectangles: NDArray[np.int32], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        ops.crop(frame, rectangles)


@pytest.mark.parametrize("operation", [ops.resize, ops.window])
@pytest.mark.parametrize(
    ("crops", "complaint"),
    [
        ([FRAME, FRAME[:0]], "crop 1 has no pixels"),
        ([FRAME[..., 0]], "crop 0 has shape"),
        (FRAME, "a single picture; pass a list"),
    ],
)
def test_other_pictures_are_refused(operation: object, crops: object, complaint: str) -> None:
    assert callable(operation)
    with pytest.raises(InputError, match=complaint):
        operation(crops)
