# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The re-identification network: a backbone and heads, from a stack to an embedding, a color and a type.

Source: PAMTRI (ICCV 2019) for stack, keypoint vector and heads. The names of the parameters are those of
PAMTRI's checkpoints. The paper's backbone is DenseNet; EfficientNet-Lite is the one for small processors, and
its embedding comes off a batch-normalized neck (Luo et al., "Bag of Tricks and a Strong Baseline for Deep
Person Re-Identification", CVPR workshops 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.errors import InputError
from pamtri_edge.geometry import EXTRA_MEAN, EXTRA_STD, IMAGE_SIZE
from pamtri_edge.models.densenet import DenseNet, DenseSpec
from pamtri_edge.models.efficientnet import EfficientNetLite, LiteSpec
from pamtri_edge.models.pooling import PARTS, CubicMeanPool, EndsPool, MeanPool, PartsPool
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
        parts: width of what the heads take of the vehicle's parts, each pooled where the segments of the
            stack say it is (see `PartsPool`); 0 for none.
        middle: the heads also take the pooled ends of the higher resolutions of an EfficientNet-Lite.

    Raises:
        InputError: parts without segments, or middle stages of another backbone.
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
    parts: int = field(default=0, metadata=LATER)
    middle: bool = field(default=False, metadata=LATER)

    def __post_init__(self) -> None:
        if self.parts and (self.parts < 0 or not self.segments):
            raise InputError(
                "parts of a vehicle are pooled where its segments are, and these are not in the stack: take "
                "them in (--embed segments or both), or leave the parts out."
            )
        if self.middle and not isinstance(self.backbone, LiteSpec):
            raise InputError("middle stages are those of an EfficientNet-Lite; this backbone is a DenseNet.")

    @property
    def channels(self) -> int:
        """Channels of the stack."""
        return 3 + NUM_KEYPOINTS * self.heatmaps + NUM_SEGMENTS * self.segments

    @property
    def pooled(self) -> int:
        """Width of the pooled feature of the backbone."""
        return self.backbone.pooled

    @property
    def joined(self) -> int:
        """Width of all that the heads take."""
        middle = 2 * sum(self.backbone.ends) if isinstance(self.backbone, LiteSpec) and self.middle else 0
        return self.pooled + middle + self.parts + 3 * NUM_KEYPOINTS * self.keypoints

    @property
    def headed(self) -> bool:
        """Whether a layer makes the embedding; else it is the pooled feature."""
        return self.keypoints or self.multitask or self.neck or self.parts > 0

    @property
    def neck(self) -> bool:
        """Whether the embedding is normalized over the batch, not a leaky ReLU's."""
        return isinstance(self.backbone, LiteSpec)

    @property
    def learned(self) -> int:
        """Width of the feature that is learned with the identities' classifier."""
        return self.feature if self.headed else self.pooled

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
        middle: makes one of the maps before; None without `ReidSpec.middle`.
        parts: makes one for each part of the vehicle; None without `ReidSpec.parts`.
    """

    def __init__(self, spec: ReidSpec | None = None) -> None:
        super().__init__()
        self.spec = spec = spec or ReidSpec()
        self.base, self.pool = _backbone(spec), _pooling(spec)
        self.middle, self.parts = _ends_pool(spec), PartsPool() if spec.parts else None
        if spec.parts:
            self.fc_parts = nn.Linear(len(PARTS) * spec.pooled, spec.parts)
        if spec.multitask:
            self.fc_vid = nn.Linear(spec.joined, spec.feature)
            self.fc_vcolor = nn.Linear(spec.joined, spec.attribute)
            self.fc_vtype = nn.Linear(spec.joined, spec.attribute)
            self.classifier_vcolor = nn.Linear(spec.attribute, spec.colors)
            self.classifier_vtype = nn.Linear(spec.attribute, spec.types)
        elif spec.headed:
            self.fc = nn.Linear(spec.joined, spec.feature)
        if spec.neck:
            self.neck = nn.BatchNorm1d(spec.feature)
        self.classifier_vid = nn.Linear(spec.learned, spec.vehicles)
        self.whitening = Whitening(spec.pooled) if spec.whitened else None
        if spec.side != IMAGE_SIZE:  # the one thing that no shape tells
            self.register_buffer("side", torch.tensor(float(spec.side)))

    @property
    def stem(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The first convolution, which the whole stack goes through, and its normalization."""
        return self.base.stem

    def forward(self, stack: Tensor, keypoint_vector: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what the original network returns, in training and in use.

        Args:
            stack: (N, C, S, S) normalized RGB, then heatmaps, then segments; S is `spec.side` in use.
            keypoint_vector: (N, 108) x, y, confidence of each keypoint in crop units, less 0.5; needed
                if and only if the network takes keypoints.

        Returns:
            (id, color, type, feature) or, without the attribute heads, (id, feature): logits (N, V),
            (N, C), (N, T) and the unnormalized embedding (N, D).
        """
        pooled, seen = self._seen(self._stem(stack), self._segments(stack))
        feature, attributes = self._heads(seen, keypoint_vector)
        return (self.classifier_vid(feature), *attributes, self._embedding(feature, pooled))

    def describe(
        self, stack: Tensor, keypoint_vector: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the unnormalized embedding (N, D) and the attribute logits, () or (color, type)."""
        return self.describe_stem(self._stem(stack), keypoint_vector, self._segments(stack))

    def describe_stem(
        self, stem: Tensor, keypoint_vector: Tensor | None = None, segments: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Go on as `describe` from the normalized output (N, stem, S / 2, S / 2) of the first convolution.

        `segments` (N, 13, S, S) of 0..1 are needed if and only if the network pools parts.
        """
        pooled, seen = self._seen(stem, segments)
        feature, attributes = self._heads(seen, keypoint_vector)
        return self._embedding(feature, pooled), attributes

    def _stem(self, stack: Tensor) -> Tensor:
        convolution, norm = self.base.stem
        return norm(convolution(stack))  # type: ignore[no-any-return]

    def _segments(self, stack: Tensor) -> Tensor | None:
        """Return the segments of a stack as 0..1, where they are needed."""
        return stack[:, -NUM_SEGMENTS:] * EXTRA_STD + EXTRA_MEAN if self.spec.parts else None

    def _seen(self, stem: Tensor, segments: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the pooled feature, and it with all else that the heads take of the picture."""
        if self.middle is None:
            ends, last = list[Tensor](), self.base.after_stem(stem)
        else:
            assert isinstance(self.base, EfficientNetLite)
            ends, last = self.base.with_ends(stem)
        pooled: Tensor = self.pool(last)
        seen = [pooled]
        if self.middle is not None:
            seen.append(self.middle(ends).to(pooled.dtype))
        if self.parts is not None:
            if segments is None:
                raise ValueError("this network pools parts: pass segments, (N, 13, S, S).")
            seen.append(functional.leaky_relu(self.fc_parts(self.parts(last, segments))))
        return pooled, torch.cat(seen, dim=1) if len(seen) > 1 else pooled

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
        if spec.headed:
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
    recognition" (Interspeech 2006). `train.refit` finds the weights; it always computes in float32.

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


def _ends_pool(spec: ReidSpec) -> EndsPool | None:
    return EndsPool(spec.backbone.ends) if isinstance(spec.backbone, LiteSpec) and spec.middle else None


def _pooling(spec: ReidSpec) -> nn.Module:
    return CubicMeanPool() if isinstance(spec.backbone, LiteSpec) else MeanPool()
