# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Weights to begin with: drawn, or taken from a file as far as they fit.

A file may hold a network of ours or of the original, an ImageNet DenseNet (torchvision's names) or
EfficientNet-Lite (see `train.imagenet`) for re-identification, or an ImageNet HRNet for pose. Layers that the
file lacks, or has in another shape, are drawn; the record of the training tells which. A network that takes
pose channels, begun from one that does not, keeps the weights of RGB and draws the others from N(0, 0.02), as
the paper does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from pamtri_edge.errors import CheckpointError
from pamtri_edge.models import operators
from pamtri_edge.models.checkpoints import checkpoint_metadata
from pamtri_edge.models.efficientnet import EfficientNetLite
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.state_files import read_state
from pamtri_edge.train.imagenet import as_backbone, credit, is_published

FIRST_WEIGHTS: Final = "first_weights"
"""Name in a checkpoint's metadata of the credit of its first weights."""

_EXTRA_DEVIATION: Final = 0.02
_HEATMAP_DEVIATION: Final = 0.001
_FIRST: Final = ("base.conv0.weight", "base._conv_stem.weight")
_LEAST: Final = 0.5  # share of the backbone's tensors below which a file is for another network
_FEATURES: Final = re.compile(r"^features\.")
_RGB: Final = 3
_COUNTER: Final = "num_batches_tracked"


@dataclass(frozen=True)
class Origin:
    """Where a training's first weights come from, for its record.

    Attributes:
        file: name of the file, or None if all were drawn.
        taken: tensors taken from it.
        drawn: names of the tensors that it did not give.
        left: names in it that the network has no use for.
        credit: where the very first weights come from, through any trainings between: package, version and
            license, or the name of a file of others; None if they were drawn.
    """

    file: str | None
    taken: int
    drawn: tuple[str, ...]
    left: tuple[str, ...]
    credit: str | None = None


def draw(network: PoseNet | ReidNet, *, seed: int) -> None:
    """Draw all weights, in place: He's normal for convolutions, the rest as torch draws it.

    The channels of a stack behind RGB are drawn from N(0, 0.02), the read-out of heatmaps from N(0, 0.001).
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.reset_parameters()
            elif isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="leaky_relu", a=0.01)
                nn.init.zeros_(module.bias)
        if isinstance(network, PoseNet):
            nn.init.normal_(network.final_layer.weight, std=_HEATMAP_DEVIATION)
        else:
            nn.init.normal_(network.classifier_vid.weight, std=0.01)
            if network.spec.channels > 3:
                nn.init.normal_(network.stem[0].weight[:, 3:], std=_EXTRA_DEVIATION)


def begin(network: PoseNet | ReidNet, *, seed: int, file: Path | None = None) -> Origin:
    """Give a network its first weights, in place.

    Args:
        network: built from its spec.
        seed: what weights are drawn from.
        file: weights to take what fits from; None draws all.

    Returns:
        What was taken and what was drawn.

    Raises:
        CheckpointError: the file cannot be read, or hardly any of it fits.
    """
    draw(network, seed=seed)
    expected = network.state_dict()
    wanted = [name for name in expected if not name.endswith(_COUNTER)]
    if file is None:
        return Origin(None, 0, tuple(wanted), ())
    state = _renamed(read_state(file)[0], network)
    fitting = {name: _fitted(name, tensor, expected) for name, tensor in state.items() if name in expected}
    taken = {name: tensor for name, tensor in fitting.items() if tensor is not None}
    counted = [name for name in taken if not name.endswith(_COUNTER)]
    if len(counted) < _LEAST * len(wanted):
        misfit = next((name for name, tensor in fitting.items() if tensor is None), None)
        kind = "pose network" if isinstance(network, PoseNet) else "re-identification network"
        shape = "" if misfit is None else f"; {misfit} has shape {tuple(state[misfit].shape)} there and "
        shape += "" if misfit is None else f"{tuple(expected[misfit].shape)} here"
        raise CheckpointError(
            f"{file} gives only {len(counted)} of the {len(wanted)} tensors of the {kind} asked for{shape}. "
            "Begin from weights of the same widths and depths, or without --init."
        )
    network.load_state_dict({**expected, **taken})
    if isinstance(network, ReidNet) and isinstance(network.base, EfficientNetLite):
        _ignore_blank(network, state)
    return Origin(
        file.name,
        len(counted),
        tuple(name for name in wanted if name not in taken),
        tuple(name for name in state if name not in taken),
        _credit(file),
    )


def _credit(file: Path) -> str | None:
    """Return where the weights of a file come from: ours tell themselves, and may have begun from nothing."""
    notes = checkpoint_metadata(file)
    return notes.get(FIRST_WEIGHTS) if notes else credit(file) or file.name


def _ignore_blank(network: ReidNet, state: Mapping[str, Tensor]) -> None:
    """Where pose channels are new, let blank ones change nothing: learned features then begin as they were.

    Normalized, a blank channel is -1.99 in every pixel; the first batch normalization takes off its sum.
    """
    convolution, norm = network.stem
    known = state.get("base._conv_stem.weight")
    if known is None or known.shape[1] == convolution.in_channels or known.shape[1] != _RGB:
        return
    assert norm.running_mean is not None
    with torch.no_grad():
        blank = operators.normalize_extra(torch.zeros(()))
        norm.running_mean += blank * convolution.weight[:, _RGB:].sum(dim=(1, 2, 3))


def _renamed(state: Mapping[str, Tensor], network: PoseNet | ReidNet) -> dict[str, Tensor]:
    """Return the tensors under our names: torchvision's DenseNet calls the backbone `features`."""
    if isinstance(network, ReidNet):
        if isinstance(network.base, EfficientNetLite) and is_published(state):
            return as_backbone(state)
        return {_FEATURES.sub("base.", name): tensor for name, tensor in state.items()}
    return dict(state)


def _fitted(name: str, tensor: Tensor, expected: Mapping[str, Tensor]) -> Tensor | None:
    """Return a tensor in the shape that is wanted, or None if it has another."""
    mine = expected[name]
    if tensor.shape == mine.shape:
        return tensor.to(mine.dtype)
    same_but_channels = (
        tensor.ndim == 4 and tensor.shape[0] == mine.shape[0] and tensor.shape[2:] == mine.shape[2:]
    )
    if name in _FIRST and same_but_channels:
        merged = mine.clone()
        merged[:, :3] = tensor[:, :3]
        return merged
    return None
