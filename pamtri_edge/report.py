# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A sheet for people: pairs of vehicles side by side, with the score of each below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import write_atomically
from pamtri_edge.pictures import read_picture
from pamtri_edge.printable import printable

SHEET_SUFFIXES: Final = (".jpg", ".png")
MOST_PAIRS: Final = 100
"""Pairs on a sheet; more would be too many to look at."""

_TILE: Final = (150, 200)  # height and width of a vehicle's place, in pixels
_CAPTION: Final = 44
_GAP: Final = 12
_COLUMNS: Final = 3
_GROUND: Final = (250, 250, 250)
_EMPTY: Final = (226, 226, 226)
_INK: Final = (40, 40, 40)
_RIGHT: Final = (0, 130, 60)
_WRONG: Final = (200, 40, 40)
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_LINE: Final = 0.42  # size of the letters

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Two sightings of what is taken for one vehicle.

    Attributes:
        pictures: of the first and of the second; a missing one is shown as such.
        titles: what each is called, such as its camera and track.
        score: a short line below them.
        right: whether it is known to be right or wrong; None where it is not known.
    """

    pictures: tuple[Path, Path]
    titles: tuple[str, str]
    score: str
    right: bool | None = None


def write_sheet(path: Path, pairs: Sequence[Pair]) -> int:
    """Draw pairs onto a sheet, the first ones first; return how many are on it, `MOST_PAIRS` at most.

    Args:
        path: where; it ends in .jpg or .png.
        pairs: one or more.

    Raises:
        InputError: there are no pairs, or the file cannot be written.
    """
    shown = pairs[:MOST_PAIRS]
    if not shown:
        raise InputError(f"there are no pairs, so {printable(path)} was not written.")
    cells = [_cell(pair) for pair in shown]
    columns = min(_COLUMNS, len(cells))
    high, wide = cells[0].shape[:2]
    rows = -(-len(cells) // columns)
    sheet = np.full((_GAP + rows * (high + _GAP), _GAP + columns * (wide + _GAP), 3), _GROUND, np.uint8)
    for at, cell in enumerate(cells):
        y, x = (
            _GAP + place * (side + _GAP)
            for place, side in zip(divmod(at, columns), (high, wide), strict=True)
        )
        sheet[y : y + high, x : x + wide] = cell
    how = (cv2.IMWRITE_JPEG_QUALITY, 92) if path.suffix == ".jpg" else ()
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), how)
    try:
        write_atomically(path, data.tobytes())
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {error.strerror}.") from error
    return len(shown)


def _cell(pair: Pair) -> Picture:
    """Return two pictures side by side with two lines below them."""
    tiles = np.concatenate([_tile(picture) for picture in pair.pictures], axis=1)
    below = np.full((_CAPTION, tiles.shape[1], 3), _GROUND, np.uint8)
    for title, x in zip(pair.titles, (2, _TILE[1] + 2), strict=True):
        _write(below, title, (x, 15), _INK, _TILE[1] - 6)
    color = _INK if pair.right is None else _RIGHT if pair.right else _WRONG
    _write(below, pair.score, (2, 34), color, tiles.shape[1] - 6)
    cell = np.concatenate([tiles, below])
    if pair.right is not None:
        cv2.rectangle(cell, (0, 0), (cell.shape[1] - 1, _TILE[0] - 1), color, 2)
    return cell


def _tile(path: Path) -> Picture:
    """Return a picture fitted into its place, or what says that there is none."""
    tile = np.full((*_TILE, 3), _EMPTY, np.uint8)
    try:
        picture = read_picture(path)
    except InputError:
        _write(tile, "no picture", (60, _TILE[0] // 2), _INK, _TILE[1] - 60)
        return tile
    scale = min(_TILE[0] / picture.shape[0], _TILE[1] / picture.shape[1])
    high, wide = (max(1, round(side * scale)) for side in picture.shape[:2])
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    y, x = (_TILE[0] - high) // 2, (_TILE[1] - wide) // 2
    tile[y : y + high, x : x + wide] = cv2.resize(picture, (wide, high), interpolation=method)
    return tile


def _write(picture: Picture, text: str, at: tuple[int, int], color: tuple[int, ...], width: int) -> None:
    text = printable(text)
    (needed, _), _ = cv2.getTextSize(text, _FONT, _LINE, 1)
    scale = _LINE * min(1.0, max(width, 1) / max(needed, 1))
    cv2.putText(picture, text, at, _FONT, scale, color, 1, cv2.LINE_AA)
