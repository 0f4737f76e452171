# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The few filters of OpenCV that pictures of floats go through, with float32 in and out."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def resized(image: Floats, width: int, height: int) -> Floats:
    """Return a picture at another size: averaged where it shrinks, interpolated where it grows."""
    shrinks = width * height < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast(Floats, cv2.resize(image, (width, height), interpolation=how))


def enlarged(image: Floats, width: int, height: int) -> Floats:
    """Return a picture at a larger size, by cubic interpolation, which may overshoot."""
    return cast(Floats, cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC))


def blurred(image: Floats, sigma: float) -> Floats:
    """Return a picture blurred by a Gaussian of `sigma` pixels."""
    return cast(Floats, cv2.GaussianBlur(image, (0, 0), sigma))


def smeared(image: Floats, kernel: Floats) -> Floats:
    """Return a picture correlated with a kernel; its border is continued."""
    return cast(Floats, cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def smoothed(image: Floats, tolerance: float) -> Floats:
    """Return a picture (0..1) whose neighboring pixels are averaged where they differ little."""
    return cast(Floats, cv2.bilateralFilter(image, 5, tolerance, 1.5))


def weighted(image: Floats, weight: float, other: Floats, other_weight: float) -> Floats:
    """Return the weighted sum of two pictures."""
    return cast(Floats, cv2.addWeighted(image, weight, other, other_weight, 0.0))
