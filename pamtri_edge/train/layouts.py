# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets on disk: the layouts of VeRi and CityFlow, with the label files of the original PAMTRI.

*VeRi* (and what `pamtri synth` writes): `image_train/0001_c003_00000017_0.jpg`, vehicle and camera in the
name; colors and types in `label_train.csv` (the original's) or `train_label.xml` (VeRi's own). *CityFlow*:
`image_train/000001.jpg`, vehicle and camera in `train_label.xml`. Keypoints come from `pose_train.csv`
(image, width, height, 36 times x, y, visible; the original calls it label_train.csv of its pose network) or
from `label_train.csv` (image, vehicle, color, type, 36 times x, y, confidence).
"""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.pictures import list_pictures, picture_size
from pamtri_edge.train.data import DataSet, Sample, check_keypoints, color_index, type_index
from pamtri_edge.vehicle import NUM_KEYPOINTS

_log = logging.getLogger(__name__)

_VERI_NAME: Final = re.compile(r"^(\d+)_c(\d+)_")
_POSE_COLUMNS: Final = 3 + 3 * NUM_KEYPOINTS
_REID_COLUMNS: Final = 4 + 3 * NUM_KEYPOINTS
_REID_BARE: Final = 4  # the same without keypoints
_POSE_HINT: Final = f"expected {_POSE_COLUMNS}: image, width, height, then x, y, visible of 36 keypoints"
_REID_HINT: Final = (
    f"expected {_REID_COLUMNS}: image, vehicle, color, type, then x, y, confidence of 36 keypoints "
    f"(or the first {_REID_BARE} alone)"
)


@dataclass(frozen=True)
class _Facts:
    """What a label file tells of one picture; keypoints in pixels, or in crop units if so marked."""

    vehicle: int | None = None
    camera: int | None = None
    color: int | None = None
    type: int | None = None
    pixels: NDArray[np.float32] | None = None
    units: NDArray[np.float32] | None = None


def read_data(folder: str | Path, *, part: str = "train") -> DataSet:
    """Read a folder of either layout; which one is told by the names of its pictures.

    Args:
        folder: holds `image_train` and its label files.
        part: `train`, `query` or `test`.

    Raises:
        InputError: there are no pictures, a label file does not fit them, or nothing tells the vehicles.
    """
    pictures = list_pictures(Path(folder) / f"image_{part}")
    veri = sum(_VERI_NAME.match(path.name) is not None for path in pictures)
    if veri == len(pictures):
        return read_veri(folder, part=part)
    if veri == 0:
        return read_cityflow(folder, part=part)
    stranger = next(path.name for path in pictures if not _VERI_NAME.match(path.name))
    raise InputError(
        f"{folder}: {veri} of {len(pictures)} pictures are named as in VeRi (0001_c003_00000017_0.jpg), "
        f"{stranger} is not; vehicle and camera are read from the name, so it must be all or none."
    )


def read_veri(folder: str | Path, *, part: str = "train") -> DataSet:
    """Read the VeRi layout, which `pamtri synth` writes too.

    Args:
        folder: holds `image_train`, and `label_train.csv`, `pose_train.csv` or `train_label.xml` if there are
            attributes or keypoints.
        part: `train`, `query` or `test`.

    Raises:
        InputError: a picture is missing, damaged or misnamed, or a row of a label file does not fit.
    """
    folder = Path(folder)
    samples = []
    facts = _facts(folder, part)
    for path in _labelled(folder, part, facts):
        match = _VERI_NAME.match(path.name)
        if match is None:
            raise InputError(f"{path} is not named as in VeRi, such as 0001_c003_00000017_0.jpg.")
        known = facts.get(path.name, _Facts())
        vehicle = int(match[1])
        if known.vehicle is not None and known.vehicle != vehicle:
            raise InputError(f"{path}: its name says vehicle {vehicle}, its label says {known.vehicle}.")
        samples.append(_sample(path, vehicle, int(match[2]), known))
    return DataSet(str(folder), tuple(samples))


def read_cityflow(folder: str | Path, *, part: str = "train") -> DataSet:
    """Read the CityFlow layout: vehicles and cameras stand in `train_label.xml`, not in file names.

    Args:
        folder: holds `image_train` and `train_label.xml` (or `label_train.csv`, which has no cameras).
        part: `train`, `query` or `test`.

    Raises:
        InputError: a picture has no label or is damaged, or a row of a label file does not fit.
    """
    folder = Path(folder)
    facts = _facts(folder, part)
    if not facts:
        raise InputError(
            f"{folder}: the names of the pictures tell no vehicle, and there is neither {part}_label.xml nor "
            f"label_{part}.csv that does."
        )
    samples = []
    for path in _labelled(folder, part, facts):
        known = facts.get(path.name)
        if known is None or known.vehicle is None:
            raise InputError(f"{folder}: no label file tells the vehicle of {path.name}.")
        camera = -1 if known.camera is None else known.camera
        samples.append(_sample(path, known.vehicle, camera, known))
    return DataSet(str(folder), tuple(samples))


def read_pose_csv(labels: str | Path, images: str | Path) -> DataSet:
    """Read keypoints of the original's pose network, whose pictures need no vehicle in their names.

    Args:
        labels: the CSV: image, width, height, 36 times x, y, visible; no header.
        images: folder of the pictures that it names; others there are left out.

    Raises:
        InputError: a row does not fit, or its picture is missing or damaged.
    """
    samples = []
    for name, facts in _pose_rows(Path(labels)).items():
        path = Path(images) / name
        if not path.is_file():
            raise InputError(f"{labels} names {name}, which is not in {images}.")
        match = _VERI_NAME.match(name)
        vehicle, camera = (int(match[1]), int(match[2])) if match else (0, -1)
        samples.append(_sample(path, vehicle, camera, facts))
    return DataSet(str(labels), tuple(samples))


def _labelled(folder: Path, part: str, facts: Mapping[str, _Facts]) -> list[Path]:
    """Return the pictures of a part, every one that a label names among them."""
    pictures = list_pictures(folder / f"image_{part}")
    names = {path.name for path in pictures}
    strangers = [name for name in facts if name not in names]
    if strangers:
        raise InputError(
            f"{folder}: the labels name {strangers[0]}, which is not in image_{part}"
            + (f" ({len(strangers)} such rows of {len(facts)})." if len(strangers) > 1 else ".")
        )
    return pictures


def _sample(path: Path, vehicle: int, camera: int, known: _Facts) -> Sample:
    width, height = picture_size(path)  # asked of every picture, so that a damaged one is found at once
    keypoints = known.units
    if keypoints is None and known.pixels is not None:
        keypoints = np.asarray(known.pixels / np.array([width, height, 1.0]), np.float32)
    return Sample(path, vehicle, camera, known.color, known.type, keypoints)


def _facts(folder: Path, part: str) -> dict[str, _Facts]:
    """Return what the label files of a part tell, by picture; later files add to earlier ones."""
    merged: dict[str, _Facts] = {}
    sources = (
        (folder / f"{part}_label.xml", _xml_rows),
        (folder / f"label_{part}.csv", _reid_rows),
        (folder / f"pose_{part}.csv", _pose_rows),
    )
    for path, read in sources:
        if path.is_file():
            for name, facts in read(path).items():
                merged[name] = _joined(merged.get(name), facts)
    return merged


def _joined(old: _Facts | None, new: _Facts) -> _Facts:
    if old is None:
        return new
    kept = {
        field: getattr(old, field) if getattr(new, field) is None else getattr(new, field)
        for field in _Facts.__dataclass_fields__
    }
    return _Facts(**kept)


def _reid_rows(path: Path) -> dict[str, _Facts]:
    found: dict[str, _Facts] = {}
    for where, row in _rows(path):
        if len(row) not in (_REID_COLUMNS, _REID_BARE):
            raise InputError(f"{where}: {len(row)} columns; {_REID_HINT}.")
        vehicle, color, kind = (_whole(cell, where) for cell in row[1:4])
        found[_new(row[0], found, where)] = _Facts(
            vehicle=vehicle,
            color=color_index(color, where),
            type=type_index(kind, where),
            pixels=_points(row[4:], where) if len(row) > _REID_BARE else None,
        )
    return found


def _pose_rows(path: Path) -> dict[str, _Facts]:
    found: dict[str, _Facts] = {}
    for where, row in _rows(path):
        if len(row) != _POSE_COLUMNS:
            raise InputError(f"{where}: {len(row)} columns; {_POSE_HINT}.")
        width, height = (_whole(cell, where) for cell in row[1:3])
        if width < 1 or height < 1:
            raise InputError(f"{where}: the picture is said to be {width}x{height} pixels.")
        points = _points(row[3:], where)
        scale = np.array([width, height, 1.0], np.float32)
        found[_new(row[0], found, where)] = _Facts(units=points / scale)
    if not found:
        raise InputError(f"{path} has no rows; {_POSE_HINT}.")
    return found


def _xml_rows(path: Path) -> dict[str, _Facts]:
    """Read VeRi's and CityFlow's XML, which says it is gb2312, a name that Python's parser does not take."""
    try:
        text = path.read_bytes().decode("utf-8", "replace")
        root = ElementTree.fromstring(re.sub(r"<\?xml[^>]*\?>", "", text))
    except (OSError, ElementTree.ParseError) as error:
        raise InputError(f"{path} is no readable XML file: {error}.") from error
    found: dict[str, _Facts] = {}
    for item in root.iter("Item"):
        name = item.get("imageName")
        if name is None or item.get("vehicleID") is None:
            raise InputError(f"{path}: an Item lacks imageName or vehicleID: {dict(item.attrib)}.")
        where = f"{path}: {name}"
        camera = item.get("cameraID", "").lstrip("c")
        found[_new(name, found, where)] = _Facts(
            vehicle=_whole(item.get("vehicleID", ""), where),
            camera=_whole(camera, where) if camera else None,
            color=color_index(_whole(item.get("colorID", "0"), where), where),
            type=type_index(_whole(item.get("typeID", "0"), where), where),
        )
    return found


def _rows(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield file and line, for messages, and the cells of every row that is not blank."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if row:
                    yield f"{path}:{number}", row
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file ({error.reason} at byte {error.start}).") from None
    except (OSError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _new(name: str, found: Mapping[str, _Facts], where: str) -> str:
    if name in found:
        raise InputError(f"{where}: {name} has been labelled before in this file.")
    return name


def _points(cells: list[str], where: str) -> NDArray[np.float32]:
    try:
        values = np.array([float(cell) for cell in cells], np.float32).reshape(NUM_KEYPOINTS, 3)
    except ValueError as error:
        raise InputError(f"{where}: a coordinate is no number ({error}).") from None
    return check_keypoints(values, where)


def _whole(cell: str, where: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise InputError(f"{where}: found {cell!r} where a whole number is expected.") from None
