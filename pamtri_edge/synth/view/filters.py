# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The filters of OpenCV that several steps of a picture go through."""

from __future__ import annotations

from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_Picture = TypeVar("_Picture", NDArray[np.float32], NDArray[np.uint8])


def resized(image: _Picture, width: int, height: int) -> _Picture:
    """Return a picture at another size: averaged where it shrinks, interpolated where it grows."""
    shrinks = width * height < image.shape[0] * image.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cast(_Picture, cv2.resize(image, (width, height), interpolation=how))


def enlarged(image: Floats, width: int, height: int) -> Floats:
    """Return a picture at a larger size, by cubic interpolation, which may overshoot."""
    return cast(Floats, cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC))


def blurred(image: Floats, sigma: float) -> Floats:
    """Return a picture blurred by a Gaussian of `sigma` pixels."""
    return cast(Floats, cv2.GaussianBlur(image, (0, 0), sigma))
