# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Opening files of others: regular files alone. A pipe is never waited for, and a device never read."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from pamtri_edge.errors import PamtriError
from pamtri_edge.printable import printable

_BLOCK: Final = 1 << 20
# A pipe that nobody writes to must not block the opening, and a terminal must not become ours.
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_regular(
    path: str | Path,
    mode: int,
    *,
    error: type[PamtriError],
    expected: str = "a regular file",
    remedy: str = "",
) -> None:
    """Refuse what is no regular file, by its `st_mode`.

    Args:
        path: how the message calls it.
        mode: tells what it is.
        error: what is raised.
        expected: continues "expected".
        remedy: a sentence more, if any.
    """
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in _KINDS if test(mode)), "something else")
    raise error(" ".join([f"{printable(path)} is {kind}; expected {expected}.", *filter(None, [remedy])]))


def open_descriptor(
    path: str | Path,
    *,
    error: type[PamtriError],
    expected: str = "a regular file",
    remedy: str = "",
    name: str | None = None,
    folder: int | None = None,
) -> int:
    """Open a regular file for reading; return its descriptor, which the caller closes.

    Args:
        path: the file.
        error: what is raised where it is no regular file.
        expected: see `check_regular`.
        remedy: see `check_regular`.
        name: of the file in `folder`, where it is opened there and not by its path.
        folder: descriptor of an open folder.

    Raises:
        OSError: it is not there, cannot be read, or has a name that none can have.
    """
    at = path if name is None else name
    # Looked at first, because opening some devices already does something.
    try:
        mode = os.stat(at, dir_fd=folder).st_mode
    except ValueError as found:  # a zero byte in the name, or half of a character
        raise OSError(errno.EINVAL, str(found), str(at)) from None
    check_regular(path, mode, error=error, expected=expected, remedy=remedy)
    descriptor = os.open(at, _FLAGS, dir_fd=folder)
    try:
        mode = os.fstat(descriptor).st_mode
        check_regular(path, mode, error=error, expected=expected, remedy=remedy)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_regular(path: str | Path, *, error: type[PamtriError]) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: the file.
        error: what is raised where it is none, or cannot be read.
    """
    try:
        return os.fdopen(open_descriptor(path, error=error), "rb")
    except OSError as found:
        raise error(f"{printable(path)} cannot be read: {found.strerror}.") from found


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in blocks."""
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
    return digest.hexdigest()
