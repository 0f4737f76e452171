# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""stack: RGB, heatmaps and segments as one normalized input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.arrays import lined_up
from pamtri_edge.errors import InputError
from pamtri_edge.geometry import RGB_MEAN, RGB_STD
from pamtri_edge.ops import native, reference

Floats = NDArray[np.float32]


def drawn_inputs(rng: np.random.Generator, count: int, side: int, maps: int) -> tuple[Floats, Floats, Floats]:
    """Return images, heatmaps (some values outside 0..1) and keypoints of which some are doubtful."""
    images = rng.uniform(0, 255, (count, 3, side, side)).astype(np.float32)
    heatmaps = rng.uniform(-0.5, 1.5, (count, maps, side // 4, side // 4)).astype(np.float32)
    keypoints = rng.uniform(-0.1, 1.1, (count, 36, 3)).astype(np.float32)
    keypoints[..., 2] += 0.4
    return images, heatmaps, keypoints


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 3),
    side=st.integers(1, 9).map(lambda n: 4 * n),
    maps=st.one_of(st.none(), st.integers(0, 3)),
    pose=st.sampled_from(["none", "segments", "keypoints"]),
)
def test_the_compiled_code_equals_the_reference_to_the_bit(
    seed: int, count: int, side: int, maps: int | None, pose: str
) -> None:
    images, heatmaps, keypoints = drawn_inputs(np.random.default_rng(seed), count, side, maps or 0)
    given_maps = None if maps is None else heatmaps
    segments = ops.segments(keypoints, size=side) if pose == "segments" else None
    points = keypoints if pose == "keypoints" else None
    channels = 3 + (maps or 0) + (0 if pose == "none" else 13)
    expected = np.empty((count, channels, side, side), np.float32)
    result = np.full_like(expected, 7.0)

    reference.stack(images, given_maps, segments, points, expected, 0.5)
    native.stack(images, given_maps, segments, points, result, 0.5)

    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("start", [0, 4], ids=lambda start: f"{4 * start} bytes past a cache line")
def test_a_batch_large_enough_for_streaming_stores_is_stacked_alike(
    rng: np.random.Generator, start: int
) -> None:
    images, heatmaps, keypoints = drawn_inputs(rng, 3, 256, 36)  # 41 MB of stack
    shape = (3, 52, 256, 256)
    expected = np.empty(shape, np.float32)
    result = lined_up((expected.size + start,))[start:].reshape(shape)
    result[...] = 7.0

    reference.stack(images, heatmaps, None, keypoints, expected, 0.5)
    native.stack(images, heatmaps, None, keypoints, result, 0.5)

    np.testing.assert_array_equal(result, expected)


def test_channels_are_red_green_blue_then_heatmaps_then_segments(rng: np.random.Generator) -> None:
    images, heatmaps, keypoints = drawn_inputs(rng, 2, 256, 36)
    segments = ops.segments(keypoints)

    result = ops.stack(images, heatmaps, segments)

    assert result.shape == (2, 52, 256, 256)
    for channel in range(3):
        expected = (images[:, channel].astype(np.float64) / 255 - RGB_MEAN[channel]) / RGB_STD[channel]
        np.testing.assert_allclose(result[:, channel], expected, rtol=0, atol=2e-6)
    np.testing.assert_array_equal(result[:, 3:39], ops.stack(images, heatmaps)[:, 3:])
    np.testing.assert_array_equal(result[:, 39:], ops.stack(images, None, segments)[:, 3:])
    np.testing.assert_allclose(result[:, 39:], (segments - 0.449) / 0.226, rtol=0, atol=1e-6)


def test_heatmaps_are_clipped_and_then_enlarged_as_opencv_does(rng: np.random.Generator) -> None:
    images, heatmaps, _ = drawn_inputs(rng, 1, 256, 36)

    result = ops.stack(images, heatmaps)[0, 3:]

    for channel, heatmap in zip(result, heatmaps[0], strict=True):
        enlarged = cv2.resize(np.clip(heatmap, 0, 1), (256, 256), interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(channel, (enlarged - 0.449) / 0.226, rtol=0, atol=2e-6)


def test_keypoints_instead_of_segments_give_the_same_stack(rng: np.random.Generator) -> None:
    images, heatmaps, keypoints = drawn_inputs(rng, 2, 128, 36)

    direct = ops.stack(images, heatmaps, keypoints=keypoints, threshold=0.7)

    np.testing.assert_array_equal(
        direct, ops.stack(images, heatmaps, ops.segments(keypoints, size=128, threshold=0.7))
    )
    assert np.unique(direct[:, 39:]).size == 2


def test_images_alone_are_normalized() -> None:
    result = ops.stack(np.full((1, 3, 8, 8), 255.0, np.float32))

    assert result.shape == (1, 3, 8, 8)
    np.testing.assert_allclose(result[0, :, 4, 4], (1 - np.array(RGB_MEAN)) / RGB_STD, rtol=1e-6, atol=1e-6)


def test_nan_stays_where_it_reaches_and_nowhere_else(rng: np.random.Generator) -> None:
    images, heatmaps, _ = drawn_inputs(rng, 1, 32, 2)
    images[0, 1, 3, 4] = np.nan
    heatmaps[0, 1, 5, 0] = np.nan

    broken = np.isnan(ops.stack(images, heatmaps))

    expected = np.zeros((1, 5, 32, 32), bool)
    expected[0, 1, 3, 4] = True
    expected[0, 4, 18:26, 0:6] = True  # row 5 and column 0 reach the lines between their neighbors
    np.testing.assert_array_equal(broken, expected)


IMAGES = np.zeros((2, 3, 16, 16), np.float32)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"images": IMAGES.astype(np.uint8)}, "images has dtype uint8"),
        ({"images": IMAGES.transpose(0, 2, 3, 1)}, r"images has shape .* expected \(N, 3, P, P\) float32"),
        ({"images": IMAGES[..., :15, :15]}, "a side that is a multiple of 4"),
        (
            {"heatmaps": np.zeros((2, 36, 8, 8), np.float32)},
            r"heatmaps has shape .* expected \(2, K, 4, 4\) float32",
        ),
        ({"heatmaps": np.zeros((1, 36, 4, 4), np.float32)}, r"expected \(2, K, 4, 4\)"),
        ({"segments": np.zeros((2, 13, 8, 8), np.float32)}, r"expected \(2, Q, 16, 16\)"),
        ({"segments": np.zeros((2, 13, 16, 16), bool)}, "segments has dtype bool"),
        ({"keypoints": np.zeros((1, 36, 3), np.float32)}, r"expected \(2, 36, 3\)"),
        ({"keypoints": np.full((2, 36, 3), np.nan, np.float32)}, "keypoint 0 of vehicle 0 holds NaN"),
        (
            {
                "segments": np.zeros((2, 13, 16, 16), np.float32),
                "keypoints": np.zeros((2, 36, 3), np.float32),
            },
            "segments and keypoints; expected one of the two",
        ),
        ({"out": IMAGES}, "out shares memory with an input"),
    ],
)
def test_other_input_is_refused(arguments: dict[str, Floats], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        ops.stack(**{"images": IMAGES, **arguments})  # type: ignore[arg-type]
