# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One answer for a track out of several embedded views; how it is made of them, the core decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answer:
    """What the network said of one view.

    Attributes:
        keypoints: (K, 3) float32 x, y in frame pixels, confidence; or None.
        quality: pose quality, 0 to 1; or None.
        rectangle: x1, y1, x2, y2 of the view in frame pixels.
        time_s: time of the view, in seconds of the video.
        failings: why the view is below the gate, in words of `events.GATE_REASONS`; empty where it passed.
    """

    keypoints: NDArray[np.float32] | None
    quality: float | None
    rectangle: tuple[int, int, int, int]
    time_s: float
    failings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fused:
    """What the views of a track say together: weighted means, see pipelines/core/fusion.hpp.

    Attributes:
        embedding: (D,) float32, unit length.
        color_probs: (C,) float32 that sum to 1, or None.
        type_probs: (T,) float32 that sum to 1, or None.
        best: the answer to the best view: of those that pass, if any do, the one that shows most.
    """

    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    best: Answer
