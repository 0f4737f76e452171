# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The re-identification network: a backbone and heads, from a stack to an embedding, a color and a type.

Source: PAMTRI (ICCV 2019) for stack, keypoint vector and heads. The names of the parameters are those of
PAMTRI's checkpoints. The paper's backbone is DenseNet; EfficientNet-Lite is the one for small processors, and
its embedding comes off a batch-normalised neck (Luo et al., "Bag of Tricks and a Strong Baseline for Deep
Person Re-Identification", CVPR workshops 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models.densenet import DenseNet, DenseSpec
from pamtri_edge.models.efficientnet import EfficientNetLite, LiteSpec
from pamtri_edge.models.pooling import CubicMeanPool, MeanPool
from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, NUM_SEGMENTS, TYPES

LATER: Final = {"later": True}
"""Of fields that records of earlier versions lack: where one has its default, new records lack it too."""


@dataclass(frozen=True)
class ReidSpec:
    """The inputs, backbone and heads of a re-identification network.

    The defaults are DenseNet121 with keypoints, heatmaps and the attribute heads.

    Attributes:
        keypoints: the 108-vector of keypoints joins the pooled feature.
        heatmaps: 36 heatmaps follow RGB in the stack.
        segments: 13 segments follow in the stack.
        multitask: color and type are predicted too.
        vehicles: identities of the training set, rows of the identity classifier.
        colors: color classes.
        types: type classes.
        backbone: widths and depths of the convolutions.
        side: side in pixels of the pictures that the network looks at; pose always looks at 256.
        feature: width of the embedding where there are keypoints, heads or a neck; otherwise the embedding is
            the pooled feature.
        attribute: width of the hidden layers in front of color and type.
        whitened: half of the embedding is the pooled feature itself, whitened; see `Whitening`.
    """

    keypoints: bool = True
    heatmaps: bool = True
    segments: bool = False
    multitask: bool = True
    vehicles: int = 576
    colors: int = len(COLORS)
    types: int = len(TYPES)
    backbone: DenseSpec | LiteSpec = field(default_factory=DenseSpec)
    side: int = IMAGE_SIZE
    feature: int = 1024
    attribute: int = 512
    whitened: bool = False

    @property
    def channels(self) -> int:
        """Channels of the stack."""
        return 3 + NUM_KEYPOINTS * self.heatmaps + NUM_SEGMENTS * self.segments

    @property
    def pooled(self) -> int:
        """Width of the pooled feature of the backbone."""
        return self.backbone.pooled

    @property
    def neck(self) -> bool:
        """Whether the embedding is normalised over the batch, not a leaky ReLU's."""
        return isinstance(self.backbone, LiteSpec)

    @property
    def learned(self) -> int:
        """Width of the feature that is learned with the identities' classifier."""
        return self.feature if self.keypoints or self.multitask or self.neck else self.pooled

    @property
    def embedding(self) -> int:
        """Width of the embedding."""
        return self.learned + self.pooled * self.whitened

    @property
    def uses_pose(self) -> bool:
        """Whether anything of the pose network enters."""
        return self.keypoints or self.heatmaps or self.segments


class ReidNet(nn.Module):
    """The multi-task network with parameter names as in PAMTRI's checkpoints.

    Attributes:
        spec: the inputs, backbone and heads it was built with.
        base: the convolutions.
        pool: makes one feature of their last map.
    """

    def __init__(self, spec: ReidSpec | None = None) -> None:
        super().__init__()
        self.spec = spec = spec or ReidSpec()
        self.base, self.pool = _backbone(spec), _pooling(spec)
        joined = spec.pooled + 3 * NUM_KEYPOINTS * spec.keypoints
        if spec.multitask:
            self.fc_vid = nn.Linear(joined, spec.feature)
            self.fc_vcolor = nn.Linear(joined, spec.attribute)
            self.fc_vtype = nn.Linear(joined, spec.attribute)
            self.classifier_vcolor = nn.Linear(spec.attribute, spec.colors)
            self.classifier_vtype = nn.Linear(spec.attribute, spec.types)
        elif spec.keypoints or spec.neck:
            self.fc = nn.Linear(joined, spec.feature)
        if spec.neck:
            self.neck = nn.BatchNorm1d(spec.feature)
        self.classifier_vid = nn.Linear(spec.learned, spec.vehicles)
        self.whitening = Whitening(spec.pooled) if spec.whitened else None
        if spec.side != IMAGE_SIZE:  # the one thing that no shape tells
            self.register_buffer("side", torch.tensor(float(spec.side)))

    @property
    def stem(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The first convolution, which the whole stack goes through, and its normalisation."""
        return self.base.stem

    def forward(self, stack: Tensor, keypoint_vector: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what the original network returns, in training and in use.

        Args:
            stack: (N, C, S, S) normalised RGB, then heatmaps, then segments; S is `spec.side` in use.
            keypoint_vector: (N, 108) x, y, confidence of each keypoint in crop units, less 0.5; needed
                if and only if the network takes keypoints.

        Returns:
            (id, color, type, feature) or, without the attribute heads, (id, feature): logits (N, V),
            (N, C), (N, T) and the unnormalised embedding (N, D).
        """
        pooled = self._pooled(self._stem(stack))
        feature, attributes = self._heads(pooled, keypoint_vector)
        return (self.classifier_vid(feature), *attributes, self._embedding(feature, pooled))

    def describe(
        self, stack: Tensor, keypoint_vector: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the unnormalised embedding (N, D) and the attribute logits, () or (color, type)."""
        return self.describe_stem(self._stem(stack), keypoint_vector)

    def describe_stem(
        self, stem: Tensor, keypoint_vector: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Go on as `describe` from the normalised output (N, stem, S / 2, S / 2) of the first convolution."""
        pooled = self._pooled(stem)
        feature, attributes = self._heads(pooled, keypoint_vector)
        return self._embedding(feature, pooled), attributes

    def _stem(self, stack: Tensor) -> Tensor:
        convolution, norm = self.base.stem
        return norm(convolution(stack))  # type: ignore[no-any-return]

    def _pooled(self, stem: Tensor) -> Tensor:
        return self.pool(self.base.after_stem(stem))  # type: ignore[no-any-return]

    def _heads(self, pooled: Tensor, keypoint_vector: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the learned feature and the attribute logits."""
        spec = self.spec
        if spec.keypoints:
            if keypoint_vector is None:
                raise ValueError("this network takes keypoints: pass keypoint_vector, (N, 108).")
            pooled = torch.cat([pooled, keypoint_vector], dim=1)
        if spec.multitask:
            color = self.classifier_vcolor(functional.leaky_relu(self.fc_vcolor(pooled)))
            kind = self.classifier_vtype(functional.leaky_relu(self.fc_vtype(pooled)))
            return self._activated(self.fc_vid(pooled)), (color, kind)
        if spec.keypoints or spec.neck:
            return self._activated(self.fc(pooled)), ()
        return pooled, ()

    def _activated(self, feature: Tensor) -> Tensor:
        return self.neck(feature) if self.spec.neck else functional.leaky_relu(feature)

    def _embedding(self, feature: Tensor, pooled: Tensor) -> Tensor:
        return feature if self.whitening is None else self.whitening(feature, pooled)


class Whitening(nn.Module):
    """The second half of an embedding: the pooled feature, in which views of one vehicle vary alike.

    What a network learned from drawn vehicles leans on what tells these apart. Its pooled feature holds more,
    and becomes comparable once each direction is divided by how much the views of one vehicle spread along
    it. Both halves have the same length, so that the cosine of two embeddings is the mean of the two halves'.

    Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker
    recognition" (Interspeech 2006). `train.whiten` finds the weights; it always computes in float32.

    Args:
        pooled: width of the pooled feature.
    """

    def __init__(self, pooled: int) -> None:
        super().__init__()
        self.linear = nn.Linear(pooled, pooled)

    def forward(self, feature: Tensor, pooled: Tensor) -> Tensor:
        """Return (N, D + P): `feature` (N, D) at unit length, and the whitened `pooled` (N, P) likewise."""
        whitened = self.linear(pooled.to(self.linear.weight.dtype))
        return torch.cat([unit_length(feature.to(whitened.dtype)), unit_length(whitened)], dim=1)


def unit_length(feature: Tensor) -> Tensor:
    """Bring each row of (N, D) to length 1; a row of zeros stays one."""
    length: Tensor = torch.linalg.vector_norm(feature, dim=1, keepdim=True)
    return feature / length.clamp_min(1e-12)


def _backbone(spec: ReidSpec) -> DenseNet | EfficientNetLite:
    if isinstance(spec.backbone, LiteSpec):
        return EfficientNetLite(spec.backbone, spec.channels)
    return DenseNet(spec.backbone, spec.channels)


def _pooling(spec: ReidSpec) -> nn.Module:
    return CubicMeanPool() if isinstance(spec.backbone, LiteSpec) else MeanPool()
