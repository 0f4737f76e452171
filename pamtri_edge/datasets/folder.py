# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A labeled test set in a folder: real, or made by `pamtri synth --split test`.

`image_query/` and `image_test/` (the gallery) hold the pictures, laid out as VeRi's or CityFlow's; what is
known of them is read as for training: see `parts`. Pictures without a row in a label file count for
retrieval alone.

Or pictures alone, named as VeRi's: then each is looked up among what the other cameras took, or, where
cameras do not count, among all others. A type may follow in the name, as in `0002_c001_truck.jpg`. Or a
folder of pictures for each vehicle, likewise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import NO_CAMERA
from pamtri_edge.datasets.layout import DISTRACTOR, GALLERY, JUNK, QUERY, Part, told_by_name
from pamtri_edge.datasets.parts import Told, numbers_of, read_part, told_by_folders
from pamtri_edge.datasets.places import has_pictures, pictures_of, vehicle_folders, what_is_there
from pamtri_edge.datasets.views import EvaluationSet, Views
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import check_pictures, list_pictures, read_picture
from pamtri_edge.printable import counted, printable
from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, TYPES


def is_data_folder(path: str | Path) -> bool:
    """Tell whether a path is a folder with `image_query/` in it."""
    return pictures_of(Path(path), QUERY).is_dir()


def read_folder(folder: str | Path, *, across_cameras: bool = True) -> EvaluationSet:
    """Read a test set; its pictures are only listed, and read when they are needed.

    Args:
        folder: see the module.
        across_cameras: leave out matches by a query's own camera.

    Raises:
        InputError: a folder is missing or has no pictures, nothing tells a vehicle, or a camera that is
            needed, there are fewer than two vehicles, or a row of a label file does not fit.
    """
    folder = Path(folder)
    if not pictures_of(folder, GALLERY).is_dir() and not is_data_folder(folder):
        if has_pictures(folder):
            return _flat(folder, across_cameras)
        if vehicles := vehicle_folders(folder):
            return _by_vehicle(folder, told_by_folders(vehicles, numbers_of(folder, folder)), across_cameras)
    query, gallery = (_views(folder, part, across_cameras) for part in (QUERY, GALLERY))
    identities = np.unique(np.concatenate([query.vehicles, gallery.vehicles]))
    if (count := int((identities >= 0).sum())) < 2:
        raise InputError(f"{folder} shows {count} vehicle; at least 2 are needed to be told apart.")
    return EvaluationSet(folder.resolve().name, query, gallery, across_cameras)


def _flat(folder: Path, across_cameras: bool) -> EvaluationSet:
    """Return pictures alone as a set: all but distractors are queries, and all are the gallery."""
    if folder.name.startswith("image_"):
        raise InputError(
            f"{folder} has no folder {QUERY.images}; it is a part of a set itself: name {folder.parent}."
        )
    files = list_pictures(folder)
    check_pictures(files)
    seen = np.array([_named(path) for path in files], np.int64)
    types = tuple(kind if (kind := path.stem.split("_")[-1]) in TYPES else None for path in files)
    views = Views(
        names=tuple(path.name for path in files),
        vehicles=seen[:, 0],
        cameras=seen[:, 1],
        read=lambda index: read_picture(files[index]),
        types=types if any(types) else None,
    )
    return _among_themselves(folder, views, across_cameras, "pictures", asked=seen[:, 0] != DISTRACTOR)


def _by_vehicle(folder: Path, told: Sequence[Told], across_cameras: bool) -> EvaluationSet:
    """Return folders of one vehicle each as a set; cameras count where every name tells one."""
    check_pictures(one.path for one in told)
    views = Views(
        names=tuple(f"{one.path.parent.name}/{one.path.name}" for one in told),
        vehicles=np.array([one.vehicle for one in told], np.int64),
        cameras=np.array([one.camera for one in told], np.int64),
        read=lambda index: read_picture(told[index].path),
    )
    known = not any(one.camera == NO_CAMERA for one in told)
    return _among_themselves(folder, views, across_cameras and known, "folders", asked=np.True_)


def _among_themselves(
    folder: Path, views: Views, across_cameras: bool, what: str, *, asked: NDArray[np.bool_] | np.bool_
) -> EvaluationSet:
    """Return a set whose pictures are looked up among those that other cameras took.

    Where cameras do not count, each picture is by one of its own: none finds itself.
    """
    if not across_cameras:
        views = replace(views, cameras=np.arange(len(views)))
    vehicles, cameras = (len(np.unique(column)) for column in (views.vehicles, views.cameras))
    if min(vehicles, cameras) < 2:
        also = ", or --same-camera, which looks each picture up among all others" if vehicles > 1 else ""
        raise InputError(
            f"{folder}: {what} of {counted(vehicles, 'vehicle')} by {counted(cameras, 'camera')}; without "
            f"{QUERY.images} and {GALLERY.images}, what one camera saw is looked up in what others saw: "
            f"at least 2 of both are needed{also}."
        )
    query = replace(views, vehicles=np.where(asked, views.vehicles, JUNK))
    return EvaluationSet(folder.resolve().name, query, views, True, between_cameras=True)


def _named(path: Path) -> tuple[int, int]:
    """Return vehicle and camera of a picture that has nothing but its name."""
    named = told_by_name(path.name)
    if named is None:
        raise InputError(
            f"{printable(path)}: the name tells no vehicle and camera; expected such as "
            "0002_c013_00030605_0.jpg."
        )
    return named


def _views(folder: Path, part: Part, across_cameras: bool) -> Views:
    if not pictures_of(folder, part).is_dir():
        raise InputError(
            f"{printable(folder)} has no folder {part.images} (it {what_is_there(folder)}); expected a "
            f"test set as VeRi's, with {QUERY.images} and {GALLERY.images}, such as "
            "`pamtri synth --split test` makes, or a folder of pictures for each vehicle."
        )
    told = read_part(folder, part)
    blind = next((one.path for one in told if one.camera == NO_CAMERA), None)
    if across_cameras and blind is not None:
        raise InputError(
            f"{printable(blind)}: nothing tells the camera, and matches by a query's own camera are to be "
            f"left out; expected cameraID in {part.xml}, or say --same-camera."
        )
    check_pictures(one.path for one in told)
    labels = [one.label for one in told]
    colors = tuple(None if label.color is None else COLORS[label.color] for label in labels)
    types = tuple(None if label.type is None else TYPES[label.type] for label in labels)
    # Of the pose labels alone: what `label_PART.csv` has are another network's guesses, with its confidence.
    posed = any(label.units is not None for label in labels)
    blank, no_size = np.zeros((NUM_KEYPOINTS, 3), np.float32), np.ones(2, np.float32)
    return Views(
        names=tuple(one.path.name for one in told),
        vehicles=np.array([one.vehicle for one in told], np.int64),
        cameras=np.array([one.camera for one in told], np.int64),
        read=lambda index: read_picture(told[index].path),
        colors=colors if any(colors) else None,
        types=types if any(types) else None,
        keypoints=np.stack([_or(label.units, blank) for label in labels]) if posed else None,
        sizes=np.stack([_or(label.size, no_size) for label in labels]) if posed else None,
    )


def _or(value: NDArray[np.float32] | None, other: NDArray[np.float32]) -> NDArray[np.float32]:
    return other if value is None else value
