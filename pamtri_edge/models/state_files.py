# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files of weights: what forms they come in, and how each becomes a plain dictionary of tensors.

Accepted: safetensors; a bare state dict; a dictionary that holds one under `state_dict`, as the training
programs of the original write it (with `module.` in front of every name if it trained on several GPUs, and
with NumPy scalars beside the weights). Nothing in a file is ever run: pickles are read by torch's
restricted unpickler, which knows tensors, plain values and, here, NumPy's scalars.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pamtri_edge.errors import CheckpointError

State = dict[str, Tensor]

_SCALAR: Final = np.float32(0).__reduce__()[0]
_SCALAR_NAMES: Final = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")  # NumPy 1, NumPy 2
_SCALAR_TYPES: Final = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
_NAMED_GLOBAL: Final = re.compile(r"GLOBAL ([\w.]+)")
_OLD_DENSENET: Final = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")
_ACCEPTED: Final = (
    "accepted are safetensors, a state dict written by torch.save, or a dictionary with one under state_dict"
)


def read_state(path: Path) -> tuple[State, dict[str, str]]:
    """Read a file of weights of any accepted form.

    Args:
        path: the file.

    Returns:
        The tensors on the CPU by their name in the network (no `module.`, the spelling of today's
        DenseNet), and the metadata that `checkpoints.save_checkpoint` put there ({} in other files).

    Raises:
        CheckpointError: the file is missing, truncated, no file of weights, or would run code.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; name the file of weights in it.")
    if not path.is_file():
        raise CheckpointError(f"there is no file of weights {path}.")
    if _is_safetensors(path):
        return _read_safetensors(path)
    content = _read_pickle(path)
    metadata = {}
    if isinstance(content, Mapping) and "state_dict" in content:
        metadata = _metadata(content.get("metadata"))
        content = content["state_dict"]
    return _named(content, path), metadata


def _is_safetensors(path: Path) -> bool:
    """Tell by the content, which is 8 bytes of length and then JSON, or else by the suffix."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{" or path.suffix == ".safetensors"


def _read_safetensors(path: Path) -> tuple[State, dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return _named(state, path), dict(file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} is no whole safetensors file ({error}); copy it again.") from error


def _read_pickle(path: Path) -> Any:
    known: list[Any] = [(_SCALAR, name) for name in _SCALAR_NAMES]
    plain: list[Any] = [np.dtype, *(type(np.dtype(code)) for code in _SCALAR_TYPES)]
    try:
        with torch.serialization.safe_globals([*known, *plain]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # of no use to a user
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = _NAMED_GLOBAL.search(str(error))
        if named is None:
            raise _unreadable(path) from error
        raise CheckpointError(
            f"{path} was refused: reading it would call {named[1]}, which is not data, and code in a file of "
            "weights can do anything. Nothing of it was run. If you trust its author, open it where nothing "
            "can be lost, and save its state dict alone with torch.save."
        ) from error
    except Exception as error:  # a damaged pickle can fail in any way
        raise _unreadable(path) from error


def _unreadable(path: Path) -> CheckpointError:
    size = path.stat().st_size
    return CheckpointError(
        f"{path} ({size} bytes) cannot be read: it is truncated, damaged, or no file of weights; {_ACCEPTED}."
    )


def _named(content: Any, path: Path) -> State:
    """Return a state dict under the names of the networks, or say what was found instead."""
    if isinstance(content, torch.nn.Module):
        raise CheckpointError(f"{path} holds a whole module; save its state_dict() instead.")
    if not isinstance(content, Mapping) or not content:
        raise CheckpointError(f"{path} holds {_what(content)} instead of weights; {_ACCEPTED}.")
    alien = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if alien:
        raise CheckpointError(
            f"{path} holds no state dict: {_listed(map(repr, alien))} of its {len(content)} entries are not "
            f"tensors; {_ACCEPTED}."
        )
    return {_today(str(name).removeprefix("module.")): tensor for name, tensor in content.items()}


def _today(name: str) -> str:
    """Respell `denselayer1.norm.1.weight`, an old torchvision's, as `denselayer1.norm1.weight`."""
    return _OLD_DENSENET.sub(r"\1\2", name)


def _metadata(value: Any) -> dict[str, str]:
    return {str(key): str(entry) for key, entry in value.items()} if isinstance(value, Mapping) else {}


def _what(content: Any) -> str:
    return "nothing" if isinstance(content, Mapping) else f"a {type(content).__name__}"


def _listed(names: Iterable[str], limit: int = 5) -> str:
    named = list(names)
    rest = f" and {len(named) - limit} more" if len(named) > limit else ""
    return ", ".join(named[:limit]) + rest
