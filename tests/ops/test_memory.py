# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The memory that results go to: the caller's, where it can take them; and results of empty batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import ops, samples
from pamtri_edge.errors import InputError

Floats = NDArray[np.float32]

RNG = np.random.default_rng(6)
HEATMAPS = RNG.random((2, 36, 16, 16), dtype=np.float32)
KEYPOINTS = RNG.random((2, 36, 3), dtype=np.float32)
IMAGES = RNG.uniform(0, 255, (2, 3, 64, 64)).astype(np.float32)
CROPS = samples.crops(2, seed=1)
BOXES = np.array([[0, 0, 9, 9], [2, 1, 40, 30]], np.int32)

CALLS: dict[str, Callable[..., Floats]] = {
    "decode": lambda **options: ops.decode(HEATMAPS, **options),
    "segments": lambda **options: ops.segments(KEYPOINTS, size=64, **options),
    "stack": lambda **options: ops.stack(IMAGES, HEATMAPS, keypoints=KEYPOINTS, **options),
    "crop": lambda **options: ops.crop(CROPS[0], BOXES, **options),
    "resize": lambda **options: ops.resize(CROPS, **options),
    "window": lambda **options: ops.window(CROPS, **options),
}


@pytest.mark.usefixtures("implementation")
@pytest.mark.parametrize("operation", CALLS)
def test_memory_of_the_callers_takes_the_result(operation: str) -> None:
    expected = CALLS[operation]()
    out = np.full_like(expected, 7.0)

    assert CALLS[operation](out=out) is out
    np.testing.assert_array_equal(out, expected)


def empty(*shape: int) -> Floats:
    return np.empty((0, *shape), np.float32)


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (lambda: ops.decode(empty(36, 64, 64)), (0, 36, 3)),
        (lambda: ops.segments(empty(36, 3), size=32), (0, 13, 32, 32)),
        (lambda: ops.stack(empty(3, 8, 8), empty(36, 2, 2), keypoints=empty(36, 3)), (0, 52, 8, 8)),
        (lambda: ops.crop(CROPS[0], empty(4).astype(np.int32)), (0, 3, 256, 256)),
        (lambda: ops.resize([], size=20), (0, 3, 20, 20)),
        (lambda: ops.window([]), (0, 3, 256, 256)),
    ],
)
def test_an_empty_batch_gives_an_empty_result(call: Callable[[], Floats], shape: tuple[int, ...]) -> None:
    assert call().shape == shape


READ_ONLY = np.zeros((2, 36, 3), np.float32)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("out", "complaint"),
    [
        (np.zeros((2, 36, 2), np.float32), r"out has shape \(2, 36, 2\) .* shape \(2, 36, 3\)"),
        (np.zeros((2, 36, 3)), "dtype float64; expected a writable C-contiguous float32"),
        (np.zeros((2, 36, 6), np.float32)[..., ::2], "out is not contiguous"),
        (READ_ONLY, "out is not writable"),
        ([0.0], "out is a list"),
    ],
)
def test_an_out_that_cannot_take_the_result_is_refused(out: Floats, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        CALLS["decode"](out=out)
