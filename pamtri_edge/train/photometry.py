# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What light and a cheap camera do to a picture: exposure, color, blur, low resolution, codec, noise.

Exposure, gamma, contrast and white balance are one table look-up for each channel; saturation and hue one
small matrix. Noise comes from a fixed bank, because drawing 200,000 numbers would cost more than all else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

Picture = NDArray[np.uint8]

_GRAY: Final = np.array([0.299, 0.587, 0.114])
_LEVELS: Final = np.arange(256) / 255.0
_BANK: Final = 640  # side of the noise bank


def refuse_parts(spec: object, *names: str) -> None:
    """Refuse shares of pictures, and parts of their sides, that are none.

    Raises:
        InputError: one of the fields of these names is not from 0 to 1.
    """
    wrong = next((name for name in names if not 0.0 <= getattr(spec, name) <= 1.0), None)
    if wrong is not None:
        raise InputError(f"{wrong}={getattr(spec, wrong):g}: expected a part from 0 to 1.")


@dataclass(frozen=True)
class Light:
    """Changes of exposure and color; each is drawn uniformly within its range, on either side.

    Attributes:
        brightness: added, in parts of full scale.
        contrast: about the middle, as a part.
        gamma: exponent, as a power of e.
        white_balance: gain of each channel, as a power of e.
        saturation: as a part.
        hue: degrees around the gray axis.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    white_balance: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0

    def applied(self, picture: Picture, rng: np.random.Generator) -> Picture:
        """Return the picture (H, W, 3) uint8 in another light."""
        if self.colors:
            picture = np.asarray(cv2.transform(picture, self.matrix(rng)), np.uint8)
        if self.exposes:
            picture = np.asarray(cv2.LUT(picture, self.table(rng)), np.uint8)
        return picture

    @property
    def colors(self) -> bool:
        """Whether colors are mixed, by `matrix`."""
        return bool(self.saturation or self.hue)

    @property
    def exposes(self) -> bool:
        """Whether levels change, by `table`."""
        return bool(self.brightness or self.contrast or self.gamma or self.white_balance)

    def matrix(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw the matrix (3, 3) that mixes R, G, B: color is scaled, and turned about the gray axis."""
        saturation = 1.0 + rng.uniform(-self.saturation, self.saturation)
        turn = np.radians(rng.uniform(-self.hue, self.hue))
        third, root = (1.0 - np.cos(turn)) / 3.0, np.sin(turn) / np.sqrt(3.0)
        rotation = np.full((3, 3), third) + np.eye(3) * np.cos(turn)
        rotation += root * np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
        mixed: NDArray[np.float64] = saturation * rotation + (1.0 - saturation) * np.tile(_GRAY, (3, 1))
        return mixed

    def table(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw the table (256, 1, 3) of new levels."""
        gamma = np.exp(rng.uniform(-self.gamma, self.gamma))
        contrast = 1.0 + rng.uniform(-self.contrast, self.contrast)
        brightness = rng.uniform(-self.brightness, self.brightness)
        gains = np.exp(rng.uniform(-self.white_balance, self.white_balance, 3))
        levels = _LEVELS**gamma
        levels = (levels - 0.5) * contrast + 0.5 + brightness
        table = np.clip(levels[:, None] * gains * 255.0 + 0.5, 0, 255)
        return np.ascontiguousarray(table.astype(np.uint8).reshape(256, 1, 3))


@dataclass(frozen=True)
class Degradation:
    """What a lens, a small sensor and a codec take away; shares of pictures.

    Attributes:
        blur: out of focus, or moving.
        low_resolution: seen from afar: shrunk to between `smallest` and 0.7 of its side, and enlarged.
        smallest: least side of a shrunk picture, as a part of its side.
        compression: JPEG at a quality between `quality` and 80.
        quality: the lowest.
        noise: of the sensor, with a deviation of up to `noise_level`.
        noise_level: largest deviation, in grey levels of 255.
    """

    blur: float = 0.0
    low_resolution: float = 0.0
    smallest: float = 0.15
    compression: float = 0.0
    quality: int = 20
    noise: float = 0.0
    noise_level: float = 10.0

    def __post_init__(self) -> None:
        refuse_parts(self, "blur", "low_resolution", "smallest", "compression", "noise")
        if not 1 <= self.quality <= 80:
            raise InputError(f"quality={self.quality}: expected one of JPEG, from 1 to 80.")

    def applied(self, picture: Picture, rng: np.random.Generator) -> Picture:
        """Return the picture (H, W, 3) uint8 as such a camera would give it."""
        if self.blur and rng.random() < self.blur:
            picture = np.asarray(cv2.filter2D(picture, -1, blur_kernel(picture.shape[0], rng)), np.uint8)
        if self.low_resolution and rng.random() < self.low_resolution:
            picture = _shrunk(picture, rng.uniform(self.smallest, 0.7), rng)
        if self.noise and rng.random() < self.noise:
            picture = _noisy(picture, rng.uniform(0.2, 1.0) * self.noise_level, rng)
        if self.compression and rng.random() < self.compression:
            picture = _compressed(picture, int(rng.integers(self.quality, 81)))
        return picture


def blur_kernel(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the kernel (K, K), K odd, of a blur: out of focus, or moving.

    Args:
        side: of the picture, in pixels; a larger picture has a larger blur.
        rng: where chance comes from.
    """
    reach = side / 256.0
    if rng.random() < 0.6:
        deviation = rng.uniform(0.4, 1.8) * reach
        line = cv2.getGaussianKernel(2 * int(np.ceil(3 * deviation)) + 1, deviation)
        return np.asarray(line @ line.T, np.float32)
    length = max(3, 2 * int(rng.uniform(3, 10) * reach / 2) + 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.normal(0.0, 0.35)  # vehicles move mostly along the picture's rows
    half = (length - 1) / 2
    step = half * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(round(value) for value in half + sign * step) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _shrunk(picture: Picture, part: float, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    small = cv2.resize(
        picture,
        (max(4, round(width * part)), max(4, round(height * part))),
        interpolation=cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR,
    )
    way = cv2.INTER_LINEAR if rng.random() < 0.8 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(small, (width, height), interpolation=way), np.uint8)


def _noisy(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    bank = _noise_bank()
    height, width = picture.shape[:2]
    y, x = (int(rng.integers(0, max(1, _BANK - side))) for side in (height, width))
    noise = bank[y : y + height, x : x + width]
    if noise.shape != picture.shape:  # a picture larger than the bank
        noise = np.asarray(cv2.resize(bank, (width, height), interpolation=cv2.INTER_NEAREST), np.int16)
    scaled = noise * np.int16(round(deviation * 8)) >> 8
    return np.asarray(cv2.add(picture, scaled, dtype=cv2.CV_8U), np.uint8)


@cache
def _noise_bank() -> NDArray[np.int16]:
    """Return fixed normal noise of deviation 32; half of it is shared by the channels, as in cameras."""
    rng = np.random.default_rng(1905)
    shared = rng.normal(0.0, 22.6, (_BANK, _BANK, 1))
    noise = (shared + rng.normal(0.0, 22.6, (_BANK, _BANK, 3))).round()
    return np.asarray(noise, np.int16)


def _compressed(picture: Picture, quality: int) -> Picture:
    done, content = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))
    assert done
    # Encoded and decoded as if RGB were BGR: red and blue change places twice. That luma then weighs blue as
    # red does not matter here, and saves two passes.
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
