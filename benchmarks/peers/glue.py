# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a user writes around a network with NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from reference import plain_operations

from peers import Crops

Floats = NDArray[np.float32]
SIDE = 64


def batch_of(crops: Crops) -> Floats:
    """Return (N, 3, 256, 256) float32 RGB, 0 to 255, of (H, W, 3) uint8 crops."""
    resized = np.stack([cv2.resize(crop, (256, 256)) for crop in crops])
    return np.ascontiguousarray(resized.transpose(0, 3, 1, 2), dtype=np.float32)


def keypoints_of(heatmaps: Floats) -> Floats:
    """Return (N, K, 3) x, y in crop units and confidence, with the quarter of a cell towards the neighbor."""
    flat = heatmaps.reshape(*heatmaps.shape[:2], -1)
    index, peak = flat.argmax(axis=2), flat.max(axis=2)
    x, y = index % SIDE, index // SIDE
    inside = (x > 1) & (x < SIDE - 1) & (y > 1) & (y < SIDE - 1)
    around = np.clip(index[..., None] + np.array([1, -1, SIDE, -SIDE]), 0, SIDE * SIDE - 1)
    right, left, below, above = np.moveaxis(np.take_along_axis(flat, around, axis=2), 2, 0)
    places = np.stack([x + 0.25 * np.sign(right - left) * inside, y + 0.25 * np.sign(below - above) * inside])
    units = (places + 0.5) / SIDE * (peak > 0)
    return np.stack([*units, peak], axis=2).astype(np.float32)


def stack_of(images: Floats, heatmaps: Floats | None) -> Floats:
    """Return (N, 3 or 39, 256, 256): normalized RGB, and the heatmaps enlarged."""
    maps = np.empty((len(images), 0, SIDE, SIDE), np.float32) if heatmaps is None else heatmaps
    out = np.empty((len(images), 3 + maps.shape[1], 256, 256), np.float32)
    plain_operations.stack(images, maps, out)
    return out
