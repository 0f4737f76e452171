# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the pictures of a data set are: in the folders of VeRi, of Market-1501, or a folder a vehicle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pamtri_edge.datasets.layout import GALLERY, QUERY, TRAIN, Part
from pamtri_edge.pictures import SUFFIXES
from pamtri_edge.printable import printable

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    TRAIN.name: (TRAIN.images, "bounding_box_train", "train"),
    QUERY.name: (QUERY.images, "query", "probe"),
    GALLERY.name: (GALLERY.images, "bounding_box_test", "gallery", "test"),
}
"""What folders of pictures are called, VeRi's way first."""

_CAMERA: Final = re.compile(r"(?:^|[_-])c(?:am(?:era)?)?(\d+)", re.IGNORECASE)
_OTHERS: Final = re.compile(
    r"(images?|imgs?|pictures?|frames?|crops?|annotated|masks?|labels?|parts|bounding|train|test|val|valid|query|"
    r"gallery|probe|c(am(era)?)?[_-]?\d+)([_-].*)?$",
    re.IGNORECASE,
)
"""What folders are called that are not a vehicle's."""

_LEAST_VEHICLES: Final = 2
_LISTS: Final = "train_test_split"  # of VehicleID and VERI-Wild
_SHOWN: Final = 5


def pictures_of(folder: Path, part: Part) -> Path:
    """Return the folder of a part's pictures, in small or capital letters; VeRi's where there is none."""
    inside = {each.name.casefold(): each for each in subfolders(folder)}
    return next((inside[name] for name in _NAMES[part.name] if name in inside), folder / part.images)


def vehicle_folders(place: Path) -> list[Path]:
    """Return the folders of a place that has one of pictures for each vehicle; none where it is not so."""
    if has_pictures(place):
        return []
    found = [each for each in subfolders(place) if has_pictures(each)]
    known = any(_OTHERS.match(each.name) for each in found)
    return [] if known or len(found) < _LEAST_VEHICLES else found


def camera_named(path: Path) -> int | None:
    """Return the camera that the name of a picture in its vehicle's folder tells, as `c012_7.jpg`."""
    found = _CAMERA.search(path.stem)
    return None if found is None else int(found[1])


def has_pictures(folder: Path) -> bool:
    """Tell whether pictures lie directly in a folder."""
    return folder.is_dir() and any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in the order of their names."""
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def what_is_there(folder: Path) -> str:
    """Say what is in the place of a data set, and where one is inside it, for a message."""
    if not folder.is_dir():
        return "is a file" if folder.exists() else "is not there"
    inner = [
        each for each in subfolders(folder) if pictures_of(each, QUERY).is_dir() or vehicle_folders(each)
    ]
    if inner:
        return f"is no set itself; name {printable(inner[0])}"
    if (folder / _LISTS).is_dir():
        return f"tells its vehicles in the lists of {_LISTS}, which are not read"
    names = sorted(each.name for each in folder.iterdir())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"holds {', '.join(map(printable, names[:_SHOWN]))}{more}" if names else "is empty"
