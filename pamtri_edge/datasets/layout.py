# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Names and places of a data set on disk: VeRi's folders and the original's CSV files.

The vehicle id, the camera and the view of a picture stand in its file name, as in VeRi:
`0001_c003_00000017_0.jpg` is vehicle 1 as camera 3 sees it, its view 17. The original reads the camera out
of the three digits behind the first "c", and expects the rows of a CSV in the order of the file names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pamtri_edge.vehicle import COLORS, TYPES
from pamtri_edge.words import Split

MANIFEST_FILE: Final = "manifest.json"
"""Written last: a folder that has it is complete."""

MAX_CAMERA: Final = 999
"""The largest camera number that three digits hold."""

JUNK: Final = -1
"""Stands for a vehicle that nobody knows: neither learned from nor looked for."""

DISTRACTOR: Final = 0
"""Stands for any vehicle that no query shows, in the names of a gallery."""

_IMAGES: Final = "image_"  # what folders of pictures begin with
_NAME: Final = re.compile(r"^(-?\d+)[_-]c(?:am(?:era)?)?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One folder of pictures with its labels: `train`, `query` or `test`."""

    name: str

    @property
    def images(self) -> str:
        """Folder of the pictures."""
        return f"{_IMAGES}{self.name}"

    @property
    def masks(self) -> str:
        """Folder of the part masks, PNG files that are named like the pictures."""
        return f"parts_{self.name}"

    @property
    def reid_csv(self) -> str:
        """The original's labels for re-identification."""
        return f"label_{self.name}.csv"

    @property
    def xml(self) -> str:
        """VeRi's and CityFlow's own labels."""
        return f"{self.name}_label.xml"

    @property
    def pose_csv(self) -> str:
        """The original's labels for its pose network."""
        return f"pose_{self.name}.csv"

    @property
    def coco(self) -> str:
        """All labels as COCO keypoints."""
        return f"coco_{self.name}.json"

    @property
    def parquet(self) -> str:
        """All labels as a table."""
        return f"labels_{self.name}.parquet"


TRAIN: Final = Part("train")
QUERY: Final = Part("query")
GALLERY: Final = Part("test")

PARTS: Final[dict[Split, tuple[Part, ...]]] = {Split.TRAIN: (TRAIN,), Split.TEST: (QUERY, GALLERY)}
"""The parts of each split."""


def image_name(vehicle: int, camera: int, view: int, *, digits: int = 4) -> str:
    """Return the file name of a picture.

    Args:
        vehicle: the vehicle's id, 1 or more.
        camera: the camera's number, 1..999.
        view: number of the view of this vehicle, 0 or more.
        digits: of the vehicle's id; more where a data set has ids above 9999, so that names keep the
            order of the ids.
    """
    return f"{vehicle:0{digits}d}_c{camera:03d}_{view:08d}_0.jpg"


def part_in(folder: str) -> Part | None:
    """Return the part whose pictures a folder of this name holds; None for other names."""
    part = Part(folder.removeprefix(_IMAGES))
    return part if part.images == folder else None


def told_by_name(name: str) -> tuple[int, int] | None:
    """Return vehicle and camera that stand in a file name as `image_name` makes it; None if none do.

    Junk has a vehicle below 0, distractors have 0, as in Market-1501.
    """
    match = _NAME.match(name)
    return None if match is None else (int(match[1]), int(match[2]))


def mask_name(image: str) -> str:
    """Return the file name of a picture's part mask."""
    return str(Path(image).with_suffix(".png"))


def color_id(name: str) -> int:
    """Return VeRi's id of a color, 1..10."""
    return COLORS.index(name) + 1


def type_id(name: str) -> int:
    """Return VeRi's id of a type, 1..9."""
    return TYPES.index(name) + 1
