# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Folders that one process at a time writes to: the lock that keeps a second one out."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pamtri_edge.addresses import redact
from pamtri_edge.errors import InputError
from pamtri_edge.files.owners import Owner, from_token, this_process
from pamtri_edge.printable import printable

_log = logging.getLogger(__name__)

LOCK_FILE: Final = ".pamtri.lock"
"""The file in a folder that says who writes to it; gone when the writer ends, taken over if it was killed."""

_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_LONGEST_COMMAND: Final = 120


class Claim:
    """A folder kept for this process until `release`, the end of the `with` block, or the process's end.

    Args:
        folder: an existing folder.
        lock: another name for the lock's file.

    Raises:
        InputError: another process has it, or the folder cannot be written.
    """

    def __init__(self, folder: Path, *, lock: Path | None = None) -> None:
        self.path = lock or folder / LOCK_FILE
        try:
            descriptor = _locked(self.path, folder)
            try:
                record = {"owner": this_process().token, "command": _command()}
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(record).encode(), 0)
            except BaseException:  # a full disk: nothing stays, and others may try
                _unlock(self.path, descriptor, os.getpid())
                raise
        except OSError as error:
            raise InputError(
                f"the output folder {printable(folder)} cannot be written: {error.strerror}."
            ) from error
        self._release = weakref.finalize(self, _unlock, self.path, descriptor, os.getpid())

    def release(self) -> None:
        """Let others have the folder."""
        self._release()

    def __enter__(self) -> Claim:
        """Do nothing; the folder is claimed already."""
        return self

    def __exit__(self, *error: object) -> None:
        """Let others have the folder."""
        self.release()


def _locked(path: Path, folder: Path) -> int:
    """Return the descriptor of the lock's file, locked."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(_taken(folder, _record(descriptor))) from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                _check_by_number(descriptor, path, folder)
            # Between open and lock the owner before may have removed the file.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _check_by_number(descriptor: int, path: Path, folder: Path) -> None:
    """Where the file system has no locks: believe what is written, as long as that process may be there."""
    record = _record(descriptor)
    owner = _owner(record)
    if owner is not None and not owner.gone:
        hint = f" If it is over, remove {printable(path)}." if owner.elsewhere else ""
        raise InputError(_taken(folder, record) + hint)
    _log.warning(
        "%s is on a file system without locks: two processes that begin at one moment are not told apart",
        printable(folder),
    )


def _unlock(path: Path, descriptor: int, pid: int) -> None:
    if os.getpid() != pid:  # a forked child holds what its parent locked, and must not undo it
        return
    with suppress(OSError):
        path.unlink()
    with suppress(OSError):
        os.close(descriptor)


def _taken(folder: Path, record: dict[str, Any]) -> str:
    owner = _owner(record)
    who = ""
    if owner is not None:
        number = "this process" if owner == this_process() else f"process {owner.pid}"
        who = f" ({number}: {printable(record.get('command', ''))})"
    return (
        f"{printable(folder)} is being written by another process{who}; wait for it to end, or give another "
        "--output."
    )


def _owner(record: dict[str, Any]) -> Owner | None:
    return from_token(str(record.get("owner", "")))


def _record(descriptor: int) -> dict[str, Any]:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _command() -> str:
    """Return the command of this process, short and with what may be secret in addresses hidden."""
    words = [Path(sys.argv[0]).name, *map(redact, sys.argv[1:])] if sys.argv else []
    command = printable(" ".join(words))
    return command if len(command) <= _LONGEST_COMMAND else f"{command[:_LONGEST_COMMAND]}..."
