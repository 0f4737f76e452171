# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One answer for a track out of several embedded views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _core


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


class Fusion:
    """The answer of one track, which each embedded view adds to."""

    def __init__(self) -> None:
        self._core = _core.Fusion()
        self._best: Answer | None = None

    @property
    def good(self) -> bool:
        """Whether a view that passed the gate is among them."""
        return self._core.good

    def add(self, answer: Answer) -> bool:
        """Add a view; return whether it is the one that counts most so far.

        Raises:
            InputError: its embedding has no direction, or its probabilities are none.
        """
        best = self._core.add(
            answer.weight, answer.good, answer.embedding, answer.color_probs, answer.type_probs
        )
        if best:
            self._best = answer
        return best

    def fused(self) -> Fused:
        """Return the weighted mean of unit embeddings, renormalised, and of the probabilities.

        Views that did not pass the gate count only where no view did. Views that all weigh nothing count
        alike. Where embeddings cancel each other out, the best view's stands alone.

        Raises:
            InputError: no view was added.
        """
        embedding = self._core.embedding()
        assert self._best is not None
        return Fused(embedding, self._core.color_probs(), self._core.type_probs(), self._best)


def fuse(answers: Sequence[Answer]) -> Fused:
    """Return what several answers say together; see `Fusion.fused`.

    Args:
        answers: one or more, all of the same network.

    Raises:
        InputError: there are none, or an embedding has no direction.
    """
    fusion = Fusion()
    for answer in answers:
        fusion.add(answer)
    return fusion.fused()
