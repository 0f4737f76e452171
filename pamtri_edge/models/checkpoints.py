# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Weights from and to files: the original's checkpoints load as they are, and what does not fit is listed."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from pamtri_edge.errors import CheckpointError, InputError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.nesting import State, shown
from pamtri_edge.models.shapes import Kind, kind_of, looks_like, pose_spec, reid_spec
from pamtri_edge.models.state_files import read_state

_LISTED: Final = 20
_COUNTER: Final = "num_batches_tracked"  # of batch normalization: no part in any result
_VARIANCE: Final = "running_var"
_FLOATS: Final = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_COUNTS: Final = (torch.int64, torch.int32)  # single numbers: of batches seen, of pixels
_FLOAT_NAMES: Final = "float32, float16, bfloat16 and float64"
_NAMES: Final[Mapping[Kind, str]] = {"pose": "pose network", "reid": "re-identification network"}

Network = TypeVar("Network", PoseNet, ReidNet)


def load_pose(path: str | os.PathLike[str]) -> PoseNet:
    """Load a pose network; its widths and depths are read from the shapes.

    Args:
        path: `model_best.pth`, `final_state.pth` or `checkpoint.pth` of the original, or a file of ours.

    Returns:
        The network in eval mode, float32, on the CPU.

    Raises:
        CheckpointError: the file cannot be read, belongs to another network, or does not fit; every
            missing, unexpected or mis-shaped entry is named.
    """
    path = Path(path)
    state = _state(path, "pose")
    with _described(path), torch.device("meta"):
        network = PoseNet(pose_spec(state))
    return _filled(network, state, path, "pose")


def load_reid(
    path: str | os.PathLike[str], *, colors: int | None = None, types: int | None = None
) -> ReidNet:
    """Load a re-identification network; its inputs, heads, widths and depths are read from the shapes.

    Args:
        path: `checkpoint_epN.pth.tar` or `model_best.pth.tar` of the original, or a file of ours.
        colors: how many color classes are expected, such as the number of names at hand; None for any.
        types: how many type classes are expected, likewise.

    Returns:
        The network in eval mode, float32, on the CPU.

    Raises:
        CheckpointError: the file cannot be read, belongs to another network, does not fit, or has
            another number of classes; every missing, unexpected or mis-shaped entry is named.
    """
    path = Path(path)
    state = _state(path, "reid")
    with _described(path):
        spec = reid_spec(state)
    for what, expected, found in (("color", colors, spec.colors), ("type", types, spec.types)):
        if expected is None:
            continue
        if not spec.multitask:
            raise CheckpointError(f"{path} predicts no {what}, but {expected} {what} classes are expected.")
        if expected != found:
            raise CheckpointError(
                f"{path} has {found} {what} classes, and {expected} are expected; give as many {what} names "
                "as the training set had, in its order."
            )
    with _described(path), torch.device("meta"):
        network = ReidNet(spec)
    return _filled(network, state, path, "reid")


def checkpoint_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return what `save_checkpoint` was told to keep with the weights; {} for files of the original.

    Raises:
        CheckpointError: the file cannot be read.
    """
    return read_state(Path(path))[1]


def check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a place where no file of weights can be written, before any work is done.

    Raises:
        InputError: the suffix is another, the name is taken, or its folder is not there.
    """
    if path.suffix not in (".safetensors", ".pth", ".pt", ".tar"):
        raise InputError(f"{path}: a file of weights ends in .safetensors, .pth, .pt or .tar.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists already; choose another name, or allow overwriting.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: {path.parent} is not a folder; make it first.")


def save_checkpoint(
    network: PoseNet | ReidNet,
    path: str | os.PathLike[str],
    *,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a network's weights whole or not at all.

    Args:
        network: what to save.
        path: ends in `.safetensors`, or in `.pth`, `.pt` or `.tar` for torch's own format.
        metadata: what to keep with the weights, such as class names as JSON.
        overwrite: replace what is there.

    Returns:
        The path.

    Raises:
        InputError: see `check_place`.
    """
    path = Path(path)
    check_place(path, overwrite=overwrite)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    notes = dict(metadata or {})
    with staged_file(path) as temporary:
        if path.suffix == ".safetensors":
            # Not save_file: that makes a file which only its owner may read.
            temporary.write_bytes(safetensors.torch.save(state, notes))
        else:
            torch.save({"state_dict": state, "metadata": notes}, temporary)
    return path


def weights_id(pose: PoseNet | None, reid: ReidNet) -> str:
    """Return the identity of the weights, `sha256:...`: embeddings compare only within one identity.

    It covers name, shape and float32 values of every parameter and buffer of both networks, in the order
    of the names, and so does not depend on the file they came from.
    """
    digest = hashlib.sha256()
    for kind, network in (("pose", pose), ("reid", reid)):
        state = {} if network is None else network.state_dict()
        for name in sorted(state):
            if not name.endswith(_COUNTER):
                tensor = state[name].detach().to("cpu", torch.float32).contiguous()
                digest.update(f"{kind}.{name} {tuple(tensor.shape)}\n".encode())
                digest.update(tensor.numpy().astype("<f4", copy=False).tobytes())
    return f"sha256:{digest.hexdigest()}"


def _state(path: Path, kind: Kind) -> State:
    """Return the state dict of a file that belongs to this kind of network."""
    state, _ = read_state(path, kind)
    if kind_of(state) != kind:
        raise CheckpointError(f"{path} holds no {_NAMES[kind]}. It looks like {looks_like(state)}.")
    for name, tensor in state.items():
        if wrong := _unusable(name, tensor):
            raise CheckpointError(f"{path}: {shown(name)} {wrong}.")
    return state


@contextmanager
def _described(path: Path) -> Iterator[None]:
    """Turn what a spec or a network of impossible sizes ends in into one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Initializing zero-element tensors")  # a layer without channels
            yield
    except CheckpointError:
        raise
    except (
        ArithmeticError,
        AssertionError,
        IndexError,
        RuntimeError,
        TypeError,
        UserWarning,
        ValueError,
    ) as error:
        reason = shown(str(error).strip().split("\n")[0])
        raise CheckpointError(f"{path} describes a network that cannot be built: {reason}.") from error


def _unusable(name: str, tensor: Tensor) -> str | None:
    """Say why a tensor cannot be a weight of a network; None if it can."""
    if tensor.is_nested or tensor.layout != torch.strided or tensor.is_quantized:
        form = "nested" if tensor.is_nested else "quantized" if tensor.is_quantized else "sparse"
        return f"is a {form} tensor; weights are plain tensors of floating-point numbers"
    if tensor.device.type == "meta":
        return "has a shape but no values (it is on the device meta); save the network after loading it"
    if 0 in tensor.shape:
        return f"is empty ({_shape(tensor)})"
    if tensor.dtype not in _FLOATS and not (tensor.ndim == 0 and tensor.dtype in _COUNTS):
        return f"is of type {str(tensor.dtype).removeprefix('torch.')}; accepted are {_FLOAT_NAMES}"
    if not torch.isfinite(tensor).all():
        return "holds values that are not finite; the training diverged"
    if not torch.isfinite(_plain(tensor)).all():
        return f"holds {float(tensor.abs().max()):.3g}, more than float32 can"
    if name.endswith(_VARIANCE) and bool((tensor < 0).any()):
        return f"holds a variance below 0 ({float(tensor.min()):.3g}); the file is damaged"
    return None


def _filled(network: Network, state: State, path: Path, kind: Kind) -> Network:
    """Return a network from `meta` with the weights of a state dict that fits it exactly."""
    expected: State = network.state_dict()
    for name in expected:
        if name.endswith(_COUNTER):
            state.setdefault(name, torch.zeros((), dtype=torch.long))
    problems = _problems(expected, state)
    if problems:
        raise CheckpointError(
            f"{path} does not fit the {_NAMES[kind]} that its shapes describe ({network.spec}).\n"
            + "\n".join(problems)
        )
    values = {name: _plain(tensor) for name, tensor in state.items()}
    network.load_state_dict(values, assign=True)
    return network.eval()


def _problems(expected: State, state: State) -> list[str]:
    """Return the lines that tell what is missing from a state dict, unexpected in it, or mis-shaped."""
    missing = [f"{name} {_shape(tensor)}" for name, tensor in expected.items() if name not in state]
    unexpected = [f"{shown(name)} {_shape(tensor)}" for name, tensor in state.items() if name not in expected]
    misshaped = [
        f"{name}: found {_shape(state[name])}, expected {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    return [
        *_listed("missing", missing),
        *_listed("unexpected", unexpected),
        *_listed("mis-shaped", misshaped),
    ]


def _plain(tensor: Tensor) -> Tensor:
    """Return floating-point values as float32, counters as they are; never a view of the file."""
    return tensor.to(torch.float32).clone() if tensor.is_floating_point() else tensor.clone()


def _listed(what: str, lines: Sequence[str]) -> list[str]:
    """Return the lines of one kind of problem: a count, then the first entries."""
    if not lines:
        return []
    more = [f"  ... and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return [f"{len(lines)} {what}:", *(f"  {line}" for line in lines[:_LISTED]), *more]


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def parameter_count(network: nn.Module) -> int:
    """Return how many trainable values a network holds."""
    return sum(parameter.numel() for parameter in network.parameters())
