# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whether two programs describe the same vehicles alike: asked before either is timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

LEAST_COSINE: Final = 0.99
"""Of embeddings of drawn weights in half precision: where a peak moves to another cell, they move too."""
LEAST_PLACED: Final = 0.95
"""Share of the keypoints that must lie within a heatmap cell."""
_CELL: Final = 1 / 64


@dataclass(frozen=True)
class Agreement:
    """How far a program's outputs are those of another.

    Attributes:
        cosine: the least of the embeddings'.
        placed: share of the keypoints within a heatmap cell.
    """

    cosine: float
    placed: float

    @property
    def good(self) -> bool:
        """Whether it is the same network, rounded otherwise. NaN is not."""
        return self.cosine >= LEAST_COSINE and self.placed >= LEAST_PLACED


def agreement(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> Agreement:
    """Compare (embedding, color, type, keypoints, quality) of the same crops."""
    ours, theirs = (outputs[0].to("cpu", torch.float64) for outputs in (found, expected))
    points, true = (outputs[3].to("cpu", torch.float64)[..., :2] for outputs in (found, expected))
    if ours.shape != theirs.shape or points.shape != true.shape:
        return Agreement(float("nan"), float("nan"))
    near = (points - true).abs().amax(dim=2) <= _CELL
    cosine = functional.cosine_similarity(ours, theirs, dim=1).min()
    return Agreement(float(cosine), float(near.to(torch.float64).mean()))
