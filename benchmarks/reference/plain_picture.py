# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A picture made of noise, polygons, blur and JPEG: what rendering a vehicle is at its plainest. Frozen."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 512


def draw(seed: int, polygons: int = 300) -> int:
    """Return how many bytes a picture of so many polygons has."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(60, 120, (SIDE, SIDE, 3)).astype(np.float32)
    centers = rng.uniform(0, SIDE, (polygons, 1, 2))
    corners = (centers + rng.uniform(-40, 40, (polygons, 3, 2))).astype(np.int32)
    for polygon, color in zip(corners, rng.integers(0, 255, (polygons, 3)).tolist(), strict=True):
        cv2.fillConvexPoly(picture, polygon, color)
    lit = np.sqrt(np.clip(picture / 255 * np.linspace(0.4, 1, SIDE, dtype=np.float32)[:, None, None], 0, 1))
    seen = cv2.resize(cv2.GaussianBlur(lit, (0, 0), 1.2), (256, 256), interpolation=cv2.INTER_AREA)
    noisy = np.clip(255 * seen + rng.normal(0, 3, seen.shape), 0, 255).astype(np.uint8)
    return len(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
