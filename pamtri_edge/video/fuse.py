# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One answer for a track out of several embedded views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError


@dataclass(frozen=True)
class Answer:
    """What the network said of one view.

    Attributes:
        weight: how much the view counts, 0 or more.
        embedding: (D,) float32, of any length.
        color_probs: (C,) float32, or None.
        type_probs: (T,) float32, or None.
        keypoints: (K, 3) float32 x, y in frame pixels, confidence; or None.
        quality: pose quality, 0 to 1; or None.
        rectangle: x1, y1, x2, y2 of the view in frame pixels.
        time_s: time of the view, in seconds of the video.
        failings: why the view is below the gate, in words of `events.GATE_REASONS`; empty where it passed.
    """

    weight: float
    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    keypoints: NDArray[np.float32] | None
    quality: float | None
    rectangle: tuple[int, int, int, int]
    time_s: float
    failings: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the view passed the gate."""
        return not self.failings


@dataclass(frozen=True)
class Fused:
    """What several answers say together.

    Attributes:
        embedding: (D,) float32, unit length.
        color_probs: (C,) float32 that sum to 1, or None.
        type_probs: (T,) float32 that sum to 1, or None.
        best: the answer that counted most.
    """

    embedding: NDArray[np.float32]
    color_probs: NDArray[np.float32] | None
    type_probs: NDArray[np.float32] | None
    best: Answer


def fuse(answers: Sequence[Answer]) -> Fused:
    """Return the weighted mean of unit embeddings, renormalised, and of the probabilities.

    Views that did not pass the gate count only where no view did. Views that all weigh nothing count
    alike. Where embeddings cancel each other out, the best view's stands alone.

    Args:
        answers: one or more, all of the same network.

    Raises:
        InputError: there are none, or no embedding has a direction.
    """
    counted = [answer for answer in answers if answer.good] or list(answers)
    if not counted:
        raise InputError("nothing to fuse: the track has no embedded view.")
    weights = np.array([max(answer.weight, 0.0) for answer in counted])
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(counted), 1 / len(counted))
    best = counted[int(np.argmax(weights))]
    units = np.stack([unit(answer.embedding) for answer in counted])
    mean = weights @ units
    if np.linalg.norm(mean) < 1e-6:
        mean = unit(best.embedding)
    return Fused(
        embedding=unit(mean).astype(np.float32),
        color_probs=_mean_probs(weights, [answer.color_probs for answer in counted]),
        type_probs=_mean_probs(weights, [answer.type_probs for answer in counted]),
        best=best,
    )


def unit(vector: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a vector scaled to length 1.

    Raises:
        InputError: it is zero or not finite.
    """
    wide = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(wide))
    if not np.isfinite(length) or length == 0.0:
        raise InputError(
            f"the network gave an embedding of length {length}; check the bundle: pamtri verify BUNDLE"
        )
    return np.asarray(wide / length)


def _mean_probs(
    weights: NDArray[np.float64], probs: Sequence[NDArray[np.float32] | None]
) -> NDArray[np.float32] | None:
    present = [p for p in probs if p is not None]
    if len(present) < len(probs):
        return None
    mean = weights @ np.stack(present).astype(np.float64)
    return np.asarray(mean / mean.sum(), np.float32)
