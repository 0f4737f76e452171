# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The losses of re-identification: identity, metric and attributes, and how they add up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.datasets.data_set import UNKNOWN
from pamtri_edge.errors import InputError
from pamtri_edge.models.multitask import LATER
from pamtri_edge.train import metric
from pamtri_edge.words import ReidLoss


class Head(str, Enum):
    """How identity logits are made of a feature."""

    LINEAR = "linear"
    """The linear layer: the paper's."""

    COSINE = "cosine"
    """The cosine of feature and weight: embeddings are compared by their cosine in use, so only angles
    should count in training."""


@dataclass(frozen=True)
class LossSpec:
    """What is added up, with which weight.

    Attributes:
        kind: what tells vehicles apart.
        margin: of triplets.
        smoothing: of identity labels: this part of the probability goes to all classes alike.
        attributes: weight of color and of type each.
        center: weight of the distance to centers.
        head: how identity logits are made.
        scale: of cosine logits.
        angular_margin: what is taken off the cosine of the true class.
        unit: triplets are formed on features of unit length, as embeddings are in use.
        triplet: weight of triplets.
        groups: of one vehicle's pictures, with `gste`; 1 for none.
        group_margin: of triplets between these, smaller than `margin`.
    """

    kind: ReidLoss = ReidLoss.BOTH
    margin: float = 0.3
    smoothing: float = 0.0
    attributes: float = 0.125
    center: float = 0.0005
    head: Head = Head.LINEAR
    scale: float = 24.0
    angular_margin: float = 0.0
    unit: bool = False
    triplet: float = 1.0
    groups: int = field(default=2, metadata=LATER)
    group_margin: float = field(default=0.1, metadata=LATER)

    def __post_init__(self) -> None:
        weights = (self.margin, self.attributes, self.center, self.angular_margin, self.triplet)
        if min(weights) < 0 or self.scale <= 0 or not 0 <= self.smoothing < 1:
            raise InputError(
                f"margin={self.margin:g}, attributes={self.attributes:g}, center={self.center:g}, "
                f"angular_margin={self.angular_margin:g}, triplet={self.triplet:g}, scale={self.scale:g}, "
                f"smoothing={self.smoothing:g}: none is below 0, scale is above it, and smoothing below 1."
            )
        if self.kind is ReidLoss.GSTE and (self.groups < 1 or not 0 <= self.group_margin < self.margin):
            raise InputError(
                f"groups={self.groups}, group_margin={self.group_margin:g}, margin={self.margin:g}: expected "
                "1 group or more, and a group_margin from 0 to below the margin."
            )


@dataclass(frozen=True)
class Labels:
    """What is known of a batch.

    Attributes:
        vehicle: (N,) int64 class; beyond the classes of the network for tracks, which have none.
        color: (N,) int64 class or `UNKNOWN`.
        type: (N,) int64 class or `UNKNOWN`.
        differ: (N, N) bool, which pairs surely show two vehicles; None for all of different classes.
    """

    vehicle: Tensor
    color: Tensor
    type: Tensor
    differ: Tensor | None = None


def reid_losses(
    outputs: tuple[Tensor, ...],
    labels: Labels,
    spec: LossSpec,
    *,
    classifier: nn.Linear,
    centers: metric.Centers | None = None,
) -> dict[str, Tensor]:
    """Return the terms of the loss by name, each with its weight: their sum is to be minimized.

    Args:
        outputs: of `ReidNet`: (id, color, type, feature) or (id, feature).
        labels: of the batch.
        spec: what is added up.
        classifier: the identity classifier, whose weights cosine logits use.
        centers: of the vehicles, for `ReidLoss.CENTER`.
    """
    outputs = tuple(output.float() for output in outputs)
    feature = outputs[-1]
    terms: dict[str, Tensor] = {}
    if spec.kind.classifies:
        terms["identity"] = _identity(outputs[0], feature, labels.vehicle, spec, classifier)
    compared = functional.normalize(feature) if spec.unit else feature
    if spec.kind in (ReidLoss.BOTH, ReidLoss.HTRI):
        terms["triplet"] = spec.triplet * metric.batch_hard(
            compared, labels.vehicle, margin=spec.margin, differ=labels.differ
        )
    elif spec.kind is ReidLoss.GSTE:
        terms["triplet"] = spec.triplet * metric.group_sensitive(
            compared,
            labels.vehicle,
            margin=spec.margin,
            group_margin=spec.group_margin,
            groups=spec.groups,
            differ=labels.differ,
        )
    elif spec.kind is ReidLoss.BATCH_ALL:
        terms["triplet"] = spec.triplet * metric.batch_all(compared, labels.vehicle, margin=spec.margin)
    elif spec.kind is ReidLoss.BATCH_SAMPLE:
        terms["triplet"] = spec.triplet * metric.batch_sample(compared, labels.vehicle, margin=spec.margin)
    elif spec.kind is ReidLoss.CENTER:
        assert centers is not None
        terms["center"] = centers(compared, labels.vehicle, weight=spec.center)
    if len(outputs) == 4:
        terms["color"] = spec.attributes * known_cross_entropy(outputs[1], labels.color)
        terms["type"] = spec.attributes * known_cross_entropy(outputs[2], labels.type)
    return terms


def known_cross_entropy(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy over what is labeled; 0, not NaN, where nothing is."""
    count = (labels != UNKNOWN).sum().clamp(min=1)
    total = functional.cross_entropy(
        logits, labels, ignore_index=UNKNOWN, reduction="sum", label_smoothing=smoothing
    )
    return total / count


def _identity(
    logits: Tensor, feature: Tensor, labels: Tensor, spec: LossSpec, classifier: nn.Linear
) -> Tensor:
    classes = logits.shape[1]
    told = torch.where(labels < classes, labels, UNKNOWN)  # tracks have no class
    if spec.head is Head.COSINE:
        cosines = functional.normalize(feature) @ functional.normalize(classifier.weight.float()).t()
        true = functional.one_hot(told.clamp(min=0), classes)
        logits = spec.scale * (cosines - spec.angular_margin * true)
    return known_cross_entropy(logits, told, smoothing=spec.smoothing)
