# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Losses on distances: pictures of one vehicle near each other, those of two vehicles apart.

Sources: Hermans et al., "In Defense of the Triplet Loss" (2017) for batch hard and batch all; Kumar et al.,
"Vehicle Re-Identification: An Efficient Baseline Using Triplet Embedding" (2019) for batch sample; Wen et
al., "A Discriminative Feature Learning Approach" (ECCV 2016) for centers. These are the rivals of the
paper's Table 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def distances(features: Tensor) -> Tensor:
    """Return the Euclidean distances (N, N) between features (N, D).

    The square root is taken of 1e-12 at least, where its slope is finite.
    """
    squares = features.square().sum(dim=1)
    squared = squares[:, None] + squares[None, :] - 2.0 * features @ features.t()
    return squared.clamp(min=1e-12).sqrt()


def batch_hard(features: Tensor, labels: Tensor, *, margin: float, differ: Tensor | None = None) -> Tensor:
    """Return the mean hinge of every anchor's farthest positive against its nearest negative.

    Args:
        features: (N, D).
        labels: (N,) classes.
        margin: by how much a negative must be farther.
        differ: (N, N) bool, which pairs surely show two vehicles; None for all of different labels.
    """
    between = distances(features)
    same, other = _pairs(labels, differ)
    farthest = between.masked_fill(~same, -torch.inf).amax(dim=1)
    nearest = between.masked_fill(~other, torch.inf).amin(dim=1)
    valid = other.any(dim=1)
    hinge = functional.relu(margin + farthest - nearest)
    return torch.where(valid, hinge, 0.0).sum() / valid.sum().clamp(min=1)


def batch_all(features: Tensor, labels: Tensor, *, margin: float) -> Tensor:
    """Return the mean hinge over all triplets of the batch that violate the margin; 0 if none does."""
    between = distances(features)
    same, other = _pairs(labels, None)
    same = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    hinge = functional.relu(margin + between[:, :, None] - between[:, None, :])
    hinge = torch.where(same[:, :, None] & other[:, None, :], hinge, 0.0)
    return hinge.sum() / (hinge > 0).sum().clamp(min=1)


def batch_sample(
    features: Tensor, labels: Tensor, *, margin: float, generator: torch.Generator | None = None
) -> Tensor:
    """Return the mean hinge of a drawn positive against a drawn negative of every anchor.

    Far positives and near negatives are drawn more often: with the softmax of the distance, of its
    opposite.
    """
    between = distances(features)
    same, other = _pairs(labels, None)
    same = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    fixed = between.detach()
    positive = torch.softmax(fixed.masked_fill(~same, -torch.inf), dim=1)
    negative = torch.softmax((-fixed).masked_fill(~other, -torch.inf), dim=1)
    far = torch.multinomial(positive, 1, generator=generator)
    near = torch.multinomial(negative, 1, generator=generator)
    return functional.relu(margin + between.gather(1, far) - between.gather(1, near)).mean()


class Centers(nn.Module):
    """A learned center for each class; the loss is half the mean squared distance to one's own.

    The weight of the loss holds for the features alone: centers follow their classes at full speed, however
    little they pull.

    Args:
        classes: vehicles of the training set.
        width: of a feature.

    Attributes:
        centers: (classes, width).
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.zeros(classes, width))

    def forward(self, features: Tensor, labels: Tensor, *, weight: float) -> Tensor:
        """Return the weighted loss of features (N, D) with labels (N,)."""
        own = self.centers[labels]
        pull = 0.5 * weight * (features - own.detach()).square().sum(dim=1).mean()
        follow = 0.5 * (features.detach() - own).square().sum(dim=1).mean()
        loss: Tensor = pull + follow - follow.detach()
        return loss


def _pairs(labels: Tensor, differ: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return which pairs show one vehicle, and which show two: (N, N) bool each."""
    same = labels[:, None] == labels[None, :]
    return same, ~same if differ is None else ~same & differ
