# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Why the input that a network was given elsewhere is not the one that it would have been given here.

What can go wrong on the way from a surface to a tensor leaves traces of its own. Pixels are whole numbers, so
that the values of a tensor lie on a grid: its step is the factor that they were multiplied with, and values
below 0 tell that something was subtracted. What is left is compared with every pair of a scaler and a misread
color conversion; the pair that explains it best is the cause, if it explains it clearly better than what was
expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge import ops

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

LEAST_ERROR: Final = 1.0
"""Levels of 255, root mean square, below which an input is as expected."""
_CLEARER: Final = 0.7
"""What another explanation must bring this error down to, of what it was."""
_SAME_PICTURE: Final = 0.8
"""Least correlation of small gray pictures that show the same crop."""
_ON_GRID: Final = 0.02
_CROPS: Final = 6
_EVERY: Final = 4
"""Of the pixels every fourth is compared, down and across."""
_THUMB: Final = 16
_ROOM: Final = 4
"""Levels that a wrong range moves even a dark picture below 0 by rounding; more was subtracted."""


def _stretched(filter_of_cv2: int) -> Callable[[Pixels, int], Floats]:
    def scaled(picture: Pixels, side: int) -> Floats:
        pixels: Floats = cv2.resize(picture, (side, side), interpolation=filter_of_cv2).astype(np.float32)
        return pixels

    return scaled


def _averaged(picture: Pixels, side: int) -> Floats:
    """Average over exactly as much as a pixel covers, sides that grow included."""
    rows, columns = (_coverage(length, side) for length in picture.shape[:2])
    pixels = picture.astype(np.float32)
    averages: Floats = np.einsum("ij,jkc,lk->ilc", rows, pixels, columns, optimize=True).astype(np.float32)
    return averages


def _coverage(length: int, side: int) -> Floats:
    """Return how much of each of `length` pixels lies in each of `side`, (side, length); rows sum to 1."""
    edges = np.linspace(0, length, side + 1)
    starts = np.arange(length)
    inside = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    weights: Floats = (np.maximum(inside, 0) * side / length).astype(np.float32)
    return weights


def _letterboxed(symmetric: bool) -> Callable[[Pixels, int], Floats]:
    def scaled(picture: Pixels, side: int) -> Floats:
        height, width = picture.shape[:2]
        factor = side / max(height, width)
        wide, high = max(1, int(width * factor)), max(1, int(height * factor))
        left, top = ((side - wide) // 2, (side - high) // 2) if symmetric else (0, 0)
        page = np.zeros((side, side, 3), np.float32)
        page[top : top + high, left : left + wide] = cv2.resize(picture, (wide, high))
        return page

    return scaled


EXPECTED_SCALER: Final = "bilinear"
SCALERS: Final[Mapping[str, Callable[[Pixels, int], Floats]]] = {
    EXPECTED_SCALER: lambda picture, side: ops.resize([picture], size=side)[0].transpose(1, 2, 0),
    "nearest": _stretched(cv2.INTER_NEAREST_EXACT),
    "nearest (corners)": _stretched(cv2.INTER_NEAREST),
    "box": _averaged,
    "cubic": _stretched(cv2.INTER_CUBIC),
    "lanczos": _stretched(cv2.INTER_LANCZOS4),
    "aspect ratio kept, padded right and below": _letterboxed(symmetric=False),
    "aspect ratio kept, padded on both sides": _letterboxed(symmetric=True),
}


@dataclass(frozen=True)
class Misreading:
    """A color conversion that was undone with another one.

    Attributes:
        matrices: how the pixels were coded, and read.
        ranges: likewise, "limited" or "full".
    """

    matrices: tuple[str, str] = ("BT.709", "BT.709")
    ranges: tuple[str, str] = ("limited", "limited")

    @property
    def right(self) -> bool:
        """Whether it was read as it was coded."""
        return self.matrices[0] == self.matrices[1] and self.ranges[0] == self.ranges[1]

    def __str__(self) -> str:
        parts = []
        if self.matrices[0] != self.matrices[1]:
            parts.append(f"{self.matrices[0]} read as {self.matrices[1]}")
        if self.ranges[0] != self.ranges[1]:
            parts.append(f"{self.ranges[0]} range read as {self.ranges[1]}")
        return ", ".join(parts) or "as coded"

    def of(self, rgb: Floats) -> Floats:
        """Return what right pixels (..., 3), 0 to 255, become."""
        if self.right:
            return rgb
        coded, read = _coding(self.matrices[0]).T, np.linalg.inv(_coding(self.matrices[1])).T
        factors, offset = np.ones(3), np.zeros(3)
        if self.ranges == ("limited", "full"):
            factors, offset = _SQUEEZED, _BLACK
        elif self.ranges == ("full", "limited"):
            factors, offset = 1 / _SQUEEZED, -_BLACK / _SQUEEZED
        pixels: Floats = rgb @ (coded * factors @ read).astype(np.float32)
        pixels += (offset @ read).astype(np.float32)
        return np.clip(pixels, 0, 255, out=pixels)


_SQUEEZED: Final = np.array([219, 224, 224]) / 255
_BLACK: Final = np.array([16.0, 0.0, 0.0])
_LUMA: Final = {"BT.709": (0.2126, 0.0722), "BT.601": (0.299, 0.114), "BT.2020": (0.2627, 0.0593)}


def _coding(matrix: str) -> NDArray[np.float64]:
    red, blue = _LUMA[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    to_blue, to_red = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
    return np.stack([luma, (to_blue - luma) / (2 * (1 - blue)), (to_red - luma) / (2 * (1 - red))])


_MATRICES: Final = (("BT.709", "BT.709"), *permutations(_LUMA, 2))
_RANGES: Final = (("limited", "limited"), ("limited", "full"), ("full", "limited"))
MISREADINGS: Final = tuple(Misreading(matrices, ranges) for matrices in _MATRICES for ranges in _RANGES)


@dataclass(frozen=True)
class Explanation:
    """What was found of inputs; levels are of 255.

    Attributes:
        order: of the channels, "RGB" or "BGR".
        scale: what pixels were multiplied with.
        offsets: what was subtracted from them before, by channel.
        scaler: name in `SCALERS`.
        misreading: of their colors.
        expected_error: root mean square of what is left after order, scale and offsets alone.
        error: after all of it.
    """

    order: str
    scale: float
    offsets: tuple[float, float, float]
    scaler: str
    misreading: Misreading
    expected_error: float
    error: float


def grid_step(values: Floats) -> float | None:
    """Return the step of the grid that values lie on, which was one level; None where they lie on none."""
    steps = []
    for channel in values.reshape(-1, 3, values.shape[-2] * values.shape[-1]).transpose(1, 0, 2):
        levels = np.unique(channel.astype(np.float64))
        gaps = np.diff(levels)
        gaps = gaps[gaps > 1e-5 * max(1e-9, np.abs(levels).max())]
        if len(gaps) == 0:
            continue
        step = float(gaps.min())
        step = float(np.median(gaps[gaps < 1.5 * step]))
        counted = (levels - levels[0]) / step
        if counted[-1] > 256 or np.abs(counted - counted.round()).max() > _ON_GRID:
            return None
        steps.append(float((levels[-1] - levels[0]) / counted[-1].round()))
    if not steps or max(steps) > 1.01 * min(steps):
        return None
    return float(np.mean(steps))


def matched(inputs: Floats, pictures: Sequence[Pixels]) -> list[int | None]:
    """Return which picture each input (N, 3, S, S) shows, None for none; scale and colors do not matter."""
    forms = [
        np.stack([_thumb(SCALERS[name](picture, 64)) for picture in pictures])
        for name in (EXPECTED_SCALER, *(name for name in SCALERS if "aspect" in name))
    ]
    found: list[int | None] = []
    for image in inputs:
        alike = np.max([form @ _thumb(image.transpose(1, 2, 0)) for form in forms], axis=0)
        best = int(alike.argmax())
        found.append(best if alike[best] >= _SAME_PICTURE else None)
    return found


def _thumb(picture: Floats) -> NDArray[np.float64]:
    """Return a small gray picture as a vector of unit length, its mean taken away."""
    gray = np.ascontiguousarray(picture.mean(axis=-1), np.float32)
    small = cv2.resize(gray, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA).ravel().astype(np.float64)
    small -= small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-12)


def explain(inputs: Floats, pictures: Sequence[Pixels]) -> Explanation:
    """Tell what was done to pictures that became these inputs.

    Args:
        inputs: (N, 3, S, S) float32, as the network got them.
        pictures: what each shows, (H, W, 3) uint8 RGB, whole.
    """
    some = np.linspace(0, len(inputs) - 1, min(_CROPS, len(inputs))).round().astype(int)
    inputs, pictures = inputs[some], [pictures[index] for index in some]
    scaled = {
        name: np.stack([scaler(one, inputs.shape[-1])[::_EVERY, ::_EVERY] for one in pictures])
        for name, scaler in SCALERS.items()
    }
    given = inputs.transpose(0, 2, 3, 1)[:, ::_EVERY, ::_EVERY]
    order = _order(given, scaled[EXPECTED_SCALER])
    scale = grid_step(inputs) or _gain(given, scaled[EXPECTED_SCALER])
    levels = given / np.float32(scale)
    subtracted = float(levels.min()) < -_ROOM
    if order == "BGR":
        levels = levels[..., ::-1]
    errors = {
        (name, misreading): _error(levels, misreading.of(pixels), subtracted)
        for name, pixels in scaled.items()
        for misreading in MISREADINGS
    }
    right = MISREADINGS[0]
    expected = errors[EXPECTED_SCALER, right][0]
    name, misreading = min(errors, key=lambda key: errors[key][0])
    if expected < LEAST_ERROR or errors[name, misreading][0] > _CLEARER * expected:
        name, misreading = EXPECTED_SCALER, right
    # Each for itself: it is named only where the picture is explained much worse without it.
    best = errors[name, misreading][0]
    if best > _CLEARER * errors[EXPECTED_SCALER, misreading][0]:
        name = EXPECTED_SCALER
    if best > _CLEARER * errors[name, right][0]:
        misreading = right
    error, offsets = errors[name, misreading]
    return Explanation(
        order=order,
        scale=scale,
        offsets=offsets if order == "RGB" else (offsets[2], offsets[1], offsets[0]),
        scaler=name,
        misreading=misreading,
        expected_error=expected,
        error=error,
    )


def _order(given: Floats, pixels: Floats) -> str:
    """Return which order of channels fits the differences between channels better."""

    def fit(channels: Floats) -> float:
        a, b = (part[..., 0] - part[..., 2] for part in (channels, pixels))
        return float(((a - a.mean()) * (b - b.mean())).sum())

    return "RGB" if fit(given) >= 0 else "BGR"


def _gain(given: Floats, pixels: Floats) -> float:
    """Return the scale of values that lie on no grid: 1 where a wrong range alone may be the reason."""
    a, b = given.mean(axis=-1).ravel(), pixels.mean(axis=-1).ravel()
    spread = float(((b - b.mean()) ** 2).sum())
    gain = float(((a - a.mean()) * (b - b.mean())).sum()) / spread if spread else 1.0
    return 1.0 if 0.8 < gain < 1.25 or gain <= 0 else gain


def _error(levels: Floats, pixels: Floats, subtracted: bool) -> tuple[float, tuple[float, float, float]]:
    """Return the root mean square error of an explanation, and what it says was subtracted."""
    apart = pixels - levels
    offsets = apart.mean(axis=(0, 1, 2), dtype=np.float64) if subtracted else np.zeros(3)
    apart -= offsets.astype(np.float32)
    error = float(np.sqrt(np.mean(np.square(apart, out=apart), dtype=np.float64)))
    return error, (float(offsets[0]), float(offsets[1]), float(offsets[2]))
