# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What takes seconds of every export, made once a run of the tests: seeded networks, and torch's export.

    remembered_exports.install(folder)

The same sizes, seed and pictures give the same networks again, and the same module the same graph, in every
process that installs the same folder.
"""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

import made_once
from pamtri_edge import models
from pamtri_edge.export import bundle_export, networks
from pamtri_edge.export.foreign import posed
from pamtri_edge.export.onnx import graph

_known: dict[str, ModelProto] = {}
_seeded: dict[str, tuple[models.PoseNet, models.ReidNet]] = {}
_folders: list[Path] = []


def install(folder: Path) -> None:
    """Have every export of a bundle remember networks and graphs, these in a folder that processes share."""
    folder.mkdir(exist_ok=True)
    _folders[:] = [folder]
    for place in (bundle_export, posed):
        place.export_graph = remembered_export  # type: ignore[attr-defined]
    networks.seeded = remembered_seeded  # type: ignore[attr-defined]


def remembered_seeded(
    size: Any, *, seed: int = 0, pictures: Sequence[NDArray[np.uint8]]
) -> tuple[models.PoseNet, models.ReidNet]:
    """Return networks as `seeded` does; they are the caller's own."""
    digest = hashlib.sha256(f"{size} {seed}".encode())
    for picture in pictures:
        digest.update(f"{picture.shape}".encode() + picture.tobytes())
    key = digest.hexdigest()
    if key not in _seeded:
        drawn = _once(
            f"{key}.pickle", lambda: pickle.dumps(models.seeded(size, seed=seed, pictures=pictures))
        )
        _seeded[key] = pickle.loads(drawn)
    return copy.deepcopy(_seeded[key])


def remembered_export(module: Any, *, name: str, metadata: Mapping[str, str] | None = None) -> ModelProto:
    """Export a module as `export_graph` does, but once for the same module."""
    key = _key(module)
    if key not in _known:
        made = _once(f"{key}.onnx", lambda: _exported(module))
        _known[key] = ModelProto.FromString(made)
    model = ModelProto()
    model.CopyFrom(_known[key])
    model.graph.name = name
    for entry, value in (metadata or {}).items():
        model.metadata_props.add(key=entry, value=value)
    return model


def _exported(module: Any) -> bytes:
    _read_translations_once()
    content: bytes = graph.export_graph(module, name="remembered").SerializeToString()
    return content


@cache
def _read_translations_once() -> None:
    """Spare all exports but the first the second in which torch reads what it knows of ONNX."""
    with suppress(ImportError, AttributeError):  # of a release that has it elsewhere
        from torch.onnx._internal.exporter._registration import ONNXRegistry

        ONNXRegistry.from_torchlib = staticmethod(cache(ONNXRegistry.from_torchlib))


def _once(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what the first process of the run that asks makes."""
    if not _folders:
        return make()
    path = _folders[0] / name
    with made_once.alone(path.with_suffix(".lock")):
        if not path.exists():
            made = make()
            part = path.with_suffix(".part")
            part.write_bytes(made)
            part.replace(path)
        return path.read_bytes()


def _key(module: Any) -> str:
    digest = hashlib.sha256(f"{type(module).__name__}".encode())
    for part in module.modules():  # what it is made of, and what a forward pass asks of it
        plain = {k: v for k, v in vars(part).items() if not k.startswith("_") and k != "training"}
        digest.update(f"{type(part).__name__} {sorted((k, _said(v)) for k, v in plain.items())}\n".encode())
    for parameter, tensor in module.state_dict().items():
        digest.update(f"{parameter} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()


def _said(value: Any) -> str:
    """Return a value as a text that is the same in every process."""
    return repr(value) if " at 0x" not in repr(value) else type(value).__name__
