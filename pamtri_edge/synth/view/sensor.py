# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From linear light to the picture a traffic camera sends: exposure, optics, noise, processing, compression.

Everything happens at the size the crop has in its camera's frame, so that noise, halos and blocks have the
size that they have in footage; only then is the crop stretched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.specification.streams import Stream, camera_stream
from pamtri_edge.synth.view.filters import blurred, enlarged, resized
from pamtri_edge.synth.view.raster import Bytes, Floats

_STEPS: Final = 4096
_BRIGHTEST: Final = 4.0
_LEAST_DETAIL: Final = 26.0
"""Pixels along a crop's longer side that every lens and scaler resolve."""
_WORST_QUALITY: Final = 10.0
_TABLE: Final = 640
_LUMA: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Sensor:
    """How one camera turns light into pictures; the same in all its views.

    Attributes:
        white_balance: (3,) float32 gains, around 1.
        key: display level, 0..1, to which it exposes the middle of its picture.
        gamma: of its curve.
        contrast: slope of the curve around the middle, 1 for none added.
        black: display level of black: haze and flare.
        saturation: 1 as it is.
        detail: share of the nominal resolution that lens and scaler really have.
        blur: of the lens, in pixels.
        shutter: length of the blur of a moving vehicle in the middle of the picture, in pixels.
        bloom: how far bright lamps and paint spill.
        noise: standard deviation of the brightness, display levels 0..1, at full light.
        chroma_noise: of the color.
        denoise: strength of the smoothing against noise, 0..1.
        sharpen: strength of the halos, 0 for none.
        sharpen_radius: in pixels.
        quality: of the compression, as JPEG counts.
        interlaced: odd and even lines are from different moments.
    """

    white_balance: Floats
    key: float
    gamma: float
    contrast: float
    black: float
    saturation: float
    detail: float
    blur: float
    shutter: float
    bloom: float
    noise: float
    chroma_noise: float
    denoise: float
    sharpen: float
    sharpen_radius: float
    quality: float
    interlaced: bool


def sample_sensor(seed: int, camera: int) -> Sensor:
    """Draw how a camera turns light into pictures: mostly plain modern ones, some old or cheap."""
    rng = camera_stream(seed, camera, Stream.SENSOR)
    cheap = rng.random() < 0.4
    return Sensor(
        white_balance=_balance(rng, 0.08, 0.015),
        key=rng.uniform(0.46, 0.72),
        gamma=rng.uniform(1.9, 2.5),
        contrast=rng.uniform(1.0, 1.55) if cheap else rng.uniform(1.1, 1.9),
        black=rng.uniform(0.05, 0.32) if rng.random() < 0.35 else rng.uniform(0.0, 0.04),
        saturation=rng.uniform(0.45, 1.0) if cheap else rng.uniform(0.7, 1.45),
        detail=rng.uniform(0.45, 0.9) if cheap else rng.uniform(0.75, 1.1),
        blur=rng.uniform(0.3, 1.1) if cheap else rng.uniform(0.0, 0.7),
        shutter=rng.uniform(0.0, 5.0) if rng.random() < 0.4 else 0.0,
        bloom=rng.uniform(0.0, 0.35),
        noise=rng.uniform(0.002, 0.016) if cheap else rng.uniform(0.0, 0.007),
        chroma_noise=rng.uniform(0.0, 0.012) if cheap else rng.uniform(0.0, 0.005),
        denoise=rng.uniform(0.1, 1.0) if rng.random() < 0.35 else 0.0,
        sharpen=rng.uniform(0.0, 2.2) if rng.random() < 0.7 else 0.0,
        sharpen_radius=rng.uniform(0.6, 1.8),
        quality=rng.uniform(26.0, 65.0) if cheap else rng.uniform(45.0, 93.0),
        interlaced=bool(cheap and rng.random() < 0.15),
    )


def _balance(rng: np.random.Generator, warmth: float, tint: float) -> Floats:
    """Return gains of red, green and blue that are a little too warm or cold, and less often too green."""
    warm, green = rng.uniform(-warmth, warmth), rng.normal(0.0, tint)
    return np.array([1.0 + warm, 1.0 + green, 1.0 - warm], np.float32)


@dataclass(frozen=True)
class Exposure:
    """What a sensor does to one picture besides its character.

    Attributes:
        gain: factor of the light.
        drift: (3,) float32 factors of the white balance on this day.
        motion: share of the shutter's blur, 0..1.
        angle: direction of the motion in the picture, radians.
        worse: how much worse the compression is than usual, in steps of JPEG quality.
        dark: how much the sensor amplifies: 0 by day to 1 at night.
    """

    gain: float
    drift: Floats
    motion: float
    angle: float
    worse: float
    dark: float


def sample_exposure(
    sensor: Sensor, rng: np.random.Generator, *, level: float, dark: float, angle: float
) -> Exposure:
    """Draw the exposure of one picture.

    Args:
        sensor: the camera's.
        rng: the view's numbers.
        level: linear light of what the camera measures.
        dark: 0 by day to 1 at night.
        angle: direction in which the vehicle moves in the picture, radians.
    """
    wanted = max(0.05, sensor.key - 0.12 * dark) ** sensor.gamma
    return Exposure(
        gain=wanted / max(level, 1e-4) * 2.0 ** rng.normal(0.0, 0.30),
        drift=_balance(rng, 0.03, 0.008),
        motion=rng.random() ** 1.5,
        angle=angle,
        worse=abs(rng.normal(0.0, 6.0)),
        dark=dark,
    )


def curve(sensor: Sensor, light: Floats) -> Floats:
    """Return display levels, 0..1, of exposed linear light of any shape."""
    steps = np.linspace(0.0, _BRIGHTEST, _STEPS, dtype=np.float32)
    levels = steps ** np.float32(1.0 / sensor.gamma)
    levels = 0.5 + sensor.contrast * (levels - 0.5)
    toe = 0.06  # contrast runs out softly above black
    levels = np.where(levels < toe, toe * np.exp(np.minimum(levels - toe, 0.0) / toe), levels)
    levels = sensor.black + (1.0 - sensor.black) * levels
    index = (light * np.float32((_STEPS - 1) / _BRIGHTEST)).astype(np.int32)
    shown: Floats = levels.astype(np.float32).take(index, mode="clip")
    return shown


def saturate(sensor: Sensor, levels: Floats) -> Floats:
    """Return (..., 3) display levels with the sensor's saturation, clipped to 0..1."""
    mixing = sensor.saturation * np.eye(3, dtype=np.float32) + (1.0 - sensor.saturation) * _LUMA
    mixed: Floats = levels @ mixing.T.astype(np.float32)
    return np.clip(mixed, 0.0, 1.0, out=mixed)


def displayed(sensor: Sensor, exposure: Exposure, light: NDArray[np.floating]) -> Floats:
    """Return (..., 3) display levels 0..1 of linear light before optics, noise and compression."""
    gains = np.float32(exposure.gain) * sensor.white_balance * exposure.drift
    return saturate(sensor, curve(sensor, np.asarray(light, np.float32) * gains))


def take(sensor: Sensor, exposure: Exposure, light: Floats, rng: np.random.Generator) -> Bytes:
    """Return (H, W, 3) uint8 RGB as decoded from the camera's stream.

    Args:
        sensor: the camera's.
        exposure: of this picture.
        light: (H, W, 3) float32 linear light.
        rng: for the noise.
    """
    image = _optics(sensor, exposure, light)
    image = displayed(sensor, exposure, image)
    image = _noisy(sensor, exposure, image, rng)
    image = _processed(sensor, image)
    picture = cast(Bytes, cv2.convertScaleAbs(image, alpha=255.0))
    if sensor.interlaced and exposure.motion > 0.3:
        picture = _interlaced(picture, exposure)
    return _compressed(picture, sensor.quality - exposure.worse, rng)


def _optics(sensor: Sensor, exposure: Exposure, light: Floats) -> Floats:
    height, width = light.shape[:2]
    image = light
    if sensor.bloom > 0.02:
        bright = np.minimum(np.maximum(image * np.float32(exposure.gain) - 1.3, 0.0), 6.0)
        if bright.max() > 0.0:
            image = image + _spread(bright) * np.float32(sensor.bloom / exposure.gain)
    detail = max(sensor.detail, _LEAST_DETAIL / max(height, width))
    if detail < 0.95:
        small = (max(8, round(width * detail)), max(8, round(height * detail)))
        image = enlarged(resized(image, *small), width, height)
    if sensor.blur > 0.3:
        image = blurred(image, sensor.blur)
    length = sensor.shutter * exposure.motion * (1.0 + exposure.dark) * max(height, width) / 160.0
    if length > 1.2:
        streak = _streak(length, exposure.angle)
        image = cast(Floats, cv2.filter2D(image, -1, streak, borderType=cv2.BORDER_REPLICATE))
    return image


def _spread(light: Floats) -> Floats:
    """Return light that has spilled over a fortieth of the picture; blurred small, for speed."""
    height, width = light.shape[:2]
    small = resized(light, max(4, width // 4), max(4, height // 4))
    return resized(blurred(small, max(0.6, 0.025 * max(small.shape[:2]))), width, height)


def _streak(length: float, angle: float) -> Floats:
    """Return a kernel that smears along a line."""
    side = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((side, side), np.float32)
    for t in np.linspace(-0.5, 0.5, 4 * side):
        x, y = side // 2 + t * length * math.cos(angle), side // 2 + t * length * math.sin(angle)
        kernel[round(y), round(x)] += 1.0
    kernel /= kernel.sum()
    return kernel


def _noisy(sensor: Sensor, exposure: Exposure, image: Floats, rng: np.random.Generator) -> Floats:
    height, width = image.shape[:2]
    amplified = 1.0 + 1.5 * exposure.dark
    grain = _part(_table(1), rng, height, width) * np.float32(sensor.noise * amplified)
    stains = _part(_table(3), rng, (height + 1) // 2, (width + 1) // 2)
    noisy: Floats = image + grain
    noisy += resized(stains * np.float32(sensor.chroma_noise * amplified), width, height)
    return noisy


@cache
def _table(channels: int) -> Floats:
    """Return (640, 640, channels) standard normal numbers, of which a picture takes a part."""
    rng = np.random.default_rng([channels, int(Stream.NOISE)])
    return rng.standard_normal((_TABLE, _TABLE, channels), dtype=np.float32)


def _part(table: Floats, rng: np.random.Generator, height: int, width: int) -> Floats:
    """Return a part of a table, from anywhere in it; all of it, repeated, where it is too small."""
    if max(height, width) > _TABLE:
        repeats = (-(-height // _TABLE), -(-width // _TABLE), 1)
        return np.tile(table, repeats)[:height, :width]
    top, left = int(rng.integers(_TABLE - height + 1)), int(rng.integers(_TABLE - width + 1))
    return table[top : top + height, left : left + width]


def _processed(sensor: Sensor, image: Floats) -> Floats:
    if sensor.denoise > 0.05:
        image = cast(Floats, cv2.bilateralFilter(image, 5, 0.03 + 0.09 * sensor.denoise, 1.5))
    if sensor.sharpen > 0.05:
        soft = blurred(image, sensor.sharpen_radius)
        image = cast(Floats, cv2.addWeighted(image, 1.0 + sensor.sharpen, soft, -sensor.sharpen, 0.0))
    return np.clip(image, 0.0, 1.0, out=image)


def _interlaced(image: Bytes, exposure: Exposure) -> Bytes:
    shift = round(3.0 * exposure.motion * math.cos(exposure.angle))
    moved: Bytes = image.copy()
    moved[1::2] = np.roll(image[1::2], shift, axis=1)
    return moved


def _compressed(image: Bytes, quality: float, rng: np.random.Generator) -> Bytes:
    """Return a picture as a codec of 8x8 blocks gives it back; the blocks lie where the frame has them."""
    height, width = image.shape[:2]
    left, top = (int(n) for n in rng.integers(0, 16, 2))
    framed = cv2.copyMakeBorder(image, top, 16, left, 16, cv2.BORDER_REPLICATE)
    options = [cv2.IMWRITE_JPEG_QUALITY, int(np.clip(quality, _WORST_QUALITY, 95))]
    encoded = cv2.imencode(".jpg", framed, options)[1]  # a swapped order of colors does not matter in between
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return cast(Bytes, np.ascontiguousarray(decoded[top : top + height, left : left + width]))
