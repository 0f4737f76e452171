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

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from pamtri_edge.datasets.data_set import DataSet, Sample
from pamtri_edge.datasets.labels import Label, read_labels, read_pose_rows
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import list_pictures, picture_size

_log = logging.getLogger(__name__)

_VERI_NAME: Final = re.compile(r"^(\d+)_c(\d+)_")


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
    facts = read_labels(folder, part)
    for path in _labelled(folder, part, facts):
        match = _VERI_NAME.match(path.name)
        if match is None:
            raise InputError(f"{path} is not named as in VeRi, such as 0001_c003_00000017_0.jpg.")
        known = facts.get(path.name, Label())
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
    facts = read_labels(folder, part)
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
    for name, facts in read_pose_rows(Path(labels)).items():
        path = Path(images) / name
        if not path.is_file():
            raise InputError(f"{labels} names {name}, which is not in {images}.")
        match = _VERI_NAME.match(name)
        vehicle, camera = (int(match[1]), int(match[2])) if match else (0, -1)
        samples.append(_sample(path, vehicle, camera, facts))
    return DataSet(str(labels), tuple(samples))


def _labelled(folder: Path, part: str, facts: Mapping[str, Label]) -> list[Path]:
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


def _sample(path: Path, vehicle: int, camera: int, known: Label) -> Sample:
    width, height = picture_size(path)  # asked of every picture, so that a damaged one is found at once
    keypoints = known.units
    if keypoints is None and known.pixels is not None:
        keypoints = np.asarray(known.pixels / np.array([width, height, 1.0]), np.float32)
    return Sample(path, vehicle, camera, known.color, known.type, keypoints)
