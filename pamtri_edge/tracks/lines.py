# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The lines of a track file that hold something, and their cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.files.text import text_lines

REMARKS: Final = ("#", "%", "//")
"""What lines that are remarks begin with."""

_DECIMALS: Final = re.compile(r"([+-]?\d+(,\d+)?\s+){5,}[+-]?\d+(,\d+)?", re.ASCII)  # 1 7 10,5 20,0 30,0 40,0
_LONGEST: Final = 2**16
_EXPECTED: Final = "tracks as text, CSV, JSON or XML"


def data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give number and text of each line that is neither blank nor a remark (#, %, //).

    Raises:
        SourceError: no regular file, unreadable, or not text.
    """
    for number, line in text_lines(
        path, expected=_EXPECTED, longest=_LONGEST, error=SourceError, strict=False
    ):
        text = line.strip()
        if text and not text.startswith(REMARKS):
            yield number, text


def first_lines(path: Path, count: int = 8) -> list[str]:
    """Return the first lines that hold something."""
    return [text for _, text in islice(data_lines(path), count)]


def first_line(path: Path) -> str:
    """Return the first line that is not blank, be it a remark or not; "" where there is none."""
    lines = text_lines(path, expected=_EXPECTED, longest=_LONGEST, error=SourceError, strict=False)
    return next((line.strip() for _, line in lines if line.strip()), "")


def cells_of(line: str) -> list[str]:
    """Split a line at semicolons, tabs, commas or blanks; what follows the last filled cell is left out.

    A comma that is no separator stands before decimals.
    """
    if ";" in line or "\t" in line:
        cells = _split(line, ";" if ";" in line else "\t", decimals=True)
    elif "," in line and _DECIMALS.fullmatch(line):
        cells = line.replace(",", ".").split()
    elif "," in line:
        cells = _split(line, ",", decimals='"' in line)
    else:
        return line.replace('"', "").split()
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _split(line: str, separator: str, *, decimals: bool) -> list[str]:
    cells = next(csv.reader([line], delimiter=separator)) if '"' in line else line.split(separator)
    return [cell.strip().replace(",", ".") if decimals else cell.strip() for cell in cells]


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number of any kind."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
