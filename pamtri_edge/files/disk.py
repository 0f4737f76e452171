# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where there is no room left, or none to begin with."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.printable import printable

NO_TEMPORARY_FOLDER: Final = (
    "no folder for temporary files can be written: not $TMPDIR, /tmp, /var/tmp nor the current folder. Name "
    "one: TMPDIR=/path/to/folder."
)
_LITTLE: Final = 1 << 20  # bytes of free room that are as good as none


def full_temporary_folder(filename: object = None) -> str | None:
    """Return the folder of temporary files, as messages call it, if that is what is full.

    Libraries write to it without a word, and an error of a full disk seldom says which disk.

    Args:
        filename: what could not be written, where the error says it.
    """
    folder = os.environ.get("TMPDIR") or tempfile.tempdir or "/tmp"
    called = f"{printable(folder)} (TMPDIR)"
    if isinstance(filename, (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(filename))
        return called if path.startswith(os.path.realpath(folder) + os.sep) else None
    with suppress(OSError):
        return called if shutil.disk_usage(folder).free < _LITTLE else None
    return None


def require_temporary_folder() -> None:
    """Refuse to begin where no folder for temporary files can be written.

    For work whose libraries need one, and that else fails late and in other words.

    Raises:
        InputError: there is none, as in a container whose file system is read-only.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        raise InputError(NO_TEMPORARY_FOLDER) from None
