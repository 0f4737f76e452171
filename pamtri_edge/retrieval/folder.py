# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A labelled test set in a folder, laid out as VeRi is: real, or made by `pamtri synth --split test`.

`image_query/` and `image_test/` (the gallery) hold the pictures. Vehicle and camera stand in the file names:
`0002_c013_00030605_0.jpg` is vehicle 2 as camera 13 saw it; `-1_c...` is junk, `0000_c...` a distractor.
Beside them may lie the original's CSV files without header: `label_query.csv` and `label_test.csv` (image,
vehicle, color, type, then 36 times x, y, confidence) for colors and types, `pose_query.csv` and
`pose_test.csv` (image, width, height, then 36 times x, y, visible) for keypoints. Pictures without a row
count for retrieval alone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.pictures import list_pictures, read_picture
from pamtri_edge.retrieval.views import UNKNOWN, EvaluationSet, Views
from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, TYPES

QUERY: Final = "query"
GALLERY: Final = "test"

_NAME: Final = re.compile(r"^(-?\d+)_c(\d+)")
_REID_COLUMNS: Final = (4, 4 + 3 * NUM_KEYPOINTS)
_POSE_COLUMNS: Final = 3 + 3 * NUM_KEYPOINTS


def is_data_folder(path: str | Path) -> bool:
    """Tell whether a path is a folder with `image_query/` in it."""
    return (Path(path) / f"image_{QUERY}").is_dir()


def read_folder(folder: str | Path, *, across_cameras: bool = True) -> EvaluationSet:
    """Read a test set; its pictures are only listed, and read when they are needed.

    Args:
        folder: see the module.
        across_cameras: leave out matches by a query's own camera.

    Raises:
        InputError: a folder is missing or has no pictures, a name tells no vehicle and camera, there are
            fewer than two vehicles, or a row of a CSV does not fit.
    """
    folder = Path(folder)
    query, gallery = _views(folder, QUERY), _views(folder, GALLERY)
    identities = np.unique(np.concatenate([query.vehicles, gallery.vehicles]))
    if (count := int((identities >= 0).sum())) < 2:
        raise InputError(f"{folder} shows {count} vehicle; at least 2 are needed to be told apart.")
    return EvaluationSet(folder.resolve().name, query, gallery, across_cameras)


def _views(folder: Path, part: str) -> Views:
    files = _pictures(folder, part)
    matches = [_match(path) for path in files]
    names = [path.name for path in files]
    known = set(names)
    attributes = _attributes(folder / f"label_{part}.csv", known)
    poses = _poses(folder / f"pose_{part}.csv", known)
    colors = tuple(attributes.get(name, (UNKNOWN, UNKNOWN))[0] for name in names)
    types = tuple(attributes.get(name, (UNKNOWN, UNKNOWN))[1] for name in names)
    blank = (np.zeros((NUM_KEYPOINTS, 3), np.float32), np.ones(2, np.float32))
    return Views(
        names=tuple(names),
        vehicles=np.array([int(match[1]) for match in matches], np.int64),
        cameras=np.array([int(match[2]) for match in matches], np.int64),
        read=lambda index: read_picture(files[index]),
        colors=colors if any(colors) else None,
        types=types if any(types) else None,
        keypoints=np.stack([poses.get(name, blank)[0] for name in names]) if poses else None,
        sizes=np.stack([poses.get(name, blank)[1] for name in names]) if poses else None,
    )


def _pictures(folder: Path, part: str) -> list[Path]:
    place = folder / f"image_{part}"
    if not place.is_dir():
        raise InputError(
            f"{folder} has no folder image_{part}; expected a test set as VeRi's, with image_{QUERY} and "
            f"image_{GALLERY}, such as `pamtri synth --split test` makes."
        )
    return list_pictures(place)


def _match(path: Path) -> re.Match[str]:
    match = _NAME.match(path.name)
    if match is None:
        raise InputError(
            f"{path}: the name tells no vehicle and camera; expected such as 0002_c013_00030605_0.jpg."
        )
    return match


def _attributes(path: Path, known: set[str]) -> dict[str, tuple[str, str]]:
    """Return the names of color and type of each picture that the CSV tells of."""
    found: dict[str, tuple[str, str]] = {}
    for where, row in _rows(path, known):
        if len(row) not in _REID_COLUMNS:
            raise InputError(
                f"{where}: {len(row)} columns; expected {_REID_COLUMNS[1]} (or 4): image, vehicle, color, "
                "type, then 36 times x, y, confidence."
            )
        color, kind = _number(row[2], where), _number(row[3], where)
        found[row[0]] = (_class(color, COLORS, "color", where), _class(kind, TYPES, "type", where))
    return found


def _poses(path: Path, known: set[str]) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return keypoints in crop units, and width and height in pixels, of each picture with a row."""
    found: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    for where, row in _rows(path, known):
        if len(row) != _POSE_COLUMNS:
            raise InputError(
                f"{where}: {len(row)} columns; expected {_POSE_COLUMNS}: image, width, height, then 36 times "
                "x, y, visible."
            )
        values = np.array([_number(cell, where) for cell in row[1:]], np.float32)
        size, points = values[:2], values[2:].reshape(NUM_KEYPOINTS, 3)
        if (size < 1).any():
            raise InputError(f"{where}: the picture is said to be {size[0]:g}x{size[1]:g} pixels.")
        scale = np.array([size[0], size[1], 1.0], np.float32)
        found[row[0]] = (np.asarray(points / scale, np.float32), size)
    return found


def _rows(path: Path, known: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Give file and line, for messages, and the cells of every row; nothing where there is no file."""
    if not path.is_file():
        return
    seen: set[str] = set()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if not row:
                    continue
                where = f"{path}:{number}"
                if row[0] not in known:
                    raise InputError(f"{where}: there is no picture {row[0]!r} in its folder of images.")
                if row[0] in seen:
                    raise InputError(f"{where}: {row[0]} has been labelled before in this file.")
                seen.add(row[0])
                yield where, row
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file ({error.reason} at byte {error.start}).") from None
    except (OSError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _number(cell: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise InputError(f"{where}: found {cell!r} where a number is expected.") from None
    if not np.isfinite(value):
        raise InputError(f"{where}: found {cell} where a finite number is expected.")
    return value


def _class(number: float, names: Sequence[str], what: str, where: str) -> str:
    """Return the name of VeRi's class; 0, which old VeRi files have, is unknown."""
    if number != int(number) or not 0 <= number <= len(names):
        raise InputError(f"{where}: {what} id {number:g}; expected 1 to {len(names)}, or 0 for unknown.")
    return names[int(number) - 1] if number else UNKNOWN
