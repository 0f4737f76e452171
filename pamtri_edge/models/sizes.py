# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The sizes that have a name: `paper`, `lite` for embedded devices, and tiny ones for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pamtri_edge.models.densenet import DENSENET121, DenseSpec
from pamtri_edge.models.efficientnet import LITES, LiteSpec, Stage
from pamtri_edge.models.hrnet import PoseSpec
from pamtri_edge.models.multitask import ReidSpec

PAPER: Final = (PoseSpec(), ReidSpec())
"""HRNet-W32 and DenseNet121: the networks of the paper."""

LITE: Final = (
    PoseSpec(
        stem=32,
        bottleneck_blocks=2,
        bottleneck_planes=16,
        widths=(16, 32, 64, 128),
        modules=(1, 2, 1),
        blocks=(2, 2, 2),
    ),
    ReidSpec(
        keypoints=False,
        heatmaps=False,
        backbone=LITES["efficientnet-lite0"],
        side=160,
        feature=512,
        attribute=128,
    ),
)
"""The pose network narrower and shallower, and a re-identification network for small processors that can
begin with ImageNet weights. It looks at RGB alone; here the pose serves keypoints and quality. Whether pose
channels would help this backbone is asked by `benchmarks/ablation.py`.
"""

TINY: Final = (
    PoseSpec(
        stem=8,
        bottleneck_blocks=1,
        bottleneck_planes=4,
        widths=(8, 8, 8, 8),
        modules=(1, 1, 1),
        blocks=(1, 1, 1),
    ),
    ReidSpec(backbone=DenseSpec(stem=8, growth=4, blocks=(1, 1, 1, 1)), feature=32, attribute=16, vehicles=7),
)
"""As small as the construction allows: for tests, which export it in a few seconds."""

TINY_LITE: Final = replace(
    TINY[1],
    backbone=LiteSpec(
        (
            Stage(8, 1, 3, 1, 1),
            Stage(12, 1, 3, 2, 2),
            Stage(16, 1, 5, 2, 2),
            Stage(20, 2, 3, 2, 2),
            Stage(24, 1, 3, 1, 2),
        ),
        stem=8,
        head=40,
    ),
    side=128,
)
"""The same with the other backbone, as narrow and shallow."""


def with_lite(spec: ReidSpec, name: str, *, side: int = 128) -> ReidSpec:
    """Return the same inputs with a published EfficientNet-Lite as the backbone.

    Args:
        spec: inputs and class counts.
        name: a name of `efficientnet.LITES`.
        side: side of the pictures that it looks at.
    """
    return replace(spec, backbone=LITES[name], side=side, feature=512, attribute=128)


def backbone_name(spec: ReidSpec) -> str:
    """Return what a network's backbone is called, for people: a published name, or its kind and blocks."""
    backbone = spec.backbone
    if isinstance(backbone, LiteSpec):
        found = [name for name, published in LITES.items() if published == backbone]
        return found[0] if found else f"efficientnet-lite of {sum(s.blocks for s in backbone.stages)} blocks"
    if replace(backbone, blocks=DENSENET121) == DenseSpec():
        return f"densenet{2 * sum(backbone.blocks) + len(backbone.blocks) + 1}"  # as they are numbered
    return f"densenet with blocks of {', '.join(map(str, backbone.blocks))} layers"


SIZES: Final = {"paper": PAPER, "lite": LITE}
"""The pose and re-identification network of each named size."""
