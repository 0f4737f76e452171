# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Losses on distances: pictures of one vehicle near each other, those of two vehicles apart.

Sources: Hermans et al., "In Defense of the Triplet Loss" (2017) for batch hard and batch all; Kumar et al.,
"Vehicle Re-Identification: An Efficient Baseline Using Triplet Embedding" (2019) for batch sample; Wen et
al., "A Discriminative Feature Learning Approach" (ECCV 2016) for centers. These are the rivals of the
paper's Table 3. And Bai et al., "Group-Sensitive Triplet Embedding for Vehicle Reidentification" (TMM 2018).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_ROUNDS: Final = 3  # of k-means, over a handful of pictures


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


def batch_sample(features: Tensor, labels: Tensor, *, margin: float) -> Tensor:
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
    far = torch.multinomial(positive, 1)
    near = torch.multinomial(negative, 1)
    return functional.relu(margin + between.gather(1, far) - between.gather(1, near)).mean()


def group_sensitive(
    features: Tensor,
    labels: Tensor,
    *,
    margin: float,
    group_margin: float,
    groups: int,
    differ: Tensor | None = None,
) -> Tensor:
    """Return the mean hinge over vehicles plus that over the groups within them; squared distances.

    The pictures of a vehicle fall into groups (its front, its back, ...), found anew in every batch from the
    features alone; the anchors are means, not single pictures, which one bad picture moves little.
    Of every vehicle: each picture must be nearer to the vehicle's mean than the nearest picture of another
    vehicle is, by `margin`. Of every group: each of its pictures must be nearer to the group's mean than the
    nearest picture of another group of the same vehicle, by `group_margin`.

    Args:
        features: (N, D).
        labels: (N,) classes.
        margin: between vehicles.
        group_margin: between groups of one vehicle, smaller.
        groups: into how many a vehicle's pictures fall at most; 1 for no groups.
        differ: (N, N) bool, which pairs surely show two vehicles; None for all of different labels.
    """
    across, within = [features.sum() * 0.0], [features.sum() * 0.0]
    for label in _kinds(labels):
        mine = labels == label
        other = ~mine if differ is None else ~mine & differ[mine].all(dim=0)
        pictures = features[mine]
        if other.any():
            across.append(_hinges(pictures, features[other], margin))
        group = grouped(pictures.detach(), groups)
        for index in range(int(group.max()) + 1):
            inside = group == index
            if not bool(inside.all()):
                within.append(_hinges(pictures[inside], pictures[~inside], group_margin))
    return _mean(across) + _mean(within)


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


def grouped(features: Tensor, groups: int) -> Tensor:
    """Return which group each of one vehicle's pictures is in, (M,) int64 from 0: k-means.

    It begins with pictures as far apart as can be, so that nothing is drawn; alike pictures make one group.

    Args:
        features: (M, D), without gradient.
        groups: at most so many.
    """
    centers = features[:1] if groups == 1 else _apart(features, groups)
    nearest = torch.cdist(features, centers).argmin(dim=1)
    for _ in range(_ROUNDS):
        present = _kinds(nearest)
        centers = torch.stack([features[nearest == index].mean(dim=0) for index in present])
        nearest = torch.cdist(features, centers).argmin(dim=1)
    return torch.searchsorted(_kinds(nearest), nearest)


def _pairs(labels: Tensor, differ: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return which pairs show one vehicle, and which show two: (N, N) bool each."""
    same = labels[:, None] == labels[None, :]
    return same, ~same if differ is None else ~same & differ


def _apart(features: Tensor, groups: int) -> Tensor:
    """Return the picture farthest from the mean, the one farthest from that, and so on."""
    first = (features - features.mean(dim=0)).square().sum(dim=1).argmax()
    chosen = [first]
    least = (features - features[first]).square().sum(dim=1)
    while len(chosen) < min(groups, len(features)) and bool(least.max() > 0):
        chosen.append(least.argmax())
        least = torch.minimum(least, (features - features[chosen[-1]]).square().sum(dim=1))
    return features[torch.stack(chosen)]


def _hinges(inside: Tensor, outside: Tensor, margin: float) -> Tensor:
    """Return the hinge (M,) of each picture inside, against the nearest outside, both to the mean inside."""
    center = inside.mean(dim=0)
    nearest = (outside - center).square().sum(dim=1).amin()
    return functional.relu(margin + (inside - center).square().sum(dim=1) - nearest)


def _mean(hinges: list[Tensor]) -> Tensor:
    total = torch.cat([hinge.reshape(-1) for hinge in hinges])
    return total.sum() / max(1, len(total) - 1)  # the first is a 0, for batches that have none


def _kinds(numbers: Tensor) -> Tensor:
    """Return the different numbers, in order."""
    found: Tensor = torch.unique(numbers)
    return found
