# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The operations between the networks as one writes them with NumPy and OpenCV. Frozen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RGB_MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
RGB_STD = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]
EXTRA_MEAN, EXTRA_STD = 0.449, 0.226


def decode(heatmaps: Floats) -> Floats:
    """Return (N, K, 3) x, y in crop units and the peak, without the quarter of a cell."""
    count, points, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, points, -1)
    places = flat.argmax(axis=2)
    x, y = (places % width + 0.5) / width, (places // width + 0.5) / height
    return np.stack([x, y, flat.max(axis=2)], axis=2).astype(np.float32)


def segments(corners: NDArray[np.int32], out: Floats) -> None:
    """Fill (N, S, H, W) with 0 and 1, for (N, S, 4, 2) corners in pixels."""
    for vehicle in range(out.shape[0]):
        for segment in range(out.shape[1]):
            mask = np.zeros(out.shape[2:], np.uint8)
            if cv2.isContourConvex(corners[vehicle, segment]):
                cv2.fillPoly(mask, [corners[vehicle, segment]], 1)
            out[vehicle, segment] = mask


def stack(images: Floats, heatmaps: Floats, out: Floats) -> None:
    """Fill (N, 3 + K, 256, 256) with normalized RGB and enlarged heatmaps, without memory of its own."""
    for vehicle in range(len(images)):
        rgb = out[vehicle, :3]
        np.multiply(images[vehicle], 1 / (255 * RGB_STD), out=rgb)
        rgb -= RGB_MEAN / RGB_STD
        for k in range(heatmaps.shape[1]):
            enlarged = out[vehicle, 3 + k]
            cv2.resize(np.clip(heatmaps[vehicle, k], 0, 1), (256, 256), dst=enlarged)
            enlarged -= EXTRA_MEAN
            enlarged *= 1 / EXTRA_STD


def crop(frame: NDArray[np.uint8], boxes: NDArray[np.int32], out: Floats) -> None:
    """Fill (N, 3, 256, 256) with the resized rectangles of a frame."""
    for index, (x1, y1, x2, y2) in enumerate(boxes):
        out[index] = cv2.resize(frame[y1:y2, x1:x2], (256, 256)).transpose(2, 0, 1)


def sharpness(crops: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Return the detail over contrast of each picture at 64x64."""
    found = []
    for picture in crops:
        small = cv2.cvtColor(cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        found.append(cv2.Laplacian(small, cv2.CV_32F).std() / small.std())
    return np.array(found)
