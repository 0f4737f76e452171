# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One part of a labeled data set on disk: `train`, `query` or `test`, laid out as VeRi or as CityFlow.

*VeRi* (and what `pamtri synth` writes): `image_train/0001_c003_00000017_0.jpg`, vehicle and camera in the
name; `-1_c...` is junk, `0000_c...` a distractor. *CityFlow*: `image_train/000001.jpg`, vehicle and camera in
`train_label.xml`. A part may mix both. Folders may be called as Market-1501's, and a folder may hold one of
pictures for each vehicle: see `places`. Colors, types and keypoints stand in label files of either: see
`labels`. Training and evaluation read parts here, and so the same sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pamtri_edge.datasets.data_set import NO_CAMERA, DataSet, Sample
from pamtri_edge.datasets.labels import Label, read_labels, read_pose_rows
from pamtri_edge.datasets.layout import GALLERY, QUERY, TRAIN, Part, told_by_name
from pamtri_edge.datasets.places import (
    camera_named,
    has_pictures,
    pictures_of,
    vehicle_folders,
    what_is_there,
)
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import list_pictures, picture_size
from pamtri_edge.printable import printable

_NAMED = "0002_c013_00030605_0.jpg"


@dataclass(frozen=True, eq=False)
class Told:
    """A picture of a part, and what its name and the label files tell of it.

    Attributes:
        path: the picture's file.
        vehicle: its identity; below 0 for junk.
        camera: number of the camera, `NO_CAMERA` if nothing tells it.
        label: the rest.
    """

    path: Path
    vehicle: int
    camera: int
    label: Label


def read_part(folder: Path, part: Part) -> list[Told]:
    """List the pictures of a part with what is known of each; the pictures themselves are not read.

    Queries without label files take what the gallery's tell of pictures of the same name, as VeRi has it.

    Raises:
        InputError: there are no pictures, a label file does not fit them, or nothing tells a vehicle.
    """
    place = pictures_of(folder, part)
    if part == TRAIN and not place.is_dir():
        place = folder  # pictures alone
        if not has_pictures(place) and not vehicle_folders(place):
            raise InputError(
                f"{printable(folder)} {what_is_there(folder)}; expected {part.images} with pictures such as "
                f"{_NAMED}, or a folder of pictures for each vehicle."
            )
    if vehicles := vehicle_folders(place):
        return told_by_folders(vehicles, numbers_of(folder, place))
    pictures = list_pictures(place)
    labels = _labels(folder, part, {path.name for path in pictures})
    return [_told(path, labels.get(path.name, Label()), part) for path in pictures]


def read_data(folder: str | Path, *, part: str = TRAIN.name) -> DataSet:
    """Read a part as pictures to learn from, or to validate on.

    Args:
        folder: holds `image_train`, and label files if the names do not tell the vehicles, or there are
            attributes or keypoints.
        part: `train`, `query` or `test`; of the latter two, junk is left out.

    Raises:
        InputError: as `read_part`; or a picture is damaged, marked as junk where it is to be learned from, or
            there is nothing else.
    """
    samples = []
    for told in read_part(Path(folder), Part(part)):
        if told.vehicle < 0:
            if part != TRAIN.name:
                continue
            raise InputError(
                f"{printable(told.path)} is marked as junk (vehicle {told.vehicle}), of which nothing is "
                "learned; take such pictures out of the folder."
            )
        samples.append(_sample(told))
    if not samples:
        raise InputError(f"{printable(Path(folder))}: all pictures of the {part} part are marked as junk.")
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
    for name, label in read_pose_rows(Path(labels)).items():
        path = Path(images) / name
        if not path.is_file():
            raise InputError(f"{labels} names {name}, which is not in {images}.")
        samples.append(_sample(Told(path, *(told_by_name(name) or (0, NO_CAMERA)), label)))
    return DataSet(str(labels), tuple(samples))


def numbers_of(folder: Path, *places: Path) -> dict[str, int]:
    """Return the numbers of vehicles by the names of their folders, the same in every part of a set."""
    parts = (pictures_of(folder, part) for part in (TRAIN, QUERY, GALLERY))
    names = sorted({each.name for place in (*parts, *places) for each in vehicle_folders(place)})
    if all(name.isascii() and name.isdecimal() for name in names) and len({*map(int, names)}) == len(names):
        return {name: int(name) for name in names}
    return {name: number for number, name in enumerate(names, 1)}


def told_by_folders(vehicles: Sequence[Path], numbers: Mapping[str, int]) -> list[Told]:
    """List the pictures of vehicles that have a folder each."""
    return [
        Told(
            path,
            numbers[place.name],
            NO_CAMERA if (camera := camera_named(path)) is None else camera,
            Label(),
        )
        for place in vehicles
        for path in list_pictures(place)
    ]


def picture_files(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, in the order of their names.

    Of a labeled data set, as `pamtri synth` makes them, those of its first part: train, test, query.

    Raises:
        InputError: the folder does not exist or has no picture.
    """
    if not folder.is_dir():
        raise InputError(f"{printable(folder)} is not a folder; expected one with pictures of vehicles.")
    parts = (folder / part.images for part in (TRAIN, GALLERY, QUERY))
    return list_pictures(next((place for place in parts if place.is_dir()), folder))


def _labels(folder: Path, part: Part, names: set[str]) -> Mapping[str, Label]:
    labels = read_labels(folder, part)
    strangers = [name for name in labels if name not in names]
    if strangers:
        raise InputError(
            f"{printable(folder)}: the labels name {strangers[0]!r}, which is not in {part.images}"
            + (f" ({len(strangers)} such rows of {len(labels)})." if len(strangers) > 1 else ".")
        )
    if not labels and part == QUERY:
        return {name: label for name, label in read_labels(folder, GALLERY).items() if name in names}
    return labels


def _told(path: Path, label: Label, part: Part) -> Told:
    named = told_by_name(path.name)
    if named is None:
        if label.vehicle is None:
            raise InputError(
                f"{printable(path)}: neither the name nor a label tells the vehicle; expected a name such as "
                f"{_NAMED}, or a row in {part.xml} or {part.reid_csv}, as in CityFlow."
            )
        return Told(path, label.vehicle, NO_CAMERA if label.camera is None else label.camera, label)
    vehicle, camera = named
    if label.vehicle is not None and label.vehicle != vehicle:
        raise InputError(
            f"{printable(path)}: its name says vehicle {vehicle}, its label says {label.vehicle}."
        )
    return Told(path, vehicle, camera, label)


def _sample(told: Told) -> Sample:
    width, height = picture_size(told.path)  # asked of every picture, so that a damaged one is found at once
    label, keypoints = told.label, told.label.units
    if keypoints is None and label.pixels is not None:
        keypoints = np.asarray(label.pixels / np.array([width, height, 1.0]), np.float32)
    return Sample(told.path, told.vehicle, told.camera, label.color, label.type, keypoints)
