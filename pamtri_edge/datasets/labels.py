# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The label files of VeRi, of CityFlow and of the original PAMTRI: what is known of each picture.

A part (`train`, `query` or `test`) of a data set may have several files, the tables with or without a header,
and with commas, semicolons or tabs between their cells:

- `PART_label.xml`, VeRi's and CityFlow's own: vehicle, camera, color, type;
- `label_PART.csv`, the original's: image, vehicle, color, type, and 36 times x, y, confidence, or not;
- `pose_PART.csv`, of its pose network: image, width, height, 36 times x, y, visible.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.layout import Part
from pamtri_edge.errors import InputError
from pamtri_edge.files.text import separator_of, text_lines
from pamtri_edge.pictures import SUFFIXES
from pamtri_edge.printable import counted
from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, TYPES

_LONGEST: Final = 2**16  # characters of a row
_WHOLE: Final = re.compile(r"([+-]?\d{1,18})(?:\.0*)?", re.ASCII)  # 7.0 in tables that have gaps
_POSE_COLUMNS: Final = 3 + 3 * NUM_KEYPOINTS
_REID_COLUMNS: Final = 4 + 3 * NUM_KEYPOINTS
_REID_BARE: Final = 4  # the same without keypoints
_POSE_HINT: Final = f"expected {_POSE_COLUMNS}: image, width, height, then x, y, visible of 36 keypoints"
_REID_HINT: Final = (
    f"expected {_REID_COLUMNS}: image, vehicle, color, type, then x, y, confidence of 36 keypoints "
    f"(or the first {_REID_BARE} alone)"
)


@dataclass(frozen=True, eq=False)
class Label:
    """What the label files tell of one picture; None for what they do not.

    Attributes:
        vehicle: its identity.
        camera: number of the camera.
        color: index into `vehicle.COLORS`.
        type: index into `vehicle.TYPES`.
        pixels: (36, 3) float32 x, y in pixels of the picture, and confidence.
        units: (36, 3) float32 x, y in crop units, and visibility.
        size: (2,) float32 width and height in pixels that `units` were told in.
    """

    vehicle: int | None = None
    camera: int | None = None
    color: int | None = None
    type: int | None = None
    pixels: NDArray[np.float32] | None = None
    units: NDArray[np.float32] | None = None
    size: NDArray[np.float32] | None = None


def read_labels(folder: Path, part: Part) -> dict[str, Label]:
    """Return what the label files of a part tell, by picture; later files add to earlier ones.

    Raises:
        InputError: a file cannot be read, or a row does not fit.
    """
    merged: dict[str, Label] = {}
    sources = (
        (folder / part.xml, _xml_rows),
        (folder / part.reid_csv, _reid_rows),
        (folder / part.pose_csv, read_pose_rows),
    )
    for path, read in sources:
        if path.is_file():
            for name, facts in read(path).items():
                merged[name] = _joined(merged.get(name, Label()), facts)
    return merged


def _joined(old: Label, new: Label) -> Label:
    told = {name: fact for name, fact in vars(new).items() if fact is not None}
    return replace(old, **told)


def _reid_rows(path: Path) -> dict[str, Label]:
    found: dict[str, Label] = {}
    for where, row in _rows(path):
        if len(row) not in (_REID_COLUMNS, _REID_BARE):
            raise InputError(f"{where}: {counted(len(row), 'column')}; {_REID_HINT}.")
        vehicle, color, kind = (_whole(cell, where) for cell in row[1:4])
        found[_new(row[0], found, where)] = Label(
            vehicle=vehicle,
            color=_index(color, COLORS, "color", where),
            type=_index(kind, TYPES, "type", where),
            pixels=_points(row[4:], where) if len(row) > _REID_BARE else None,
        )
    return found


def read_pose_rows(path: Path) -> dict[str, Label]:
    """Return keypoints and sizes by picture from a CSV of the original's pose network.

    Raises:
        InputError: it cannot be read, or a row does not fit.
    """
    found: dict[str, Label] = {}
    for where, row in _rows(path):
        if len(row) != _POSE_COLUMNS:
            raise InputError(f"{where}: {counted(len(row), 'column')}; {_POSE_HINT}.")
        width, height = (_whole(cell, where) for cell in row[1:3])
        if width < 1 or height < 1:
            raise InputError(f"{where}: the picture is said to be {width}x{height} pixels.")
        points = _points(row[3:], where)
        scale = np.array([width, height, 1.0], np.float32)
        found[_new(row[0], found, where)] = Label(
            units=np.asarray(points / scale, np.float32), size=np.array([width, height], np.float32)
        )
    if not found:
        raise InputError(f"{path} has no rows; {_POSE_HINT}.")
    return found


def _xml_rows(path: Path) -> dict[str, Label]:
    """Read VeRi's and CityFlow's XML, which says it is gb2312, a name that Python's parser does not take."""
    try:
        content = path.read_bytes()
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        text = content.decode("utf-16" if wide else "utf-8-sig", "replace")
        root = ElementTree.fromstring(re.sub(r"<\?xml[^>]*\?>", "", text))
    except (OSError, ElementTree.ParseError) as error:
        raise InputError(f"{path} is not a readable XML file: {error}.") from error
    found: dict[str, Label] = {}
    for item in root.iter("Item"):
        name = item.get("imageName")
        if name is None or item.get("vehicleID") is None:
            raise InputError(
                f"{path}: an Item lacks imageName or vehicleID: {dict(item.attrib)}. What vehicles are kept "
                "back for a challenge cannot be measured or learned; take a part that tells them."
            )
        where = f"{path}: {name}"
        camera = item.get("cameraID", "").lstrip("c")
        found[_new(name, found, where)] = Label(
            vehicle=_whole(item.get("vehicleID", ""), where),
            camera=_whole(camera, where) if camera else None,
            color=_index(_whole(item.get("colorID", "0"), where), COLORS, "color", where),
            type=_index(_whole(item.get("typeID", "0"), where), TYPES, "type", where),
        )
    return found


def table_rows(path: Path, *, expected: str) -> Iterator[tuple[str, list[str]]]:
    """Yield file and line, for messages, and the cells of every row that is not blank.

    Args:
        path: a table with commas, semicolons or tabs between its cells, the same as in its first line.
        expected: what it should be, for a message of what it is instead.

    Raises:
        InputError: it cannot be read, or is no text.
    """
    separator = ","
    for number, text in text_lines(path, expected=expected, longest=_LONGEST, error=InputError):
        if number == 1:
            separator = separator_of(text)
        try:
            row = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
        except csv.Error as error:
            raise InputError(f"{path}:{number} cannot be read: {error}.") from error
        if row:
            yield f"{path}:{number}", row


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the rows of a table of labels, without the one that names the columns."""
    for place, (where, row) in enumerate(table_rows(path, expected="a table of labels")):
        if place or len(row) == 1 or not _is_header(row):
            yield where, row


def _is_header(row: Sequence[str]) -> bool:
    """Tell whether a first row names the columns: it has no picture, and no number."""
    return Path(row[0]).suffix.lower() not in SUFFIXES and not any(
        cell.strip().lstrip("-")[:1].isdecimal() for cell in row
    )


def _new(name: str, found: Mapping[str, Label], where: str) -> str:
    if name in found:
        raise InputError(f"{where}: {name} has been labeled before in this file.")
    return name


def _points(cells: list[str], where: str) -> NDArray[np.float32]:
    try:
        values = np.array([float(cell) for cell in cells], np.float32).reshape(NUM_KEYPOINTS, 3)
    except ValueError as error:
        raise InputError(f"{where}: a coordinate is not a number ({error}).") from None
    if not np.isfinite(values).all():
        raise InputError(
            f"{where}: a coordinate is not finite; expected {NUM_KEYPOINTS} times x, y, confidence."
        )
    return values


def _whole(cell: str, where: str) -> int:
    found = _WHOLE.fullmatch(cell.strip())
    if found is None:
        raise InputError(f"{where}: found {cell!r} where a whole number is expected.")
    return int(found[1])


def _index(identifier: int, names: Sequence[str], what: str, where: str) -> int | None:
    """Return the class by VeRi's id; 0, which old VeRi files have, is unknown."""
    if not 0 <= identifier <= len(names):
        raise InputError(
            f"{where}: {what} id {identifier}; expected 1 to {len(names)} ({', '.join(names)}), or 0 for "
            "unknown."
        )
    return identifier - 1 if identifier else None
