# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite: a backbone for small processors, with neither squeeze-and-excitation nor swish.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019);
the Lite form is Google's, for int8 arithmetic. The parameters are named as in the published PyTorch weights
(`_conv_stem`, `_blocks.3._expand_conv`, ...), so that these load as they are.

A stride of 2 pads as TensorFlow does, one row and column more behind than in front; that is part of what the
published weights learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_EPSILON: Final = 1e-3
"""Of batch normalization; that of the published weights, and so is the momentum."""
_MOMENTUM: Final = 0.01


@dataclass(frozen=True)
class Stage:
    """Blocks of one width: the first may halve the resolution.

    Attributes:
        channels: what each block gives.
        blocks: how many there are.
        kernel: side of their depthwise convolutions.
        stride: of the first block.
        expand: how many times wider a block is inside.
    """

    channels: int
    blocks: int
    kernel: int
    stride: int
    expand: int


@dataclass(frozen=True)
class LiteSpec:
    """Widths and depths of an EfficientNet-Lite.

    Attributes:
        stages: the blocks, from the stem on.
        stem: channels of the first convolution.
        head: channels of the last one, a 1x1 convolution.
    """

    stages: tuple[Stage, ...]
    stem: int = 32
    head: int = 1280

    @property
    def pooled(self) -> int:
        """Width of the pooled feature."""
        return self.head

    @property
    def ends(self) -> tuple[int, ...]:
        """Channels of the last map of each resolution but the lowest."""
        halved = [index for index, stage in enumerate(self.stages) if stage.stride > 1 and index]
        return tuple(self.stages[index - 1].channels for index in halved)


_PUBLISHED: Final = (
    Stage(16, 1, 3, 1, 1),
    Stage(24, 2, 3, 2, 6),
    Stage(40, 2, 5, 2, 6),
    Stage(80, 3, 3, 2, 6),
    Stage(112, 3, 5, 1, 6),
    Stage(192, 4, 5, 2, 6),
    Stage(320, 1, 3, 1, 6),
)
"""Lite0; the others are wider and deeper by a factor, except at both ends."""


def scaled(width: float, depth: float) -> LiteSpec:
    """Return the EfficientNet-Lite whose stages are wider and deeper than Lite0's by these factors."""
    ends = (_PUBLISHED[0], _PUBLISHED[-1])
    return LiteSpec(
        tuple(
            Stage(
                _rounded(stage.channels * width),
                stage.blocks if stage in ends else math.ceil(stage.blocks * depth),
                stage.kernel,
                stage.stride,
                stage.expand,
            )
            for stage in _PUBLISHED
        )
    )


class EfficientNetLite(nn.Module):
    """The convolutions of an EfficientNet-Lite, without its classifier.

    Args:
        spec: widths and depths.
        channels: of the stack; the published weights take 3.
    """

    def __init__(self, spec: LiteSpec, channels: int = 3) -> None:
        super().__init__()
        self._conv_stem = SameConvolution(channels, spec.stem, 3, stride=2)
        self._bn0 = _norm(spec.stem)
        self._blocks = nn.ModuleList(_blocks(spec))
        self._conv_head = SameConvolution(spec.stages[-1].channels, spec.head, 1)
        self._bn1 = _norm(spec.head)

    @property
    def stem(self) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
        """The first convolution, which the whole stack goes through, and its normalization."""
        return self._conv_stem, self._bn0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks, in order."""
        return tuple(block for block in self._blocks if isinstance(block, Block))

    def after_stem(self, stem: Tensor) -> Tensor:
        """Map the normalized output (N, stem, S / 2, S / 2) of the stem to (N, P, S / 32, S / 32), 0..6."""
        return self.with_ends(stem)[1]

    def with_ends(self, stem: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the maps of `LiteSpec.ends`, from the highest resolution on, and what `after_stem` does."""
        ends, x = [], functional.relu6(stem)
        for index, block in enumerate(self.blocks):
            if index and block.halves:
                ends.append(x)
            x = block(x)
        return ends, functional.relu6(_normalized(self._conv_head, self._bn1, x))


class Block(nn.Module):
    """A 1x1 convolution that widens, a depthwise one, and a 1x1 that narrows.

    Attributes:
        residual: its input is added.
        halves: its output has half the resolution.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = channels * expand
        self._wider = expand != 1
        if self._wider:
            self._expand_conv = SameConvolution(channels, wide, 1)
            self._bn0 = _norm(wide)
        self._depthwise_conv = SameConvolution(wide, wide, kernel, stride=stride, groups=wide)
        self._bn1 = _norm(wide)
        self._project_conv = SameConvolution(wide, out, 1)
        self._bn2 = _norm(out)
        self.residual = stride == 1 and channels == out
        self.halves = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, out, H / stride, W / stride)."""
        y = functional.relu6(_normalized(self._expand_conv, self._bn0, x)) if self._wider else x
        y = functional.relu6(_normalized(self._depthwise_conv, self._bn1, y))
        y = _normalized(self._project_conv, self._bn2, y)
        return x + y if self.residual else y


class SameConvolution(nn.Conv2d):
    """A convolution without bias whose output is its input's size over the stride, as TensorFlow's `SAME`.

    Attributes:
        around: rows (and columns) of zeros before and behind.
    """

    def __init__(self, channels: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        total = kernel - stride
        self.around = (total // 2, total - total // 2)
        padding = total // 2 if total % 2 == 0 else 0
        super().__init__(channels, out, kernel, stride, padding, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, out, H / stride, W / stride)."""
        return super().forward(self.framed(x))

    def framed(self, x: Tensor) -> Tensor:
        """Return the input with the zeros around it that `padding` cannot say."""
        return functional.pad(x, self.around * 2) if self.around[0] != self.around[1] else x


def _normalized(convolution: SameConvolution, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Convolve and normalize.

    In a training that keeps the statistics (`train.reid`) the normalization goes into the weights first:
    the same numbers, and gradients, in two thirds of the time, because no pass over the map is needed.
    """
    if norm.training or not torch.is_grad_enabled() or torch.compiler.is_exporting():
        return norm(convolution(x))  # type: ignore[no-any-return]
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return functional.conv2d(
        convolution.framed(x),
        convolution.weight * scale.view(-1, 1, 1, 1),
        norm.bias - norm.running_mean * scale,
        convolution.stride,
        convolution.padding,
        convolution.dilation,
        convolution.groups,
    )


def _blocks(spec: LiteSpec) -> Iterator[Block]:
    channels = spec.stem
    for stage in spec.stages:
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            yield Block(channels, stage.channels, stage.kernel, stride, stage.expand)
            channels = stage.channels


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)


def _rounded(channels: float, step: int = 8) -> int:
    """Round to a multiple of 8, but not down by more than a tenth."""
    rounded = max(step, int(channels + step / 2) // step * step)
    return rounded if rounded >= 0.9 * channels else rounded + step


LITES: Final = {"efficientnet-lite0": scaled(1.0, 1.0), "efficientnet-lite2": scaled(1.1, 1.2)}
"""The published backbones by name."""
