# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Augmentation of one picture with its keypoints, on uint8 with OpenCV: a millisecond or less a picture.

What is drawn for a picture follows from the random generator it is given alone, so that a resumed run sees
the very same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.train.photometry import Degradation, Light, refuse_parts
from pamtri_edge.vehicle import KEYPOINT_FLIP

Picture = NDArray[np.uint8]
Keypoints = NDArray[np.float32]

_FLIP: Final = np.array(KEYPOINT_FLIP)


@dataclass(frozen=True)
class AugmentSpec:
    """What may happen to a picture, and how often; shares are probabilities.

    Attributes:
        flip: share of pictures that are mirrored; left and right keypoints then change places.
        zoom_in: up to this part of each side is cut off, as by a box that is too tight.
        zoom_out: up to this part of each side is added, by reflection, as by a box that is too wide.
        shift: the box moves by up to this part of its side.
        rotate: deviation of the angle in degrees; twice that is the most.
        rotate_share: share of pictures that are turned.
        light: brightness, contrast, gamma, white balance, saturation and hue.
        degradation: blur, lower resolution, compression, noise.
        gray: share of pictures without color; nothing is learned of their color class.
        erase: share of pictures with a rectangle that hides up to `erase_area` of them.
        erase_area: largest part of the picture that is hidden.
    """

    flip: float = 0.5
    zoom_in: float = 0.0
    zoom_out: float = 0.0
    shift: float = 0.0
    rotate: float = 0.0
    rotate_share: float = 1.0
    light: Light = field(default_factory=Light)
    degradation: Degradation = field(default_factory=Degradation)
    gray: float = 0.0
    erase: float = 0.0
    erase_area: float = 0.2

    def __post_init__(self) -> None:
        refuse_parts(
            self, "flip", "zoom_in", "zoom_out", "shift", "rotate_share", "gray", "erase", "erase_area"
        )


@dataclass(frozen=True)
class Augmented:
    """A picture ready for a network.

    Attributes:
        picture: (size, size, 3) uint8 RGB.
        keypoints: (36, 3) float32 in crop units of the new picture, or None.
        gray: whether its color was taken away.
    """

    picture: Picture
    keypoints: Keypoints | None
    gray: bool


def augment(
    picture: Picture,
    keypoints: Keypoints | None,
    spec: AugmentSpec,
    rng: np.random.Generator,
    *,
    size: int,
) -> Augmented:
    """Return a picture stretched to the network's square, and changed as may happen to a crop.

    Args:
        picture: (H, W, 3) uint8 RGB crop of any size.
        keypoints: (36, 3) float32 x, y in crop units and visibility, or None.
        spec: what may happen.
        rng: where all chance comes from.
        size: side of the result in pixels.
    """
    matrix, mirrored = drawn_box(spec, rng)
    out = _warp(picture, matrix, size)
    moved = None if keypoints is None else move_keypoints(keypoints, matrix, mirrored=mirrored)
    out = spec.light.applied(out, rng)
    gray = spec.gray > 0 and rng.random() < spec.gray
    if gray:
        level = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
        out = np.asarray(cv2.cvtColor(level, cv2.COLOR_GRAY2RGB), np.uint8)
    out = spec.degradation.applied(out, rng)
    if spec.erase > 0 and rng.random() < spec.erase:
        out = out.copy()
        erase(out, spec.erase_area, rng)
    return Augmented(np.ascontiguousarray(out, np.uint8), moved, gray)


def stretched(picture: Picture, size: int) -> Picture:
    """Return a picture as in validation and use: bilinear, half-pixel centers, as `ops.resize`."""
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def move_keypoints(keypoints: Keypoints, matrix: NDArray[np.float64], *, mirrored: bool) -> Keypoints:
    """Return keypoints (36, 3) after an affine map of crop units; mirroring swaps left and right."""
    moved: Keypoints = keypoints.copy()
    moved[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return moved[_FLIP] if mirrored else moved


def drawn_box(spec: AugmentSpec, rng: np.random.Generator) -> tuple[NDArray[np.float64], bool]:
    """Draw the map (2, 3) from crop units of a picture to those of a jittered box, and whether it mirrors."""
    low, high = 1.0 - spec.zoom_in, 1.0 + spec.zoom_out
    side = rng.uniform(low, high, 2) if high > low else np.ones(2)  # of the new box, in old units
    shift = rng.uniform(-spec.shift, spec.shift, 2) if spec.shift else np.zeros(2)
    turned = spec.rotate and rng.random() < spec.rotate_share
    turn = np.radians(np.clip(rng.normal(), -2.0, 2.0) * spec.rotate) if turned else 0.0
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = np.diag(1.0 / side) @ rotation
    matrix = np.column_stack([linear, 0.5 - linear @ (np.array([0.5, 0.5]) + shift)])
    mirrored = spec.flip > 0 and rng.random() < spec.flip
    if mirrored:
        matrix = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]) @ _square(matrix)
    return matrix, mirrored


def _square(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _warp(picture: Picture, matrix: NDArray[np.float64], size: int) -> Picture:
    """Resample a picture by a map of crop units, as `stretched` does."""
    height, width = picture.shape[:2]
    if np.array_equal(matrix, np.eye(2, 3)):
        return stretched(picture, size)
    to_units = np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    to_pixels = np.array([[size, 0, -0.5], [0, size, -0.5], [0, 0, 1]])
    pixels = (to_pixels @ _square(matrix) @ to_units)[:2]
    warped = cv2.warpAffine(
        picture, pixels, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


def erase(picture: Any, area: float, rng: np.random.Generator) -> None:
    """Hide a rectangle of a picture, in place: by a flat color, or by another part of the same picture.

    Args:
        picture: (H, W, 3) uint8, a NumPy array or a tensor.
        area: largest part that is hidden.
        rng: where chance comes from.
    """
    height, width = picture.shape[:2]
    part, aspect = rng.uniform(0.02, area), np.exp(rng.uniform(-1.2, 1.2))
    h = int(np.clip(height * np.sqrt(part * aspect), 2, height - 1))
    w = int(np.clip(width * np.sqrt(part / aspect), 2, width - 1))
    y, x = int(rng.integers(height - h)), int(rng.integers(width - w))
    hidden = picture[y : y + h, x : x + w]
    if rng.random() < 0.5:
        for channel, level in enumerate(rng.integers(0, 256, 3)):
            hidden[..., channel] = int(level)
    else:
        v, u = int(rng.integers(height - h)), int(rng.integers(width - w))
        patch = picture[v : v + h, u : u + w]
        hidden[...] = patch.copy() if isinstance(patch, np.ndarray) else patch.clone()
