# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Text files of other programs, read with care: regular files alone, no line without an end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from pamtri_edge.errors import PamtriError
from pamtri_edge.files.kinds import PEEK, is_video, kind_of_picture
from pamtri_edge.files.regular import open_regular

_OTHERS: Final = {
    b"\x1f\x8b": "compressed by gzip; unpack it",
    b"BZh91AY&SY": "compressed by bzip2; unpack it",
    b"\xfd7zXZ\0": "compressed by xz; unpack it",
    b"(\xb5/\xfd": "compressed by zstd; unpack it",
    b"PK\3\4": "a ZIP archive, as workbooks of Excel and .npz files are; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old workbook of Excel; save the sheet as CSV",
    b"PAR1\x15": "Parquet; write it as CSV",
    b"\x93NUMPY": "an array of NumPy; write it with numpy.savetxt",
    b"\xff\xd8\xff": "a JPEG",
    b"\x89PNG": "a PNG",
    b"SQLite format 3\0": "a database of SQLite; export its table as CSV",
}
"""How files begin that are no text, and what is to be done with them."""


_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")

_SEPARATORS: Final = (",", ";", "\t")


def text_lines(
    path: str | Path, *, expected: str, longest: int, error: type[PamtriError], strict: bool = True
) -> Iterator[tuple[int, str]]:
    """Give number (from 1) and text of each line of a UTF-8 file; a byte order mark is left out.

    Args:
        path: the file.
        expected: what it should be, for a message of what it is instead.
        longest: characters that a line may have.
        error: what is raised.
        strict: refuse bytes that are not UTF-8; else they become replacement characters, and UTF-16 with its
            mark is read too, in which a shell of Windows writes what it redirects.

    Raises:
        PamtriError: of the type `error`: no regular file, unreadable, binary, or a line too long.
    """
    raw = open_regular(path, error=error)
    errors = "surrogateescape" if strict else "replace"
    try:
        wide = not strict and raw.read(2) in _WIDE_MARKS
        raw.seek(0)
    except OSError as found:
        raw.close()
        raise error(f"{path} cannot be read: {found.strerror}.") from found
    with io.TextIOWrapper(raw, encoding="utf-16" if wide else "utf-8-sig", errors=errors) as file:
        number = 0
        while True:
            try:
                other = "" if number or wide else _other_kind(raw)
                number += 1
                line = file.readline(longest + 1)
            except OSError as found:
                raise error(f"{path} cannot be read: {found.strerror}.") from found
            if other:
                raise error(f"{path} is not a text file: it is {other}. Expected {expected}.")
            if not line:
                return
            if "\0" in line:
                raise error(
                    f"{path} is not a text file: line {number} holds a zero byte. Expected {expected}."
                )
            if len(line) > longest:
                raise error(
                    f"{path}:{number} is longer than {longest} characters; is it another kind of file?"
                )
            if strict and not line.isascii() and any("\udc80" <= c <= "\udcff" for c in line):
                raise error(f"{path}:{number} is not a text file in UTF-8.")
            yield number, line


def separator_of(line: str) -> str:
    """Return what is between the cells of a table, by its first line: commas, or what spreadsheets write."""
    return max(_SEPARATORS, key=line.count)


def _other_kind(raw: BinaryIO) -> str:
    """Return what a file is that begins as no text does; "" for all others."""
    start = raw.read(PEEK)
    raw.seek(0)
    zeros = {place % 2 for place, byte in enumerate(start) if byte == 0}
    wide = len(zeros) == 1 and start.count(0) >= len(start) // 2 > 1
    if wide or start[:2] in _WIDE_MARKS:
        return "UTF-16; save it as UTF-8"
    known = next((name for begin, name in _OTHERS.items() if start.startswith(begin)), "")
    if known or b"\0" not in start:
        return known
    return "a video" if is_video(start) else kind_of_picture(start) or ""
