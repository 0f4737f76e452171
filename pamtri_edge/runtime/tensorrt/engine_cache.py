# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Engines on disk: `<fingerprint>.engine`, a pure TensorRT plan, and `<fingerprint>.json`, its record.

They lie in the bundle's `engines/`, or in the user's cache folder where that cannot be written. The record
has the plan's SHA-256, so that a truncated or mixed-up file is found and built anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from pamtri_edge.bundle import cache_folder
from pamtri_edge.errors import EngineError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.runtime.tensorrt.build import Built
from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint

try:
    import fcntl
except ImportError:  # pragma: no cover - Linux has it
    fcntl = None  # type: ignore[assignment]

ENGINES: Final = "engines"
"""Name of the folder, in a bundle and in the user's cache."""

Build = Callable[[bytes], Built]
"""Builds an engine; it is given the timing cache of earlier builds on this device."""

_log = logging.getLogger(__name__)
_threads = threading.Lock()


class NoEngineError(EngineError):
    """There is no engine for this machine, and building one was not allowed."""


@dataclass(frozen=True)
class Cached:
    """A plan from the cache.

    Attributes:
        plan: the engine's bytes.
        arithmetic: what its convolutions are computed in.
        path: the file.
        built: whether it was built just now.
    """

    plan: bytes = field(repr=False)
    arithmetic: str
    path: Path
    built: bool


def engine_folders(model: Path) -> tuple[Path, ...]:
    """Return where the engines of a bundle's ONNX file may lie: with the bundle, and in the user's cache.

    A user without a home has no cache, unless an environment variable names one.
    """
    cache = cache_folder()
    return (model.parent / ENGINES, *([] if cache is None else [cache / ENGINES]))


def cached_engine(
    wanted: Fingerprint, folders: tuple[Path, ...], build: Build | None, *, model: str
) -> Cached:
    """Return an engine from the cache, or build it and put it there.

    Of several processes that want the same engine one builds it; the others wait for it.

    Args:
        wanted: what the engine must be.
        folders: where it may lie, the preferred one first. A new one goes to the first that can be written.
        build: makes it; None refuses to.
        model: name of the ONNX file, by which engines of other machines are recognised.

    Raises:
        NoEngineError: there is none, and building was refused; the message says what is there instead.
        EngineError: no folder can be written, or `build` failed.
    """
    found, reason = _look(wanted, folders)
    if found is not None:
        return found
    explanation = reason or _explanation(wanted, folders, model)
    if build is None:
        raise NoEngineError(
            f"there is no engine of {model} for this machine in {folders[0]}: {explanation}. Allow it to be "
            "built (build=True, or leave out --no-build), which takes minutes, or use another backend."
        )
    folder = _writable(folders)
    with _lock(folder / f".{wanted.digest}.lock"):
        found, _ = _look(wanted, (folder,))  # another process may have built it meanwhile
        if found is not None:
            return found
        # A warning, since a program that says nothing for minutes seems to hang.
        _log.warning(
            "building an engine of %s with %s, which can take minutes: %s", model, wanted.library, explanation
        )
        timing = folder / f"{_timing_name(wanted)}.timing"
        built = build(_read(timing) or b"")
        if built.timing_cache:
            with suppress(OSError):  # it only saves time
                write_atomically(timing, built.timing_cache)
        return _store(wanted, folder, built, model)


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


def _look(wanted: Fingerprint, folders: tuple[Path, ...]) -> tuple[Cached | None, str]:
    """Return the engine that is wanted, or else what is wrong with the file of its name, if there is one."""
    reason = ""
    for folder in folders:
        path = folder / f"{wanted.digest}.engine"
        plan = _read(path)
        if plan is None:
            continue
        record = read_record(path.with_suffix(".json"))
        if record is None:
            reason = f"{path} has no readable record beside it"
        elif record.get("sha256") != hashlib.sha256(plan).hexdigest():
            size = record.get("bytes")
            cut = f": it has {len(plan)} bytes of {size}" if size != len(plan) else ""
            reason = f"{path} is truncated or damaged{cut}"
        elif different := wanted.differences(record):
            reason = f"{path} has another engine's record ({'; '.join(different)})"
        else:
            return Cached(plan, str(record.get("arithmetic", "fp32")), path, built=False), ""
        _log.warning("%s", reason)
    return None, reason


def _explanation(wanted: Fingerprint, folders: tuple[Path, ...], model: str) -> str:
    """Say how the nearest engine of this network's name differs from the one that is wanted."""
    nearest: list[str] = []
    for folder in folders:
        with suppress(OSError):
            for path in sorted(folder.glob("*.json")):
                record = read_record(path)
                if record is not None and record.get("model") == model:
                    different = wanted.differences(record)
                    if not nearest or len(different) < len(nearest):
                        nearest = different
    if not nearest:
        return "none has been built yet"
    return f"the one that is there was built for something else: {'; '.join(nearest)}"


def _store(wanted: Fingerprint, folder: Path, built: Built, model: str) -> Cached:
    path = folder / f"{wanted.digest}.engine"
    record = {
        **dataclasses.asdict(wanted),
        "model": model,
        "via": built.via,
        "arithmetic": built.arithmetic,
        "sha256": hashlib.sha256(built.plan).hexdigest(),
        "bytes": len(built.plan),
        "layers": built.layers,
        "build_s": round(built.build_s, 1),
        "built_utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    try:
        # The record last: one without its plan says nothing, and a plan is used only if its record fits it.
        write_atomically(path, built.plan)
        write_record(path.with_suffix(".json"), record)
    except OSError as error:  # a full disk: it serves this process, and the next one builds it again
        _log.warning("the engine was built, but %s cannot be written (%s)", path, error.strerror)
    return Cached(built.plan, built.arithmetic, path, built=True)


def _writable(folders: tuple[Path, ...]) -> Path:
    """Return the first folder that a file can be put into, made if it was not there."""
    failures = []
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".{secrets.token_hex(4)}.tmp"
            probe.touch()
            probe.unlink()
        except OSError as error:
            failures.append(f"{folder} ({error.strerror})")
            continue
        if failures:
            _log.warning("%s cannot be written; engines are kept in %s", failures[0], folder)
        return folder
    raise EngineError(
        f"there is no place to keep an engine: {' and '.join(failures)} cannot be written. Make one of them "
        "writable, or name another place with the environment variable PAMTRI_CACHE."
    )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock that keeps other processes, and other threads of this one, from building the same."""
    with _threads:
        if fcntl is None:  # pragma: no cover - Linux has it
            yield
            return
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _log.info("another process is building this engine; waiting for it")
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError as error:  # a file system without locks: both build, each writes whole files
                _log.debug("%s cannot be locked: %s", path, error)
            yield


def _timing_name(wanted: Fingerprint) -> str:
    """Return a name for what was measured on this device with this TensorRT, whatever the network."""
    parts = (wanted.library, wanted.cuda, wanted.compute, wanted.gpu, wanted.l4t)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
