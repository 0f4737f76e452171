# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reading the files of a bundle: regular files of a bounded size, of one folder, with the promised SHA-256.

A bundle may be overwritten while it is read. So its folder is opened once, its files are opened in that
folder and not by their paths, and what an engine is given are the bytes that were checked.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pamtri_edge.errors import BundleError
from pamtri_edge.files.regular import open_descriptor
from pamtri_edge.manifest_fields import REMEDY

_BLOCK: Final = 1 << 20


class Folder:
    """An opened folder. Its files are those of the moment of opening, whatever takes its name later.

    Args:
        path: where it is.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def close(self) -> None:
        """Close it; files that were opened in it stay open."""
        self._close()

    @property
    def replaced(self) -> bool:
        """Whether its path now leads to another folder, or nowhere."""
        return _leads_elsewhere(self.path, self._descriptor)

    def text(self, name: str, *, limit: int) -> str:
        """Return the text of a file.

        Raises:
            BundleError: it is missing, no regular file, longer than `limit` bytes, or not UTF-8.
        """
        path = self.path / name
        with _reported(path, missing=f"{self.path} is not a bundle: it has no {name}"):
            content = _content(self._open(name), path, limit)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise BundleError(f"{path} cannot be read ({error}). {REMEDY}") from error

    def check(self, name: str, digest: str, *, limit: int) -> HeldFile:
        """Open a file, compare its SHA-256, and hold it.

        Raises:
            BundleError: it is missing, no regular file, longer than `limit` bytes, or was changed.
        """
        path = self.path / name
        with _reported(path, missing=f"{path} is missing, though the manifest lists it"):
            held = HeldFile(path, self._open(name), digest, limit=limit)
            held.check()
        return held

    def _open(self, name: str) -> int:
        return open_descriptor(
            self.path / name, error=BundleError, remedy=REMEDY, name=name, folder=self._descriptor
        )


class HeldFile:
    """An open file whose SHA-256 is known. It stays readable when its folder is replaced or deleted.

    Args:
        path: where it was, for errors.
        descriptor: of the open file, which this takes over.
        digest: the SHA-256 that it must have.
        limit: bytes that it may have.
    """

    def __init__(self, path: Path, descriptor: int, digest: str, *, limit: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self._digest = digest
        self._limit = limit
        weakref.finalize(self, os.close, descriptor)

    @property
    def replaced(self) -> bool:
        """Whether its path now leads to another file, or nowhere."""
        return _leads_elsewhere(self.path, self._descriptor)

    def check(self) -> None:
        """Compare the SHA-256, without keeping the content.

        Raises:
            BundleError: the file was changed.
        """
        digest = hashlib.sha256()
        for block in _blocks(self._descriptor, self.path, self._limit):
            digest.update(block)
        self._compare(digest.hexdigest())

    def read(self) -> bytes:
        """Return the content; exactly these bytes have the SHA-256.

        Raises:
            BundleError: the file was changed since it was opened.
        """
        with _reported(self.path, missing=f"{self.path} is missing"):
            content = b"".join(_blocks(self._descriptor, self.path, self._limit))
        self._compare(hashlib.sha256(content).hexdigest())
        return content

    def _compare(self, found: str) -> None:
        if found != self._digest:
            raise BundleError(
                f"{self.path} was changed or damaged: its SHA-256 is {found[:12]}..., "
                f"the manifest says {self._digest[:12]}.... {REMEDY}"
            )


def read_regular(path: Path, *, limit: int) -> bytes:
    """Return the content of a file that is named by its path.

    Raises:
        BundleError: it is missing, no regular file, or longer than `limit` bytes.
    """
    with _reported(path, missing=f"{path} is missing"):
        return _content(open_descriptor(path, error=BundleError, remedy=REMEDY), path, limit)


def _leads_elsewhere(path: Path, descriptor: int) -> bool:
    try:
        return not os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return True


def _content(descriptor: int, path: Path, limit: int) -> bytes:
    """Return the content of an open file, and close it."""
    try:
        return b"".join(_blocks(descriptor, path, limit))
    finally:
        os.close(descriptor)


def _blocks(descriptor: int, path: Path, limit: int) -> Iterator[bytes]:
    """Give the content; `pread` because processes that forked share the position."""
    at = 0
    size = os.fstat(descriptor).st_size
    while size <= limit and at <= limit:
        block = os.pread(descriptor, _BLOCK, at)
        if not block:
            return
        yield block
        at += len(block)
    raise BundleError(
        f"{path} has {max(size, at) / 1e6:.0f} MB; in a bundle it has {limit / 1e6:.0f} MB at most. {REMEDY}"
    )


@contextmanager
def _reported(path: Path, *, missing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BundleError(f"{missing}. {REMEDY}") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). {REMEDY}") from error
