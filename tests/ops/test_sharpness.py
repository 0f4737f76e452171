# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Sharpness beside what OpenCV and NumPy say of the same pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.ops import native, reference
from pamtri_edge.video.gate import detail
from properties import tries
from row_loops import loops

SIDES = st.integers(1, 200) | st.sampled_from([32, 63, 64, 65, 128, 192, 256, 300, 511])


def by_opencv(crop: NDArray[np.uint8]) -> float:
    """Return what `detail` was before it became an operation, in float32 where NumPy was."""
    small = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    contrast = float(np.std(gray))
    return float(np.std(cv2.Laplacian(gray, cv2.CV_32F))) / contrast if contrast > 0 else 0.0


def picture(seed: int, high: int, wide: int) -> NDArray[np.uint8]:
    """Return a picture of soft and hard edges and noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (rng.integers(1, 9), rng.integers(1, 9), 3), dtype=np.uint8)
    whole = cv2.resize(
        coarse, (wide, high), interpolation=cv2.INTER_LINEAR if seed % 2 else cv2.INTER_NEAREST
    )
    noise = rng.integers(-20, 21, whole.shape) * (seed % 3)
    return np.clip(whole.astype(np.int64).reshape(high, wide, 3) + noise, 0, 255).astype(np.uint8)


def both(
    crops: list[NDArray[np.uint8]], *, swap: bool = False, plain: bool = False
) -> tuple[NDArray[np.float64], ...]:
    results = np.full((2, len(crops)), -1.0)
    with loops(plain=plain):
        native.sharpness(crops, results[0], swap)
    reference.sharpness(crops, results[1], swap)
    return results[0], results[1]


@settings(max_examples=tries(60))
@given(st.integers(0, 1000), SIDES, SIDES, st.booleans(), st.booleans())
def test_it_is_that_of_opencv(seed: int, high: int, wide: int, swap: bool, plain: bool) -> None:
    crop = picture(seed, high, wide)
    compiled, read = both([crop[..., ::-1].copy() if swap else crop], swap=swap, plain=plain)
    np.testing.assert_array_equal(compiled, read)
    np.testing.assert_allclose(compiled, by_opencv(crop), rtol=5e-6)


@pytest.mark.parametrize("size", [(64, 64), (128, 128), (192, 128), (256, 64), (63, 200), (200, 63), (1, 1)])
def test_whole_factors_and_mixed_sides_are_those_of_opencv(size: tuple[int, int]) -> None:
    for seed in range(6):
        compiled, read = both([picture(seed, *size)])
        np.testing.assert_array_equal(compiled, read)


def test_pictures_of_many_sizes_and_rectangles_of_frames_go_together() -> None:
    frame = picture(1, 300, 400)
    crops = [
        frame[10:200, 33:180],
        frame[::2, 100:],
        picture(2, 20, 30),
        np.ascontiguousarray(frame[..., ::-1]),
    ]
    for swap in (False, True):
        compiled, read = both(crops, swap=swap)
        np.testing.assert_array_equal(compiled, read)
    assert both([frame])[0] == both([crops[-1]], swap=True)[0]


def test_real_crops_keep_their_values(real_crops: list[NDArray[np.uint8]]) -> None:
    found = ops.sharpness(real_crops[:60])
    np.testing.assert_allclose(found, [by_opencv(crop) for crop in real_crops[:60]], rtol=5e-6)


def test_blur_lowers_it_and_a_flat_picture_has_none() -> None:
    sharp = picture(2, 120, 160)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 4).astype(np.uint8)
    flat = np.full((50, 70, 3), 9, np.uint8)
    values = ops.sharpness([sharp, blurred, flat])
    assert values[0] > 2 * values[1] > values[2] == 0.0
    assert detail(sharp) == values[0]


def test_no_pictures_give_none_and_other_forms_are_refused() -> None:
    assert ops.sharpness([]).shape == (0,)
    with pytest.raises(InputError, match="crop"):
        ops.sharpness([np.zeros((4, 4), np.uint8)])
