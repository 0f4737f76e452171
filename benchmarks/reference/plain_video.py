# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A video as one reads it with PyAV, with the sharpest crop of each vehicle kept. Frozen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def sharpest(path: Path, boxes: Callable[[int], dict[int, Box]]) -> dict[int, Picture]:
    """Return the sharpest crop of each vehicle of a video.

    Args:
        path: the video.
        boxes: gives x1, y1, x2, y2 by vehicle for the number of a frame.
    """
    best: dict[int, tuple[float, Picture]] = {}
    with av.open(str(path)) as video:
        for index, frame in enumerate(video.decode(video=0)):
            picture = frame.to_ndarray(format="rgb24")
            for vehicle, (x1, y1, x2, y2) in boxes(index).items():
                crop = picture[y1:y2, x1:x2]
                gray = cv2.cvtColor(
                    cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
                )
                score = float(cv2.Laplacian(gray, cv2.CV_32F).std() / (gray.std() + 1e-9))
                if vehicle not in best or score > best[vehicle][0]:
                    best[vehicle] = score, crop.copy()
    return {vehicle: crop for vehicle, (_, crop) in best.items()}
