# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which network a state dict belongs to, read from the names and shapes of its tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from torch import Tensor

from pamtri_edge.errors import CheckpointError
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models.densenet import DenseSpec
from pamtri_edge.models.efficientnet import LITES, LiteSpec, Stage
from pamtri_edge.models.hrnet import PoseSpec
from pamtri_edge.models.multitask import ReidSpec
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS

Kind = Literal["pose", "reid"]

_EXTRA_CHANNELS: Final = {
    3: (False, False),
    3 + NUM_SEGMENTS: (False, True),
    3 + NUM_KEYPOINTS: (True, False),
    3 + NUM_KEYPOINTS + NUM_SEGMENTS: (True, True),
}
"""Heatmaps and segments in the stack, by the channels of the first convolution."""

_OTHERS: Final = (
    ("deconv_layers.0.weight", "a ResNet pose network with deconvolutions, which is not supported"),
    ("incre_modules.0.0.conv1.weight", "an HRNet classifier (ImageNet), which has no heatmaps"),
    ("features.conv0.weight", "a DenseNet classifier (ImageNet), which has no embedding"),
    ("_blocks.0._depthwise_conv.weight", "an EfficientNet classifier (ImageNet), which has no embedding"),
    ("base.0.weight", "the ResNet50 variant of re-identification, which is not supported"),
    ("layer4.0.conv1.weight", "a ResNet, which is not supported"),
)


def kind_of(state: Mapping[str, Tensor]) -> Kind | None:
    """Tell which of the two networks a state dict belongs to; None for neither."""
    if any(name.startswith(("base.conv0.", "base.denseblock", "base._blocks.")) for name in state):
        return "reid"
    if any(name.startswith("stage2.") for name in state) and "incre_modules.0.0.conv1.weight" not in state:
        return "pose"
    return None


def recognized(state: Mapping[str, Tensor]) -> bool:
    """Tell whether these names, without a prefix, are those of a network that is known, ours or another."""
    return kind_of(state) is not None or any(name in state for name, _ in _OTHERS)


def looks_like(state: Mapping[str, Tensor]) -> str:
    """Say in words what a state dict belongs to, for an error."""
    kind = kind_of(state)
    if kind == "pose":
        return "a pose network; it is the one to pass as --pose, or to load_pose()"
    if kind == "reid":
        return "a re-identification network; it is the one to pass as --reid, or to load_reid()"
    for name, what in _OTHERS:
        if name in state:
            return what
    return f"neither network of PAMTRI: its first entry is {next(iter(state))[:120]!a}"


def pose_spec(state: Mapping[str, Tensor]) -> PoseSpec:
    """Return the widths and depths of a pose network; what cannot be told is as in HRNet-W32.

    Raises:
        CheckpointError: it does not have 36 heatmaps.
    """
    paper = PoseSpec()
    stages = max((stage for stage in (2, 3, 4, 5) if _count(state, f"stage{stage}.")), default=4)
    found = PoseSpec(
        stem=_size(state, "conv1.weight", 0, paper.stem),
        bottleneck_blocks=_count(state, "layer1.") or paper.bottleneck_blocks,
        bottleneck_planes=_size(state, "layer1.0.conv1.weight", 0, paper.bottleneck_planes),
        widths=tuple(
            _size(state, f"stage{stages}.0.branches.{branch}.0.conv1.weight", 0, 2 ** (5 + branch))
            for branch in range(stages)
        ),
        modules=tuple(_count(state, f"stage{stage}.") or 1 for stage in range(2, stages + 1)),
        blocks=tuple(_count(state, f"stage{stage}.0.branches.0.") or 1 for stage in range(2, stages + 1)),
        keypoints=_size(state, "final_layer.weight", 0, paper.keypoints),
    )
    if found.keypoints != NUM_KEYPOINTS:
        raise CheckpointError(
            f"this pose network has {found.keypoints} keypoints; a vehicle has {NUM_KEYPOINTS}. "
            "(17 is a network for people, trained on COCO.)"
        )
    return found


def reid_spec(state: Mapping[str, Tensor]) -> ReidSpec:
    """Return the inputs, backbone and heads of a re-identification network.

    What cannot be told is as in DenseNet121, or in EfficientNet-Lite0.

    Raises:
        CheckpointError: the channels of the stack are none of the four possible numbers, or the side of the
            pictures is none.
    """
    paper = ReidSpec()
    lite = any(name.startswith("base._") for name in state)
    channels = _size(state, "base._conv_stem.weight" if lite else "base.conv0.weight", 1, 3)
    if channels not in _EXTRA_CHANNELS:
        raise CheckpointError(
            f"the first convolution of this re-identification network takes {channels} channels; accepted "
            "are 3 (RGB), 16 (with segments), 39 (with heatmaps) and 52 (with both)."
        )
    heatmaps, segments = _EXTRA_CHANNELS[channels]
    multitask = any(name.startswith(("fc_vid.", "fc_vcolor.", "fc_vtype.")) for name in state)
    head = "fc_vid.weight" if multitask else "fc.weight"
    bare = ReidSpec(
        keypoints=False,
        heatmaps=heatmaps,
        segments=segments,
        multitask=multitask,
        vehicles=_size(state, "classifier_vid.weight", 0, paper.vehicles),
        colors=_size(state, "classifier_vcolor.weight", 0, paper.colors),
        types=_size(state, "classifier_vtype.weight", 0, paper.types),
        backbone=_lite_spec(state) if lite else _dense_spec(state),
        side=_side(state, paper.side),
        feature=_size(state, head, 0, paper.feature),
        attribute=_size(state, "fc_vcolor.weight", 0, paper.attribute),
        whitened=any(name.startswith("whitening.") for name in state),
        parts=_size(state, "fc_parts.weight", 0, 0) if segments else 0,
        middle=lite and any(name.startswith("middle.") for name in state),
    )
    keypoints = _size(state, head, 1, bare.joined) != bare.joined
    return replace(bare, keypoints=keypoints)


def _side(state: Mapping[str, Tensor], usual: int) -> int:
    """Return the side of the pictures that the network looks at, the one thing that no shape tells."""
    if "side" not in state:
        return usual
    side = float(state["side"]) if state["side"].numel() == 1 else 0.0
    if not 64 <= side <= IMAGE_SIZE or side % 32:
        raise CheckpointError(
            f"the side of the pictures that this network looks at is {side:g}; it is a multiple of 32, from "
            f"64 to {IMAGE_SIZE} pixels."
        )
    return int(side)


def _dense_spec(state: Mapping[str, Tensor]) -> DenseSpec:
    paper = DenseSpec()
    blocks = len({name.split(".")[1] for name in state if name.startswith("base.denseblock")})
    layer = "base.denseblock1.denselayer1"
    growth = _size(state, f"{layer}.conv2.weight", 0, paper.growth)
    return DenseSpec(
        stem=_size(state, "base.conv0.weight", 0, paper.stem),
        growth=growth,
        blocks=tuple(_count(state, f"base.denseblock{index + 1}.") for index in range(blocks))
        or paper.blocks,
        bottleneck=_size(state, f"{layer}.conv1.weight", 0, paper.bottleneck * growth) // growth,
    )


def _lite_spec(state: Mapping[str, Tensor]) -> LiteSpec:
    """Return the stages: a new one begins where the width changes; strides are those of every Lite."""
    published = LITES["efficientnet-lite0"]
    stages: list[Stage] = []
    for index in range(_count(state, "base._blocks.")):
        block = f"base._blocks.{index}"
        channels = _size(state, f"{block}._project_conv.weight", 0, 0)
        if stages and stages[-1].channels == channels:
            stages[-1] = replace(stages[-1], blocks=stages[-1].blocks + 1)
            continue
        usual = published.stages[min(len(stages), len(published.stages) - 1)]
        wide = _size(state, f"{block}._expand_conv.weight", 0, 1)
        narrow = _size(state, f"{block}._expand_conv.weight", 1, 1)
        kernel = _size(state, f"{block}._depthwise_conv.weight", 2, usual.kernel)
        stages.append(Stage(channels, 1, kernel, usual.stride, max(1, wide // max(1, narrow))))
    return LiteSpec(
        tuple(stages) or published.stages,
        stem=_size(state, "base._conv_stem.weight", 0, published.stem),
        head=_size(state, "base._conv_head.weight", 0, published.head),
    )


def _size(state: Mapping[str, Tensor], name: str, axis: int, otherwise: int) -> int:
    """Return the size of a tensor along an axis, or a default where there is no such tensor or axis."""
    tensor = state.get(name)
    return otherwise if tensor is None or tensor.ndim <= axis else int(tensor.shape[axis])


def _count(state: Mapping[str, Tensor], prefix: str) -> int:
    """Return how many different numbers follow a prefix (the last number of the next part of the name)."""
    parts = {name[len(prefix) :].split(".", 1)[0] for name in state if name.startswith(prefix)}
    return len({part for part in parts if re.search(r"\d+$", part)})
