# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which network a configuration of nvinfer runs, and what is known of it: its bundle's manifest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from pamtri_edge.bundle import MANIFEST_FILE, MODEL_FILE, SUFFIX, Bundle, default_bundle, open_bundle
from pamtri_edge.errors import BundleError
from pamtri_edge.files.regular import sha256_of
from pamtri_edge.lint.document import Entry
from pamtri_edge.lint.nvinfer_keys import NETWORK_KEYS

Lookup = Callable[[str], Entry | None]
"""Gives the entry of a key that counts, or None."""

_DETECTOR_KEYS: Final = ("num-detected-classes", "parse-bbox-func-name", "cluster-mode")
_ENGINE: Final = re.compile(r"(?P<name>.+?)(?:\.onnx)?_b(?P<batch>\d+)_.*\.engine")


@dataclass(frozen=True)
class Target:
    """What a configuration is examined against.

    Attributes:
        bundle: the network's; None where it is no bundle's, so that only general rules hold.
        broken: why the bundle beside the named network cannot be opened; None where it can.
    """

    bundle: Bundle | None = None
    broken: str | None = None


def target_of(get: Lookup, named: Path | None, *, asked: bool) -> Target:
    """Tell which network a configuration runs.

    It is the bundle that holds the named ONNX file or engine; else the one that was named on the command
    line or comes with the package, where the names are those of its files or no network is named at all.

    Args:
        get: gives the keys.
        named: the bundle of the command line.
        asked: whether the configuration itself was named on the command line, not by another file.
    """
    for key in ("onnx-file", "model-engine-file"):
        entry = get(key)
        if entry is not None and (root := _bundle_around(entry.named_path)) is not None:
            try:
                return Target(_opened(root))
            except BundleError as error:
                return Target(broken=str(error))
    explicit = named is not None and asked and not _is_detector(get)
    network = get("onnx-file")
    if network is not None and _is_file(network.named_path):
        # another network, unless it is a copy, or the user says that it is the bundle's
        ours = _opened(named or default_bundle())
        return Target(ours if explicit or _is_copy(network.named_path, ours) else None)
    return Target(_opened(named or default_bundle()) if explicit or _may_be_ours(get) else None)


def engine_batch(name: str) -> int | None:
    """Return the batch that the name of an engine states, as nvinfer and the exporter name them."""
    match = _ENGINE.fullmatch(Path(name).name)
    return None if match is None or len(match["batch"]) > 6 else int(match["batch"])


@lru_cache(maxsize=8)
def _opened(path: Path) -> Bundle:
    return open_bundle(path)


def _bundle_around(path: Path) -> Path | None:
    """Return the bundle that a network or an engine of that path belongs to, if there is one."""
    for folder in (path.parent, path.parent.parent):
        try:
            if (folder / MANIFEST_FILE).is_file():
                return folder.resolve()
        except (OSError, ValueError):
            return None
    return None


def _may_be_ours(get: Lookup) -> bool:
    if _is_detector(get):
        return False
    network, engine = get("onnx-file"), get("model-engine-file")
    named = [entry for key in NETWORK_KEYS if (entry := get(key)) is not None]
    if not named:
        return _is_secondary(get)
    if any(SUFFIX + "/" in entry.value for entry in named):
        return True
    if network is not None and Path(network.value).name == MODEL_FILE and _is_secondary(get):
        return True
    names = [Path(entry.value).name for entry in (network, engine) if entry is not None]
    return any(name.startswith("pamtri") for name in names)


def _is_detector(get: Lookup) -> bool:
    kind = get("network-type")
    return (kind is not None and kind.value in ("0", "2", "3")) or any(get(key) for key in _DETECTOR_KEYS)


def _is_secondary(get: Lookup) -> bool:
    mode, kind = get("process-mode"), get("network-type")
    return (mode is not None and mode.value == "2") or (kind is not None and kind.value in ("1", "100"))


def _is_copy(path: Path, bundle: Bundle) -> bool:
    """Tell whether a file is the bundle's network, byte for byte, in another place."""
    try:
        same_size = path.stat().st_size == bundle.model.stat().st_size
        return same_size and sha256_of(path) == bundle.manifest.files[MODEL_FILE]
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
