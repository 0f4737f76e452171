# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks with drawn weights that behave sanely: for demonstrations, tests and measurements of speed.

They have learned nothing. But their activations stay small enough for float16, their heatmaps peak around
0.75 with some below the gate of 0.5, and pictures that differ give embeddings, colors and types that
differ. What they are shown passes mostly along the skip connections: with branches of full weight, depth
would multiply every rounding error a hundredfold, which trained networks do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge import ops
from pamtri_edge.errors import InputError
from pamtri_edge.models import operators
from pamtri_edge.models.efficientnet import Block
from pamtri_edge.models.hrnet import BasicBlock, Bottleneck, ExchangeModule, PoseNet, PoseSpec
from pamtri_edge.models.multitask import ReidNet, ReidSpec
from pamtri_edge.models.sizes import SIZES

_MEAN_PEAK = 0.75
_LOGIT_DEVIATION = 1.5
_BRANCH = 0.1  # weight of what is added to a skip connection
_LOWEST = torch.tensor([0.6, -0.6]).view(2, 1, 1, 1, 1)  # contrast and brightness, in normalized units
_SPREAD = torch.tensor([0.6, 1.8]).view(2, 1, 1, 1, 1)
_CANDIDATES = 8  # drawn read-outs a keypoint, of which the one with the clearest peaks is kept


def seeded(
    size: str | tuple[PoseSpec, ReidSpec], *, seed: int = 0, pictures: Sequence[NDArray[np.uint8]]
) -> tuple[PoseNet, ReidNet]:
    """Return a pose and a re-identification network with drawn weights, calibrated on pictures.

    The same arguments give the same weights on the same machine (up to rounding on another).

    Args:
        size: a name of `models.sizes.SIZES`, or the two specs.
        seed: what the weights are drawn from.
        pictures: (H, W, 3) uint8 RGB crops, at least 2 and better 8; the statistics of the batch
            normalizations, the scale of the heatmaps and the centers of the heads are taken from them.

    Returns:
        The two networks in eval mode.

    Raises:
        InputError: the size has no such name, or there are fewer than 2 pictures.
    """
    if isinstance(size, str):
        if size not in SIZES:
            raise InputError(f"there is no size {size!r}; accepted: {', '.join(map(repr, SIZES))}.")
        size = SIZES[size]
    if len(pictures) < 2:
        raise InputError(f"calibration needs at least 2 pictures, better 8 or more; found {len(pictures)}.")
    pose_spec, reid_spec = size
    images = operators.normalize_rgb(torch.from_numpy(ops.resize(list(pictures))))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        images = torch.cat([images, _relit(images)])
        pose, reid = PoseNet(pose_spec), ReidNet(reid_spec)
        _draw(pose)
        _draw(reid)
        _draw_first(reid)
        _calibrate_pose(pose, images)
        _calibrate_reid(reid, *_reid_inputs(pose, reid_spec, images))
    return pose.eval(), reid.eval()


def _relit(images: Tensor) -> Tensor:
    """Return the pictures in the brightness and contrast of footage, which drawn pictures may not have."""
    deviation, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True)
    contrast, brightness = (torch.rand(2, len(images), 1, 1, 1) * _SPREAD + _LOWEST).unbind(0)
    return (images - mean) / (deviation + 1e-3) * contrast + brightness


def _draw(network: nn.Module) -> None:
    """Draw convolutions and linear layers; batch normalizations start as the identity."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (BasicBlock, Bottleneck)):
            last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
            nn.init.constant_(last.weight, _BRANCH)
        elif isinstance(module, Block) and module.residual:
            nn.init.constant_(module._bn2.weight, _BRANCH)
        elif isinstance(module, ExchangeModule):
            for last in module.incoming_norms():
                nn.init.constant_(last.weight, _BRANCH)


def _draw_first(reid: ReidNet) -> None:
    """Let the pose channels together weigh as much as the three colors, not as many times as they are."""
    first, _ = reid.stem
    extra = first.in_channels - 3
    if extra:
        first.weight[:, 3:] *= math.sqrt(3 / extra)


def _calibrated(network: nn.Module, *inputs: Tensor) -> None:
    """Set the running statistics of every batch normalization to those of one batch."""
    norms = [module for module in network.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    network.train()
    network(*inputs)
    network.eval()
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum


def _calibrate_pose(pose: PoseNet, images: Tensor) -> None:
    """Calibrate the batch normalizations, then choose and scale the read-out of each heatmap."""
    _calibrated(pose, images)
    final, pose.final_layer = (
        pose.final_layer,
        nn.Conv2d(pose.spec.widths[0], pose.spec.keypoints * _CANDIDATES, 1, bias=False),
    )
    nn.init.kaiming_normal_(pose.final_layer.weight)
    maps = pose(images).flatten(2)
    deviation, mean = torch.std_mean(maps, dim=(0, 2))
    clarity = ((maps.amax(dim=2) - mean).mean(dim=0) / deviation).view(-1, _CANDIDATES)
    rows = torch.arange(pose.spec.keypoints) * _CANDIDATES + clarity.argmax(dim=1)
    scale = _MEAN_PEAK / (maps.amax(dim=2).mean(dim=0) - mean)[rows]
    final.weight.copy_(pose.final_layer.weight[rows] * scale.view(-1, 1, 1, 1))
    assert final.bias is not None
    final.bias.copy_(-mean[rows] * scale)
    pose.final_layer = final


def _reid_inputs(pose: PoseNet, spec: ReidSpec, images: Tensor) -> tuple[Tensor, ...]:
    """Return what the re-identification network is shown of these pictures."""
    channels, vector = [images], tuple[Tensor, ...]()
    if spec.uses_pose:
        heatmaps = pose(images)
        keypoints = operators.crop_keypoints(*operators.peaks(heatmaps))
        if spec.heatmaps:
            channels.append(operators.enlarge(operators.coarse_heatmaps(heatmaps)))
        if spec.segments:
            channels.append(operators.stack_segments(keypoints))
        if spec.keypoints:
            vector = (operators.keypoint_vector(keypoints),)
    return (operators.resized(torch.cat(channels, dim=1), spec.side), *vector)


def _calibrate_reid(reid: ReidNet, *inputs: Tensor) -> None:
    """Calibrate the batch normalizations, then center and scale the heads."""
    _calibrated(reid, *inputs)
    if reid.spec.neck:  # what hardly varies over few pictures would be enlarged with its rounding
        variance = reid.neck.running_var
        assert variance is not None
        variance.clamp_(min=variance.mean().item())
    if reid.spec.multitask:
        heads = [(f"fc_{what}", f"classifier_{what}") for what in ("vid", "vcolor", "vtype")]
    else:
        heads = [("fc" if reid.spec.headed else "", "classifier_vid")]
    seen: list[Tensor] = []
    first = reid.get_submodule(heads[0][0] or heads[0][1])
    handle = first.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
    reid(*inputs)
    handle.remove()
    for hidden, classifier in heads:
        x = seen[0]
        if reid.spec.neck and classifier == "classifier_vid":
            x = reid.neck(reid.get_submodule(hidden)(x))  # which is calibrated as it is
        elif hidden:
            x = functional.leaky_relu(_standardized(reid.get_submodule(hidden), x, deviation=1.0))
        _standardized(reid.get_submodule(classifier), x, deviation=_LOGIT_DEVIATION)


def _standardized(layer: nn.Module, x: Tensor, *, deviation: float) -> Tensor:
    """Scale and shift a layer so that over the pictures each output has mean 0; return its output for `x`.

    All outputs together get one deviation.
    """
    assert isinstance(layer, nn.Linear)
    centered: Tensor = layer(x) - layer(x).mean(dim=0)
    scale = deviation / max(math.sqrt(centered.square().mean().item()), 1e-6)
    layer.bias.copy_((layer.bias - layer(x).mean(dim=0)) * scale)
    layer.weight.mul_(scale)
    standardized: Tensor = centered * scale
    return standardized
