# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Engines on disk: `<fingerprint>.engine`, a pure TensorRT plan, and `<fingerprint>.json`, its record.

They lie in the bundle's `engines/`, or in the user's cache folder where that cannot be written. The record
has the plan's SHA-256, so that a truncated or mixed-up file is found and built anew.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from pamtri_edge import _core
from pamtri_edge.bundle import cache_folder
from pamtri_edge.errors import EngineError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.runtime.tensorrt.build import Built
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint

ENGINES: Final = "engines"
"""Name of the folder, in a bundle and in the user's cache."""

Build = Callable[[bytes], Built]
"""Builds an engine; it is given the timing cache of earlier builds on this device."""

_log = logging.getLogger(__name__)


class NoEngineError(EngineError):
    """There is no engine for this machine, and building one was not allowed."""


@dataclass(frozen=True)
class Cached:
    """A plan from the cache.

    Attributes:
        plan: the engine's bytes.
        arithmetic: what its convolutions are computed in.
        path: the file.
    """

    plan: bytes = field(repr=False)
    arithmetic: str
    path: Path


def engine_folders(model: Path) -> tuple[Path, ...]:
    """Return where the engines of a bundle's ONNX file may lie: with the bundle, and in the user's cache.

    A user without a home has no cache, unless an environment variable names one.
    """
    users = cache_folder()
    return (model.parent / ENGINES, *([] if users is None else [users / ENGINES]))


def cached_engine(
    wanted: Fingerprint, folders: tuple[Path, ...], build: Build | None, *, model: str
) -> Cached:
    """Return an engine from the cache, or build it and put it there.

    Of several processes that want the same engine one builds it; the others wait for it. Which file is the
    engine, and whether it is whole, is decided in `pipelines/core/engine_cache.hpp`, for C++ as well.

    Args:
        wanted: what the engine must be.
        folders: where it may lie, the preferred one first. A new one goes to the first that can be written.
        build: makes it; None refuses to.
        model: name of the ONNX file, by which engines of other machines are recognized.

    Raises:
        NoEngineError: there is none, and building was refused; the message says what is there instead.
        EngineError: no folder can be written, or `build` failed.
    """
    made: list[Built] = []

    def build_it(timing: bytes) -> tuple[bytes, bytes, str, str, int, float]:
        assert build is not None
        made.append(build(timing))
        built = made[0]
        return built.plan, built.timing_cache, built.via, built.arithmetic, built.layers, built.build_s

    said, text, arithmetic = _core.cached_engine(
        dataclasses.asdict(wanted),
        [os.fsencode(folder) for folder in folders],
        model,
        None if build is None else build_it,
        cache(lambda: _log.info("another process is building this engine; waiting for it")),  # once
        lambda warning: _log.warning("%s", os.fsdecode(warning)),
    )
    words = os.fsdecode(text)
    if said == "no engine":
        raise NoEngineError(
            f"{words}. Allow it to be built (build=True, or leave out --no-build), which takes minutes, or "
            "use another backend."
        )
    if said == "no place":
        raise EngineError(words)
    path = Path(words)
    if made:
        return Cached(made[0].plan, arithmetic, path)
    try:
        return Cached(path.read_bytes(), arithmetic, path)
    except OSError as error:
        raise EngineError(f"{path} cannot be read ({error.strerror}); load the bundle again.") from error


def read_record(path: Path) -> dict[str, Any] | None:
    """Return a JSON object from a file, or None where there is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Write a JSON object so that the file is never seen in part."""
    write_atomically(path, (json.dumps(record, indent=1) + "\n").encode())
