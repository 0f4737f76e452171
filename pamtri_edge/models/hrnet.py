# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The pose network: HRNet, from a picture to 36 heatmaps.

Parallel branches at resolutions 1/4, 1/8, 1/16, 1/32 exchange what they see after every module; only the
finest is read out. Source: Sun et al., "Deep High-Resolution Representation Learning for Human Pose
Estimation" (CVPR 2019), as PAMTRI uses it. The names of the parameters are those of PAMTRI's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from pamtri_edge.vehicle import NUM_KEYPOINTS

_BOTTLENECK_EXPANSION = 4


@dataclass(frozen=True)
class PoseSpec:
    """The widths and depths of a pose network; the defaults are HRNet-W32, the paper's.

    Attributes:
        stem: channels of the two stride-2 convolutions.
        bottleneck_blocks: blocks of the first stage.
        bottleneck_planes: inner width of these blocks; their output is four times as wide.
        widths: channels of each branch, finest first; its length is the number of resolutions.
        modules: modules of stage 2, 3, ...: one fewer than there are branches.
        blocks: residual blocks of every branch in a module of stage 2, 3, ...
        keypoints: number of heatmaps.
    """

    stem: int = 64
    bottleneck_blocks: int = 4
    bottleneck_planes: int = 64
    widths: tuple[int, ...] = (32, 64, 128, 256)
    modules: tuple[int, ...] = (1, 4, 3)
    blocks: tuple[int, ...] = (4, 4, 4)
    keypoints: int = NUM_KEYPOINTS

    def __post_init__(self) -> None:
        stages = len(self.widths) - 1
        if stages < 1 or len(self.modules) != stages or len(self.blocks) != stages:
            raise ValueError(
                f"a pose network of {len(self.widths)} branches has {stages} stages after the first; "
                f"modules={self.modules} and blocks={self.blocks} need {stages} entries each."
            )


class PoseNet(nn.Module):
    """HRNet with parameter names as in PAMTRI's checkpoints.

    Attributes:
        spec: the widths and depths it was built with.
    """

    def __init__(self, spec: PoseSpec | None = None) -> None:
        super().__init__()
        self.spec = spec = spec or PoseSpec()
        self.conv1 = nn.Conv2d(3, spec.stem, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(spec.stem)
        self.conv2 = nn.Conv2d(spec.stem, spec.stem, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(spec.stem)
        self.relu = nn.ReLU(inplace=True)
        wide = spec.bottleneck_planes * _BOTTLENECK_EXPANSION
        self.layer1 = nn.Sequential(
            *(
                Bottleneck(spec.stem if block == 0 else wide, spec.bottleneck_planes)
                for block in range(spec.bottleneck_blocks)
            )
        )
        self.stages = len(spec.modules)
        before: Sequence[int] = (wide,)
        for stage in range(self.stages):
            widths = spec.widths[: stage + 2]
            last = stage == self.stages - 1
            self.add_module(f"transition{stage + 1}", _transition(before, widths))
            self.add_module(
                f"stage{stage + 2}",
                nn.Sequential(
                    *(
                        ExchangeModule(
                            widths,
                            blocks=spec.blocks[stage],
                            outputs=1 if last and module == spec.modules[stage] - 1 else len(widths),
                        )
                        for module in range(spec.modules[stage])
                    )
                ),
            )
            before = widths
        self.final_layer = nn.Conv2d(spec.widths[0], spec.keypoints, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the heatmaps of normalized pictures.

        Args:
            images: (N, 3, 256, 256) RGB, normalized by `geometry.RGB_MEAN` and `RGB_STD`.

        Returns:
            (N, 36, 64, 64) raw heatmaps, not bounded to [0, 1].
        """
        x = self.relu(self.bn1(self.conv1(images)))
        x = self.relu(self.bn2(self.conv2(x)))
        branches = [self.layer1(x)]
        for stage in range(self.stages):
            branches = self._enter(stage, branches)
            for module in self.get_submodule(f"stage{stage + 2}").children():
                branches = module(branches)
        heatmaps: Tensor = self.final_layer(branches[0])
        return heatmaps

    def _enter(self, stage: int, branches: list[Tensor]) -> list[Tensor]:
        """Bring the branches of one stage to the widths and the number of the next."""
        entered = []
        for index, convert in enumerate(self.get_submodule(f"transition{stage + 1}").children()):
            source = branches[min(index, len(branches) - 1)]
            entered.append(convert(source))
        return entered


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a skip connection; width and resolution stay."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        y = self.relu(self.bn1(self.conv1(x)))
        out: Tensor = self.relu(self.bn2(self.conv2(y)) + x)
        return out


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions with a skip connection, four times as wide at its end as inside."""

    def __init__(self, channels: int, planes: int) -> None:
        super().__init__()
        wide = planes * _BOTTLENECK_EXPANSION
        self.conv1 = nn.Conv2d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            None
            if channels == wide
            else nn.Sequential(nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 4 * planes, H, W)."""
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        skip = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu(self.bn3(self.conv3(y)) + skip)
        return out


class ExchangeModule(nn.Module):
    """Residual blocks on every branch, then each branch receives the sum of all, at its resolution."""

    def __init__(self, widths: Sequence[int], *, blocks: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width) for _ in range(blocks))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_bring(widths, source, target) for source in range(len(widths)))
            for target in range(outputs)
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, branches: list[Tensor]) -> list[Tensor]:
        """Map a list of (N, C_b, H / 2**b, W / 2**b) to one of as many entries as there are outputs."""
        worked = [work(x) for work, x in zip(self.branches, branches, strict=True)]
        fused = []
        for layers in self.fuse_layers.children():
            brought = [bring(x) for bring, x in zip(layers.children(), worked, strict=True)]
            total = brought[0]
            for other in brought[1:]:
                total = total + other
            fused.append(self.relu(total))
        return fused

    def incoming_norms(self) -> list[nn.BatchNorm2d]:
        """Return the last batch normalization on the way from each branch to each other."""
        ways = [way for layers in self.fuse_layers.children() for way in layers.children()]
        norms = [[norm for norm in way.modules() if isinstance(norm, nn.BatchNorm2d)] for way in ways]
        return [found[-1] for found in norms if found]


def _bring(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """Return the layers that bring one branch to another's width and resolution."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(
            nn.Conv2d(widths[source], widths[target], 1, bias=False),
            nn.BatchNorm2d(widths[target]),
            nn.Upsample(scale_factor=2 ** (source - target), mode="nearest"),
        )
    steps = target - source
    links = []
    for step in range(steps):
        last = step == steps - 1
        width = widths[target] if last else widths[source]
        links.append(_downsampling(widths[source], width, activate=not last))
    return nn.Sequential(*links)


def _transition(before: Sequence[int], after: Sequence[int]) -> nn.ModuleList:
    """Return, for each branch of the next stage, what makes it from the branches before."""
    converters: list[nn.Module] = []
    for index, width in enumerate(after):
        if index >= len(before):
            converters.append(nn.Sequential(_downsampling(before[-1], width, activate=True)))
        elif before[index] == width:
            converters.append(nn.Identity())
        else:
            converters.append(
                nn.Sequential(
                    nn.Conv2d(before[index], width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                )
            )
    return nn.ModuleList(converters)


def _downsampling(channels: int, width: int, *, activate: bool) -> nn.Sequential:
    """Return a stride-2 convolution with batch normalization, and ReLU where it is wanted."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(width),
    ]
    if activate:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
