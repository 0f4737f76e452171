# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The re-identification network: DenseNet, from a stack to an embedding, a color and a type.

Source: Huang et al., "Densely Connected Convolutional Networks" (CVPR 2017) for the backbone, PAMTRI
(ICCV 2019) for stack, keypoint vector and heads. The names of the parameters are those of PAMTRI's
checkpoints. One peculiarity is PAMTRI's: no ReLU follows the last normalisation, so that the pooled feature
has negative values.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, NUM_SEGMENTS, TYPES


@dataclass(frozen=True)
class ReidSpec:
    """The inputs, heads, widths and depths of a re-identification network.

    The defaults are DenseNet121 with keypoints, heatmaps and the attribute heads.

    Attributes:
        keypoints: the 108-vector of keypoints joins the pooled feature.
        heatmaps: 36 heatmaps follow RGB in the stack.
        segments: 13 segments follow in the stack.
        multitask: color and type are predicted too.
        vehicles: identities of the training set, rows of the identity classifier.
        colors: color classes.
        types: type classes.
        stem: channels of the first convolution.
        growth: channels that every dense layer adds.
        blocks: dense layers of each of the dense blocks; a transition halves the channels between two.
        bottleneck: a dense layer's 1x1 convolution is this many times `growth` wide.
        feature: width of the embedding where there are keypoints or heads; otherwise the embedding is the
            pooled feature.
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
    stem: int = 64
    growth: int = 32
    blocks: tuple[int, ...] = (6, 12, 24, 16)
    bottleneck: int = 4
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
        channels = self.stem
        for index, layers in enumerate(self.blocks):
            channels += layers * self.growth
            if index < len(self.blocks) - 1:
                channels //= 2
        return channels

    @property
    def learned(self) -> int:
        """Width of the feature that is learned with the identities' classifier."""
        return self.feature if self.keypoints or self.multitask else self.pooled

    @property
    def embedding(self) -> int:
        """Width of the embedding."""
        return self.learned + self.pooled * self.whitened

    @property
    def uses_pose(self) -> bool:
        """Whether anything of the pose network enters."""
        return self.keypoints or self.heatmaps or self.segments


DENSENET121 = (6, 12, 24, 16)
DENSENET201 = (6, 12, 48, 32)
"""`ReidSpec.blocks` of the two published backbones (stem 64, growth 32)."""


class ReidNet(nn.Module):
    """The multi-task DenseNet with parameter names as in PAMTRI's checkpoints.

    Attributes:
        spec: the inputs, heads, widths and depths it was built with.
    """

    def __init__(self, spec: ReidSpec | None = None) -> None:
        super().__init__()
        self.spec = spec = spec or ReidSpec()
        self.base = _backbone(spec)
        joined = spec.pooled + 3 * NUM_KEYPOINTS * spec.keypoints
        if spec.multitask:
            self.fc_vid = nn.Linear(joined, spec.feature)
            self.fc_vcolor = nn.Linear(joined, spec.attribute)
            self.fc_vtype = nn.Linear(joined, spec.attribute)
            self.classifier_vcolor = nn.Linear(spec.attribute, spec.colors)
            self.classifier_vtype = nn.Linear(spec.attribute, spec.types)
        elif spec.keypoints:
            self.fc = nn.Linear(joined, spec.feature)
        self.classifier_vid = nn.Linear(spec.learned, spec.vehicles)
        self.whitening = Whitening(spec.pooled) if spec.whitened else None

    @property
    def stem(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The first convolution, which the whole stack goes through, and its normalisation."""
        convolution, norm = list(self.base.children())[:2]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return convolution, norm

    def forward(self, stack: Tensor, keypoint_vector: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what the original network returns, in training and in use.

        Args:
            stack: (N, C, 256, 256) normalised RGB, then heatmaps, then segments.
            keypoint_vector: (N, 108) x, y, confidence of each keypoint in crop units, less 0.5; needed
                if and only if the network takes keypoints.

        Returns:
            (id, color, type, feature) or, without the attribute heads, (id, feature): logits (N, V),
            (N, C), (N, T) and the unnormalised embedding (N, D).
        """
        convolution, norm = self.stem
        pooled = self._pooled(norm(convolution(stack)))
        feature, attributes = self._heads(pooled, keypoint_vector)
        return (self.classifier_vid(feature), *attributes, self._embedding(feature, pooled))

    def describe(
        self, stack: Tensor, keypoint_vector: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the unnormalised embedding (N, D) and the attribute logits, () or (color, type)."""
        convolution, norm = self.stem
        return self.describe_stem(norm(convolution(stack)), keypoint_vector)

    def describe_stem(
        self, stem: Tensor, keypoint_vector: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Go on as `describe` from the normalised output (N, S, 128, 128) of the first convolution."""
        pooled = self._pooled(stem)
        feature, attributes = self._heads(pooled, keypoint_vector)
        return self._embedding(feature, pooled), attributes

    def _pooled(self, stem: Tensor) -> Tensor:
        """Return the pooled feature (N, P) of the backbone."""
        x = stem
        for layer in list(self.base.children())[2:]:
            x = layer(x)
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)

    def _heads(self, pooled: Tensor, keypoint_vector: Tensor | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the learned feature and the attribute logits."""
        if self.spec.keypoints:
            if keypoint_vector is None:
                raise ValueError("this network takes keypoints: pass keypoint_vector, (N, 108).")
            pooled = torch.cat([pooled, keypoint_vector], dim=1)
        if self.spec.multitask:
            feature = functional.leaky_relu(self.fc_vid(pooled))
            color = self.classifier_vcolor(functional.leaky_relu(self.fc_vcolor(pooled)))
            kind = self.classifier_vtype(functional.leaky_relu(self.fc_vtype(pooled)))
            return feature, (color, kind)
        if self.spec.keypoints:
            return functional.leaky_relu(self.fc(pooled)), ()
        return pooled, ()

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


class DenseLayer(nn.Module):
    """Two convolutions, each after normalisation and ReLU; its output joins its input."""

    def __init__(self, channels: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, bottleneck * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.conv2 = nn.Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C + growth, H, W)."""
        y = self.conv1(functional.relu(self.norm1(x)))
        y = self.conv2(functional.relu(self.norm2(y)))
        return torch.cat([x, y], dim=1)


def _backbone(spec: ReidSpec) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv0"] = nn.Conv2d(spec.channels, spec.stem, 7, stride=2, padding=3, bias=False)
    layers["norm0"] = nn.BatchNorm2d(spec.stem)
    layers["relu0"] = nn.ReLU(inplace=True)
    layers["pool0"] = nn.MaxPool2d(3, stride=2, padding=1)
    channels = spec.stem
    for index, depth in enumerate(spec.blocks, start=1):
        block = nn.Sequential()
        for layer in range(1, depth + 1):
            block.add_module(f"denselayer{layer}", DenseLayer(channels, spec.growth, spec.bottleneck))
            channels += spec.growth
        layers[f"denseblock{index}"] = block
        if index < len(spec.blocks):
            layers[f"transition{index}"] = _transition(channels)
            channels //= 2
    layers[f"norm{len(spec.blocks) + 1}"] = nn.BatchNorm2d(channels)
    return nn.Sequential(layers)


def _transition(channels: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["norm"] = nn.BatchNorm2d(channels)
    layers["relu"] = nn.ReLU(inplace=True)
    layers["conv"] = nn.Conv2d(channels, channels // 2, 1, bias=False)
    layers["pool"] = nn.AvgPool2d(2, stride=2)
    return nn.Sequential(layers)
