# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The simple features that a network must beat, by the names that the command line knows them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.views import Picture
from pamtri_edge.evaluate.features import Describer, Description, Floats

_THUMBNAIL: Final = 16  # side in pixels
_BINS: Final = 8

_NAMES: Final = (
    (0, 0, 0), (128, 128, 128), (255, 255, 255), (200, 20, 30), (240, 130, 20), (240, 220, 40),
    (30, 140, 50), (30, 60, 190), (110, 40, 150), (110, 70, 30), (240, 150, 190),
)  # fmt: skip
"""RGB of the basic colors: black, gray, white, red, orange, yellow, green, blue, purple, brown, pink."""

_NEIGHBORS: Final = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""Rows and columns around a pixel, clockwise."""

_SIDE: Final = 128  # of the picture that color names and patterns are looked for in, in pixels
_STRIPS: Final = 4  # from top to bottom, of the colors
_CELLS: Final = 4  # along each side, of the patterns


class Thumbnail:
    """The picture itself, very small, without its mean brightness: what looks alike at a glance."""

    name = f"{_THUMBNAIL}x{_THUMBNAIL} thumbnail"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        size = (_THUMBNAIL, _THUMBNAIL)
        small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(-1) for picture in pictures]
        values = np.stack(small).astype(np.float32)
        return Description(values - values.mean(axis=1, keepdims=True))


@dataclass
class Histogram:
    """How often each color occurs: a joint histogram of three channels.

    Its square roots are the feature, so that the cosine of two is their Bhattacharyya coefficient.

    Attributes:
        channels: their letters.
        first: where the first channel ends; the others end at 256.
        conversion: OpenCV's, from RGB to these channels; None for RGB itself.
    """

    channels: str
    first: int = 256
    conversion: int | None = None

    def __post_init__(self) -> None:
        self.name = f"{self.channels} histogram ({_BINS}x{_BINS}x{_BINS})"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        return Description(np.stack([np.sqrt(self._shares(picture)) for picture in pictures]))

    def _shares(self, picture: Picture) -> Floats:
        converted = picture if self.conversion is None else cv2.cvtColor(picture, self.conversion)
        ranges = [0, self.first, 0, 256, 0, 256]
        counts = cv2.calcHist([converted], [0, 1, 2], None, [_BINS] * 3, ranges)
        return np.asarray(counts.reshape(-1) / counts.sum(), np.float32)


class ColorsAndTexture:
    """Which color names occur in each strip of the picture, and which local binary patterns in each cell.

    Both are square roots of shares, so that a cosine is the mean of the two Bhattacharyya coefficients.

    Source: Liu et al., "Large-Scale Vehicle Re-Identification in Urban Surveillance Videos" (ICME 2016),
    whose FACT adds a bag of color names and one of SIFT descriptors to a network's attributes. Here are its
    two hand-made halves; local binary patterns (Ojala et al., TPAMI 2002) take the place of SIFT, since they
    need no vocabulary that would have to be learned somewhere.
    """

    name = "color names + LBP (FACT)"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        return Description(np.stack([self._feature(picture) for picture in pictures]))

    def _feature(self, picture: Picture) -> Floats:
        shape = (_SIDE, _SIDE)
        small = np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA), np.uint8)
        rows, columns = np.indices(shape)
        strip = rows * _STRIPS // _SIDE
        cell = rows * _CELLS // _SIDE * _CELLS + columns * _CELLS // _SIDE
        colors = _shares(color_names(small), strip, len(_NAMES), _STRIPS)
        gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        kinds = int(_uniform().max()) + 1
        patterns = _shares(binary_patterns(np.asarray(gray)), cell, kinds, _CELLS**2)
        return np.sqrt(np.concatenate([colors, patterns]) / 2.0).astype(np.float32)


def color_names(picture: Picture) -> NDArray[np.int64]:
    """Return the nearest basic color of each pixel, (H, W): by its place in CIE L*a*b*."""
    palette = cv2.cvtColor(np.array([_NAMES], np.float32) / 255.0, cv2.COLOR_RGB2LAB)[0]
    pixels = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    away = ((pixels[..., None, :] - palette) ** 2).sum(axis=-1)
    return np.asarray(away.argmin(axis=-1), np.int64)


def binary_patterns(gray: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the uniform pattern of each pixel, (H, W): 0 to 57, or 58 for those with many changes around."""
    framed = np.pad(gray, 1, mode="edge")
    high, wide = gray.shape
    code = np.zeros(gray.shape, np.int64)
    for bit, (row, column) in enumerate(_NEIGHBORS):
        code |= (framed[1 + row : 1 + row + high, 1 + column : 1 + column + wide] >= gray).astype(
            np.int64
        ) << bit
    return _uniform()[code]


@cache
def _uniform() -> NDArray[np.int64]:
    """Return the number of each of the 256 patterns; those with more than two changes share the last."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    plain = (bits != np.roll(bits, 1, axis=1)).sum(axis=1) <= 2
    return np.where(plain, np.cumsum(plain) - 1, plain.sum())


def _shares(kinds: NDArray[np.int64], places: NDArray[np.int64], count: int, parts: int) -> Floats:
    """Return how often each kind occurs in each place, (parts * count,), all together 1."""
    found = np.bincount((places * count + kinds).ravel(), minlength=parts * count)
    return np.asarray(found / found.sum(), np.float32)


BASELINES: Final[dict[str, Describer]] = {
    "thumbnail": Thumbnail(),
    "histogram": Histogram("HSV", 180, cv2.COLOR_RGB2HSV),  # where hue ends in OpenCV's form of 8 bits
    "rgb-histogram": Histogram("RGB"),  # the harder one to beat across cameras
    "fact": ColorsAndTexture(),
}
