# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files of weights: what forms they come in, and how each becomes plain tensors by name.

Accepted: safetensors, NumPy's .npz, and what torch.save writes: a state dict, of tensors or arrays, or a
dictionary with one under any key.
Which of several is the network, and under which prefix, is `nesting`'s to find. Nothing in a file is ever
run: pickles are read by torch's restricted unpickler, which knows tensors, plain values and, here, NumPy's
scalars and arrays, of Python 2 too.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pamtri_edge.errors import CheckpointError
from pamtri_edge.files.kinds import PICKLE, PYTORCH, SAFETENSORS, network_kind
from pamtri_edge.files.npz import unpack
from pamtri_edge.files.regular import check_regular
from pamtri_edge.models.nesting import ACCEPTED, State, network_state, shown
from pamtri_edge.models.shapes import Kind

_NUMPY: Final = ("numpy.core", "numpy._core")  # NumPy 1, NumPy 2
_KNOWN: Final = {
    "multiarray.scalar": np.float32(0).__reduce__()[0],
    "multiarray._reconstruct": np.zeros(1).__reduce__()[0],
    "numeric._frombuffer": np.zeros(1).__reduce_ex__(5)[0],
}
"""NumPy's functions that rebuild values, by their names below `_NUMPY`."""

_SCALAR_TYPES: Final = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "U", "S")


def _path(*parts: str) -> str:
    """Read a path as text."""
    return "/".join(map(str, parts))


def _dictionary(*factory: Any) -> dict[Any, Any]:
    """Read a dictionary with a default as one without."""
    return {}


_VALUES: Final = (
    *(
        (_path, f"pathlib.{place}{kind}Path")
        for place in ("", "_local.")
        for kind in ("Posix", "Windows", "PurePosix", "PureWindows")
    ),
    (_dictionary, "collections.defaultdict"),
    *((_dictionary, f"builtins.{kind}") for kind in ("dict", "list", "int", "float", "str")),  # its default
    *((kind, f"datetime.{kind.__name__}") for kind in (datetime, date, timedelta)),
)
"""What settings and records beside the weights are made of, and what each is read as."""

_DICTIONARIES: Final = (
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "lightning.fabric.utilities.data.AttributeDict",
    "easydict.EasyDict",
)
"""Classes that training programs keep settings in, each read as a plain dictionary."""

_NAMED_GLOBAL: Final = re.compile(r"GLOBAL ([\w.]+)")
_MOST_ARRAYS: Final = 100_000
_PACKED: Final = 4  # times a file's size: what its tensors may hold in all, or its members when unpacked
_SPARE: Final = 1 << 16  # bytes


def read_state(path: Path, kind: Kind | None = None) -> tuple[State, dict[str, str]]:
    """Read a file of weights of any accepted form.

    Args:
        path: the file.
        kind: which network is wanted, where the file holds several; None for any.

    Returns:
        The tensors on the CPU by their name in the network (no `module.` or other prefix, the spelling of
        today's DenseNet), and the metadata that `checkpoints.save_checkpoint` put there ({} in other files).

    Raises:
        CheckpointError: the file is missing, truncated, no file of weights, holds several networks, or would
            run code.
    """
    try:
        check_regular(path, path.stat().st_mode, error=CheckpointError, expected="a file of weights")
        if _is_safetensors(path):
            content, metadata = _read_safetensors(path)
        else:
            content = _read_arrays(path) if path.suffix == ".npz" else _read_pickle(path)
            metadata = _metadata(content.get("metadata")) if isinstance(content, Mapping) else {}
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"there is no file of weights {path}.") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}).") from error
    state = network_state(content, path, kind)
    held = sum(_bytes(tensor) for tensor in state.values())
    if held > _PACKED * path.stat().st_size + _SPARE:
        raise CheckpointError(
            f"{path} declares {held / 1e6:.3g} MB of weights, more than its "
            f"{path.stat().st_size / 1e6:.3g} MB can hold: it is damaged or made to fill the memory."
        )
    return state, metadata


def _bytes(tensor: Tensor) -> int:
    """Return what a tensor takes as its shape has it; one that repeats a value stores less."""
    size = 1
    for length in tensor.shape if not tensor.is_nested else ():
        size *= int(length)
    return size * tensor.element_size()


def _is_safetensors(path: Path) -> bool:
    """Tell by the content, which is 8 bytes of length and then JSON, or else by the suffix."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{" or path.suffix == ".safetensors"


def _read_safetensors(path: Path) -> tuple[State, dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return state, dict(file.metadata() or {})
    except OSError:
        raise
    except Exception as error:  # types and shapes that torch has not end in errors of its own
        reason = shown(str(error).strip().split("\n")[0])
        raise CheckpointError(f"{path} is not a whole safetensors file ({reason}); copy it again.") from error


def _read_arrays(path: Path) -> State:
    content = path.read_bytes()
    try:
        arrays = unpack(content, limit=_PACKED * len(content) + _SPARE, most=_MOST_ARRAYS)
    except Exception as error:  # zipfile and NumPy raise a dozen kinds
        reason = shown(str(error) or type(error).__name__)
        raise CheckpointError(f"{path} is no archive of NumPy arrays ({reason}); {ACCEPTED}.") from error
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _read_pickle(path: Path) -> Any:
    _refuse_archives(path)
    try:
        with torch.serialization.safe_globals(_safe_globals()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on protocols, encodings and old types: of no use to a user
            # Python 2 wrote texts and raw bytes alike; nothing newer is decoded by this.
            return torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")
    except OSError:
        raise
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


def _safe_globals() -> list[Any]:
    """Return what a pickle may name beside tensors: values and dictionaries, nothing that acts."""
    rebuilding = [(function, f"{place}.{name}") for place in _NUMPY for name, function in _KNOWN.items()]
    plain = [np.dtype, np.ndarray, *(type(np.dtype(code)) for code in _SCALAR_TYPES), argparse.Namespace]
    return [*rebuilding, *plain, *_VALUES, *((dict, name) for name in _DICTIONARIES)]


def _refuse_archives(path: Path) -> None:
    """Refuse archives that are no file of weights, or that unpack to much more than they are."""
    with path.open("rb") as file:
        start = file.read(512)
    if start[257:262] == b"ustar":
        raise CheckpointError(f"{path} is a tar archive; unpack it and name the file of weights in it.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        return  # a pickle, or damaged, which torch tells
    names = [member.filename for member in members]
    for member, program in (("/constants.pkl", "TorchScript"), ("/archive_format", "torch.export")):
        if any(name.endswith(member) for name in names):
            raise CheckpointError(
                f"{path} is a program of {program}, which holds code; save the network's state dict with "
                "torch.save."
            )
    if sum(member.file_size for member in members) > _PACKED * path.stat().st_size + _SPARE:
        raise CheckpointError(
            f"{path} unpacks to more than {_PACKED} times its size, which no file of weights does; it is "
            "damaged or made to fill the memory."
        )


def _unreadable(path: Path) -> CheckpointError:
    size = path.stat().st_size
    kind, remedy = network_kind(path) or ("", "")
    ours = kind in ("", PYTORCH, PICKLE, SAFETENSORS)
    found = "truncated, damaged, or no file of weights" if ours else kind
    return CheckpointError(
        f"{path} ({size} bytes) cannot be read: it is {found}; {ACCEPTED}.{remedy and ' '}{remedy}"
    )


def _metadata(value: Any) -> dict[str, str]:
    return {str(key): str(entry) for key, entry in value.items()} if isinstance(value, Mapping) else {}
