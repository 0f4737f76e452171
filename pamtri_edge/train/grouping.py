# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Triplets of two grains: vehicles apart by a wide margin, the views of one vehicle by a small one.

Source: Bai et al., "Group-Sensitive Triplet Embedding for Vehicle Reidentification" (TMM 2018). The pictures
of a vehicle fall into groups (its front, its back, ...), found anew in every batch from the features alone;
the anchors are means, not single pictures, which one bad picture moves little.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

_ROUNDS: Final = 3  # of k-means, over a handful of pictures


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
