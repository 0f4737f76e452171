# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The lines of a track file that hold something, and their cells."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.textfile import text_lines

_LONGEST: Final = 2**16


def data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give number and text of each line that is neither blank nor a remark (#, %, //).

    Raises:
        SourceError: no regular file, unreadable, or not text.
    """
    for number, line in text_lines(path, longest=_LONGEST, error=SourceError, strict=False):
        text = line.strip()
        if text and not text.startswith(("#", "%", "//")):
            yield number, text


def first_lines(path: Path, count: int = 8) -> list[str]:
    """Return the first lines that hold something."""
    return [text for _, text in islice(data_lines(path), count)]


def cells_of(line: str) -> list[str]:
    """Split a line at semicolons, commas or blanks; what follows the last filled cell is left out."""
    if ";" in line:
        cells = [cell.strip().replace(",", ".") for cell in line.split(";")]
    elif "," in line:
        cells = [cell.strip() for cell in line.split(",")]
    else:
        return line.split()
    while cells and not cells[-1]:
        cells.pop()
    return cells


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number of any kind."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
