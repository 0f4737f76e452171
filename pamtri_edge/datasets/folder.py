# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A labelled test set in a folder, laid out as VeRi is: real, or made by `pamtri synth --split test`.

`image_query/` and `image_test/` (the gallery) hold the pictures. Vehicle and camera stand in the file names:
`0002_c013_00030605_0.jpg` is vehicle 2 as camera 13 saw it; `-1_c...` is junk, `0000_c...` a distractor. Or,
as in CityFlow, both stand in `query_label.xml` and `test_label.xml`. These, VeRi's own, tell colors and types
too, as the original's `label_query.csv` and `label_test.csv` do; `pose_query.csv` and `pose_test.csv` tell
keypoints: see `pamtri_edge.datasets.labels`. Pictures without a row count for retrieval alone.

Or pictures alone, named as VeRi's: then each is looked up among what the other cameras took. A type may
follow in the name, as in `0002_c001_truck.jpg`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.labels import Label, read_labels
from pamtri_edge.datasets.views import UNKNOWN, EvaluationSet, Views
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import SUFFIXES, list_pictures, read_picture
from pamtri_edge.printable import printable
from pamtri_edge.vehicle import COLORS, NUM_KEYPOINTS, TYPES

QUERY: Final = "query"
GALLERY: Final = "test"

_NAME: Final = re.compile(r"^(-?\d+)_c(\d+)")


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
    if not (folder / f"image_{GALLERY}").is_dir() and not is_data_folder(folder) and _has_pictures(folder):
        return _flat(folder, across_cameras)
    query, gallery = _views(folder, QUERY), _views(folder, GALLERY)
    identities = np.unique(np.concatenate([query.vehicles, gallery.vehicles]))
    if (count := int((identities >= 0).sum())) < 2:
        raise InputError(f"{folder} shows {count} vehicle; at least 2 are needed to be told apart.")
    return EvaluationSet(folder.resolve().name, query, gallery, across_cameras)


def _flat(folder: Path, across_cameras: bool) -> EvaluationSet:
    """Return pictures alone as a set: all are queries, and all the gallery of those by other cameras."""
    if folder.name.startswith("image_"):
        raise InputError(
            f"{folder} has no folder image_{QUERY}; it is a part of a set itself: name {folder.parent}."
        )
    files = list_pictures(folder)
    seen = np.array([_seen(path, Label()) for path in files], np.int64)
    types = tuple(kind if (kind := path.stem.split("_")[-1]) in TYPES else UNKNOWN for path in files)
    views = Views(
        names=tuple(path.name for path in files),
        vehicles=seen[:, 0],
        cameras=seen[:, 1],
        read=lambda index: read_picture(files[index]),
        types=types if any(types) else None,
    )
    vehicles, cameras = (len(np.unique(column)) for column in seen.T)
    if min(vehicles, cameras) < 2:
        raise InputError(
            f"{folder}: pictures of {vehicles} {'vehicle' if vehicles == 1 else 'vehicles'} by {cameras} "
            f"{'camera' if cameras == 1 else 'cameras'}; without image_{QUERY} and image_{GALLERY}, what one "
            "camera saw is looked up in what others saw: at least 2 of both are needed."
        )
    return EvaluationSet(folder.resolve().name, views, views, True, between_cameras=across_cameras)


def _has_pictures(folder: Path) -> bool:
    return folder.is_dir() and any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())


def _views(folder: Path, part: str) -> Views:
    files = _pictures(folder, part)
    names = [path.name for path in files]
    labels = _labels(folder, part, names)
    told = [labels.get(name, Label()) for name in names]
    seen = [_seen(path, label) for path, label in zip(files, told, strict=True)]
    colors = tuple(UNKNOWN if label.color is None else COLORS[label.color] for label in told)
    types = tuple(UNKNOWN if label.type is None else TYPES[label.type] for label in told)
    posed = any(label.units is not None for label in told)
    blank, no_size = np.zeros((NUM_KEYPOINTS, 3), np.float32), np.ones(2, np.float32)
    return Views(
        names=tuple(names),
        vehicles=np.array([vehicle for vehicle, _ in seen], np.int64),
        cameras=np.array([camera for _, camera in seen], np.int64),
        read=lambda index: read_picture(files[index]),
        colors=colors if any(colors) else None,
        types=types if any(types) else None,
        keypoints=np.stack([_or(label.units, blank) for label in told]) if posed else None,
        sizes=np.stack([_or(label.size, no_size) for label in told]) if posed else None,
    )


def _labels(folder: Path, part: str, names: Sequence[str]) -> dict[str, Label]:
    """Return what is known of the pictures; VeRi's queries may stand in the gallery's labels alone."""
    labels = read_labels(folder, part)
    known = set(names)
    strangers = [name for name in labels if name not in known]
    if strangers:
        raise InputError(f"{folder}: the labels name {strangers[0]!r}, which is not in image_{part}.")
    if not labels and part == QUERY:
        gallery = read_labels(folder, GALLERY)
        return {name: gallery[name] for name in names if name in gallery}
    return labels


def _seen(path: Path, label: Label) -> tuple[int, int]:
    """Return vehicle and camera of a picture: from its name as in VeRi, or from its label as in CityFlow."""
    match = _NAME.match(path.name)
    if match is not None:
        return int(match[1]), int(match[2])
    if label.vehicle is None or label.camera is None:
        raise InputError(
            f"{printable(path)}: the name tells no vehicle and camera; expected such as "
            "0002_c013_00030605_0.jpg, or both in query_label.xml and test_label.xml, as in CityFlow."
        )
    return label.vehicle, label.camera


def _or(value: NDArray[np.float32] | None, other: NDArray[np.float32]) -> NDArray[np.float32]:
    return other if value is None else value


def _pictures(folder: Path, part: str) -> list[Path]:
    place = folder / f"image_{part}"
    if not place.is_dir():
        raise InputError(
            f"{folder} has no folder image_{part}; expected a test set as VeRi's, with image_{QUERY} and "
            f"image_{GALLERY}, such as `pamtri synth --split test` makes."
        )
    return list_pictures(place)
