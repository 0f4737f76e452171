# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The trained weights that come with the package: `weights/SIZE-pose.safetensors`, `SIZE-reid.safetensors`.

They are stored in float16, except what normalizes, and are used in float32.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from torch import Tensor

from pamtri_edge.bundle import WEIGHTS_FOLDER
from pamtri_edge.errors import CheckpointError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet

_WIDEST: Final = torch.finfo(torch.float16).max


def shipped_weights(size: str) -> tuple[Path, Path] | None:
    """Return the files of pose and re-identification weights of a named size; None if it ships none."""
    files = (WEIGHTS_FOLDER / f"{size}-pose.safetensors", WEIGHTS_FOLDER / f"{size}-reid.safetensors")
    return files if all(file.is_file() for file in files) else None


def save_half(
    network: PoseNet | ReidNet, path: str | os.PathLike[str], *, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write weights in half their size: matrices and kernels in float16, vectors in float32.

    The vectors, 1 % of the file, hold statistics whose range float16 may not have.

    Args:
        network: what to save.
        path: ends in `.safetensors`; a file of that name is replaced.
        metadata: what to keep with the weights.

    Raises:
        CheckpointError: a weight is too large for float16.
    """
    path = Path(path)
    state = {name: _halved(name, tensor) for name, tensor in network.state_dict().items()}
    write_atomically(path, safetensors.torch.save(state, dict(metadata or {})))
    return path


def without_identities(reid: ReidNet) -> ReidNet:
    """Return the same network for one vehicle: who the vehicles of a training set were helps nobody else.

    Embeddings, colors and types stay as they are; the classifier of a thousand vehicles is an eighth of the
    file.
    """
    slim = ReidNet(replace(reid.spec, vehicles=1))
    state = dict(reid.state_dict())
    for name in ("classifier_vid.weight", "classifier_vid.bias"):
        state[name] = state[name][:1].clone()
    slim.load_state_dict(state)
    return slim.eval()


def _halved(name: str, tensor: Tensor) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dim() < 2 or not tensor.is_floating_point():
        return tensor
    largest = tensor.abs().max().item() if tensor.numel() else 0.0
    if largest > _WIDEST:
        raise CheckpointError(f"{name} holds {largest:.3g}, more than float16 can ({_WIDEST:g}).")
    return tensor.to(torch.float16)
