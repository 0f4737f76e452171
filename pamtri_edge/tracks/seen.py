# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the readers of JSON give: a box as a layout has it, before anything of it is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.printable import counted

PICTURE: Final = re.compile(r".*?(\d{1,18})(?:\.[A-Za-z0-9]{1,5})?", re.ASCII | re.DOTALL)
"""The name of a picture, which ends with its number."""


@dataclass(frozen=True)
class Seen:
    """A box of a layout of JSON.

    Attributes:
        frame: number of its frame, as the file counts.
        track: id of its track.
        box: x1, y1, x2, y2.
        kind: name of its class.
        score: confidence.
    """

    frame: object
    track: object
    box: Sequence[object]
    kind: object = None
    score: object = None


@dataclass(frozen=True)
class Layout:
    """What a layout says of a file.

    Attributes:
        seen: its boxes.
        first_frame: number of the first frame; None where the boxes alone tell.
        relative: boxes are in parts of the picture.
    """

    seen: Iterable[Seen]
    first_frame: int | None = 0
    relative: bool = False


def check_one(videos: Collection[str], path: Path) -> None:
    """Refuse a file of several videos.

    Raises:
        SourceError: it has them.
    """
    if len(videos) > 1:
        raise SourceError(
            f"{path} holds {counted(len(videos), 'video')}; expected the tracks of one. Give each a file of "
            "its own."
        )


def first_frame(frames: Iterable[int]) -> int | None:
    """Return the number of the first frame where frames begin with it; None where the boxes must tell."""
    first = min(frames, default=0)
    return first if first in (0, 1) else None


def text_of(value: object) -> str:
    """Return a value of JSON as a table has it: "" for null."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float):
        return repr(value)
    return "" if value is None else json.dumps(value)


def first_of(record: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """Return the first of the values that is there and not None."""
    return next((record[key] for key in keys if record.get(key) is not None), None)


def corners(sizes: object) -> Sequence[object]:
    """Return x1, y1, x2, y2 of x, y, width, height; nothing where these are no four numbers."""
    if not isinstance(sizes, list) or len(sizes) != 4:
        return ()
    if not all(isinstance(one, int | float) for one in sizes):
        return ()
    x, y, w, h = sizes
    return (x, y, x + w, y + h) if w > 0 and h > 0 else (x, y, x, y)


def picture_numbers(names: Sequence[object]) -> list[int]:
    """Return the numbers that names of pictures end with; their places where some have none, or two one."""
    found = [PICTURE.fullmatch(name) if isinstance(name, str) else None for name in names]
    numbers = [int(one[1]) for one in found if one]
    return numbers if len(set(numbers)) == len(names) else list(range(len(names)))


def records_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; none of what is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
