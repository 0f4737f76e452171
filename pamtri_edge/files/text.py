# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Text files of other programs, read with care: regular files alone, no line without an end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from pamtri_edge.errors import PamtriError
from pamtri_edge.files.regular import open_regular


def text_lines(
    path: str | Path, *, longest: int, error: type[PamtriError], strict: bool = True
) -> Iterator[tuple[int, str]]:
    """Give number (from 1) and text of each line of a UTF-8 file; a byte order mark is left out.

    Args:
        path: the file.
        longest: characters that a line may have.
        error: what is raised.
        strict: refuse bytes that are not UTF-8; else they become replacement characters.

    Raises:
        PamtriError: of the type `error`: no regular file, unreadable, binary, or a line too long.
    """
    raw = open_regular(path, error=error)
    errors = "surrogateescape" if strict else "replace"
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors=errors) as file:
        number = 0
        while True:
            number += 1
            try:
                line = file.readline(longest + 1)
            except OSError as found:
                raise error(f"{path} cannot be read: {found.strerror}.") from found
            if not line:
                return
            if "\0" in line:
                raise error(f"{path} is not a text file: line {number} holds a zero byte{_utf16(path)}.")
            if len(line) > longest:
                raise error(
                    f"{path}:{number} is longer than {longest} characters; is it another kind of file?"
                )
            if strict and not line.isascii() and any("\udc80" <= c <= "\udcff" for c in line):
                raise error(f"{path}:{number} is not a text file in UTF-8.")
            yield number, line


def _utf16(path: str | Path) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - it was open a moment ago
        mark = file.read(2)
    return " (it is UTF-16; save it as UTF-8)" if mark in (b"\xff\xfe", b"\xfe\xff") else ""
