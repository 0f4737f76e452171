# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whether two programs describe the same vehicles alike: asked before either is timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

MEDIAN_COSINE: Final = 0.99
"""Of the embeddings of a batch."""
LEAST_COSINE: Final = 0.9
"""Of one embedding. The heatmaps of drawn weights have several peaks of nearly one height: half precision may
take another of them, and that moves a keypoint and with it the embedding, though not as far as another
vehicle's is."""
LEAST_PLACED: Final = 0.95
"""Share of the keypoints that must lie within a heatmap cell."""
_CELL: Final = 1 / 64


@dataclass(frozen=True)
class Agreement:
    """How far a program's outputs are those of another.

    Attributes:
        cosine: the least of the embeddings'.
        median: the median of them.
        placed: share of the keypoints within a heatmap cell.
    """

    cosine: float
    median: float
    placed: float

    @property
    def good(self) -> bool:
        """Whether it is the same network, rounded otherwise. NaN is not."""
        alike = self.cosine >= LEAST_COSINE and self.median >= MEDIAN_COSINE
        return alike and self.placed >= LEAST_PLACED


def agreement(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> Agreement:
    """Compare (embedding, color, type, keypoints, quality) of the same crops."""
    ours, theirs = (outputs[0].to("cpu", torch.float64) for outputs in (found, expected))
    points, true = (outputs[3].to("cpu", torch.float64)[..., :2] for outputs in (found, expected))
    if ours.shape != theirs.shape or points.shape != true.shape:
        return Agreement(*[float("nan")] * 3)
    near = (points - true).abs().amax(dim=2) <= _CELL
    cosines = functional.cosine_similarity(ours, theirs, dim=1)
    return Agreement(float(cosines.min()), float(cosines.median()), float(near.to(torch.float64).mean()))
