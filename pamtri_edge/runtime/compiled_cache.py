# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled networks on disk: what OpenVINO made of a network, so that the next process is spared it.

They lie in the user's cache folder, `openvino/<key>.compiled`, and are safe to delete. A key is made of all
that the result depends on: the network's bytes, OpenVINO's build, its properties, the processor. A file ends
with that key in words and with the SHA-256 of the rest, so one that is cut, damaged or another's is never
given to the engine; it is written under another name first, so none is seen in part. Whatever goes wrong
costs the time of compiling, and nothing else.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import io
import json
import logging
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from pamtri_edge.bundle import cache_folder
from pamtri_edge.errors import PamtriError
from pamtri_edge.files.atomic import staged_file, sweep
from pamtri_edge.files.regular import open_descriptor

OFF_VARIABLE: Final = "PAMTRI_NO_CACHE"
"""The environment variable that turns this cache off: set to anything but 0."""
FOLDER: Final = "openvino"
SUFFIX: Final = ".compiled"
LEAST_BYTES: Final = 1 << 20
"""A network file smaller than this compiles sooner than it is worth a file."""
MOST_BYTES: Final = 1 << 30
"""What the folder may hold; of more, those that were not used for longest are removed."""

_FORMAT: Final = 1
_TRAILER: Final = 2048  # bytes: the record, filled up with spaces
_BLOCK: Final = 1 << 20
_PROCESSOR_LINES: Final = ("model name", "flags", "features", "cpu implementer", "cpu part", "cpu variant")
_ENGINE_VARIABLES: Final = ("ONEDNN_", "DNNL_", "OV_")  # some of them limit the instructions that are used

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CompiledKey:
    """Everything that a compiled network depends on.

    Attributes:
        network: SHA-256 of the ONNX file.
        library: OpenVINO's build.
        properties: what it was asked for, as text.
        processor: SHA-256 of what the system says of the processor, and of variables that limit its use.
    """

    network: str
    library: str
    properties: str
    processor: str

    @property
    def digest(self) -> str:
        """Twenty hexadecimal digits: the name of the file."""
        return hashlib.sha256(json.dumps(dataclasses.asdict(self)).encode()).hexdigest()[:20]


def compiled_key(content: bytes, library: str, properties: Mapping[str, Any]) -> CompiledKey | None:
    """Return the key of a network; None where it is not worth keeping, or was not wanted.

    Args:
        content: the bytes of the ONNX file.
        library: the build of the engine.
        properties: what it is compiled with.
    """
    if len(content) < LEAST_BYTES or os.environ.get(OFF_VARIABLE, "0") not in ("", "0"):
        return None
    asked = json.dumps({name: str(value) for name, value in properties.items()}, sort_keys=True)
    return CompiledKey(hashlib.sha256(content).hexdigest(), library, asked, _processor())


def read_compiled(key: CompiledKey) -> bytes | None:
    """Return the compiled network of a key; None where there is none, or none that is whole and ours."""
    path = _path(key)
    if path is None:
        return None
    try:
        with os.fdopen(open_descriptor(path, error=PamtriError), "rb") as file:
            status = os.fstat(file.fileno())
            if not _may_trust(status) or not _TRAILER < status.st_size <= MOST_BYTES:
                _log.info("%s is not used: it is another user's, or has an unlikely size", path)
                return None
            compiled = file.read(status.st_size - _TRAILER)
            record = file.read(_TRAILER)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, PamtriError) as error:
        _log.info("%s is not used: %s", path, error)
        return None
    if record != _record(key, hashlib.sha256(compiled).hexdigest()):
        _log.info("%s is not used: it is damaged, or of another network; it is made anew", path)
        return None
    with suppress(OSError):
        os.utime(path)  # used last
    return compiled


def keep_compiled(key: CompiledKey, export: Callable[[io.BytesIO], object]) -> None:
    """Put a compiled network into the cache; where that cannot be done, say so in the log.

    Args:
        key: what it was made of.
        export: writes it into a stream.
    """
    path = _path(key)
    if path is None:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(path.parent)
        with staged_file(path, flush=False) as part, _private(part) as file:
            stream = _Stream(file)
            export(stream)
            file.write(_record(key, stream.digest()))
            if file.tell() > MOST_BYTES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        _make_room(path.parent, keep=path)
    except OSError as error:
        _log.info("the compiled network is not kept: %s", error)
    except Exception as error:  # of whatever kind OpenVINO and its binding raise
        _log.info("the compiled network cannot be exported: %s", error)


def forget_compiled(key: CompiledKey) -> None:
    """Remove the compiled network of a key, if there is one."""
    path = _path(key)
    if path is not None:
        with suppress(OSError):
            path.unlink()


class _Stream(io.BytesIO):
    """What OpenVINO writes to. It takes a `BytesIO` alone, which would hold all in memory once more."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._failure: OSError | None = None  # between here and our caller is C++, which may let it pass

    def write(self, content: Any, /) -> int:
        try:
            return self._file.write(content)
        except OSError as error:
            self._failure = error
            raise

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def digest(self) -> str:
        """Return the SHA-256 of all that was written, and leave the file at its end."""
        if self._failure is not None:
            raise self._failure
        digest = hashlib.sha256()
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            digest.update(block)
        return digest.hexdigest()


def _path(key: CompiledKey) -> Path | None:
    cache = cache_folder()
    return None if cache is None else cache / FOLDER / f"{key.digest}{SUFFIX}"


def _record(key: CompiledKey, digest: str) -> bytes:
    """Return the end of a file: it is equal, byte for byte, if key and content are."""
    record = {"format": _FORMAT, "sha256": digest, **dataclasses.asdict(key)}
    return (json.dumps(record) + "\n").encode().rjust(_TRAILER)


def _private(path: Path) -> BinaryIO:
    """Open a new file that nobody else may read or write."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _may_trust(status: os.stat_result) -> bool:
    """Whether a file was written by this user or by root: an engine runs what stands in it."""
    return not hasattr(os, "geteuid") or status.st_uid in (os.geteuid(), 0)


def _make_room(folder: Path, *, keep: Path) -> None:
    """Remove what was not used for longest, as far as the folder holds too much."""
    kept = []
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError):
            status = path.stat()
            kept.append((path != keep, -status.st_mtime, status.st_size, path))
    total = 0
    for _, _, size, path in sorted(kept):
        total += size
        if total > MOST_BYTES and path != keep:
            with suppress(OSError):
                path.unlink()


def _processor() -> str:
    """Return a SHA-256 of what a compiled network depends on in this machine."""
    found = {platform.machine(), platform.processor()}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.partition("\t")[0].strip(" :").lower() in _PROCESSOR_LINES:
                found.add(line)
    found |= {f"{name}={value}" for name, value in os.environ.items() if name.startswith(_ENGINE_VARIABLES)}
    return hashlib.sha256("\n".join(sorted(found)).encode(errors="surrogateescape")).hexdigest()
