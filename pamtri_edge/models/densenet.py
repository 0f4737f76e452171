# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""DenseNet: the backbone of the paper.

Source: Huang et al., "Densely Connected Convolutional Networks" (CVPR 2017). The names of the parameters are
those of PAMTRI's checkpoints. One peculiarity is PAMTRI's: no ReLU follows the last normalization, so that
the pooled feature has negative values.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional

DENSENET121 = (6, 12, 24, 16)
DENSENET201 = (6, 12, 48, 32)
"""`DenseSpec.blocks` of the two published backbones (stem 64, growth 32)."""


@dataclass(frozen=True)
class DenseSpec:
    """Widths and depths of a DenseNet; the defaults are DenseNet121.

    Attributes:
        stem: channels of the first convolution.
        growth: channels that every dense layer adds.
        blocks: dense layers of each of the dense blocks; a transition halves the channels between two.
        bottleneck: a dense layer's 1x1 convolution is this many times `growth` wide.
    """

    stem: int = 64
    growth: int = 32
    blocks: tuple[int, ...] = DENSENET121
    bottleneck: int = 4

    @property
    def pooled(self) -> int:
        """Width of the pooled feature."""
        channels = self.stem
        for index, layers in enumerate(self.blocks):
            channels += layers * self.growth
            if index < len(self.blocks) - 1:
                channels //= 2
        return channels


class DenseNet(nn.Sequential):
    """The convolutions of a DenseNet.

    Args:
        spec: widths and depths.
        channels: of the stack.
    """

    def __init__(self, spec: DenseSpec, channels: int) -> None:
        super().__init__(_layers(spec, channels))

    @property
    def stem(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The first convolution, which the whole stack goes through, and its normalization."""
        convolution, norm = islice(self.children(), 2)
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return convolution, norm

    @property
    def blocks(self) -> tuple[nn.Module, ...]:
        """The dense blocks, each with the transition that follows it."""
        parts = [
            part for name, part in self.named_children() if name.startswith(("denseblock", "transition"))
        ]
        return tuple(nn.ModuleList(parts[start : start + 2]) for start in range(0, len(parts), 2))

    def after_stem(self, stem: Tensor) -> Tensor:
        """Map the normalized output (N, stem, S / 2, S / 2) of the stem to (N, P, S / 32, S / 32)."""
        x = stem
        for layer in islice(self.children(), 2, None):
            x = layer(x)
        return x


class DenseLayer(nn.Module):
    """Two convolutions, each after normalization and ReLU; its output joins its input."""

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


def _layers(spec: DenseSpec, channels: int) -> OrderedDict[str, nn.Module]:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv0"] = nn.Conv2d(channels, spec.stem, 7, stride=2, padding=3, bias=False)
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
    return layers


def _transition(channels: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["norm"] = nn.BatchNorm2d(channels)
    layers["relu"] = nn.ReLU(inplace=True)
    layers["conv"] = nn.Conv2d(channels, channels // 2, 1, bias=False)
    layers["pool"] = nn.AvgPool2d(2, stride=2)
    return nn.Sequential(layers)
