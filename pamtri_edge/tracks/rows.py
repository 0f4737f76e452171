# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of a track file as they are read: columns of numbers, and a count of what could not be used."""

from __future__ import annotations

import logging
import math
import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, Final, ParamSpec

from pamtri_edge.tracks.lines import is_number

_log = logging.getLogger(__name__)

Row = ParamSpec("Row")

UNTRACKED: Final = 2**64 - 1  # UNTRACKED_OBJECT_ID of DeepStream's nvdsmeta.h

NO_SIZE: Final = "with a box without a size or far off any picture"
NO_ID: Final = "without a track id"
EARLY: Final = "before the first frame"
UNREADABLE: Final = "that cannot be read"

LATEST_FRAME: Final = 2**31 - 1
_FAR: Final = 2.0**24  # no picture is as large, and whole numbers in float32 end here

_WHOLE: Final = re.compile(r"([+-]?\d{1,40})(\.0*)?", re.ASCII)
_PICTURE: Final = re.compile(
    r".*?(\d{1,18})\.(?:jpe?g|png|bmp|tiff?|webp)", re.ASCII | re.IGNORECASE | re.DOTALL
)

_NONE: Final = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "-"})
"""What tables have in the place of an id that is missing."""


class BadRowError(ValueError):
    """A row that is none of the layout's; the text says what was found and what is expected."""


@dataclass
class Count:
    """How often something was found, and where first: what it is and what was wrong there."""

    rows: int = 0
    first: str = ""


@dataclass
class Rows:
    """What was read of one track file or folder.

    Typed columns, not objects: an hour of a busy street is some two million boxes.

    Attributes:
        path: the file or folder.
        first_frame: number that it gives to the first frame.
        relative: boxes are in parts of the picture, 0 to 1.
        unit: what `lines` counts where these are no lines, such as "box ".
        files: the files that rows are of, in order.
        labels: the classes found, numbers or names, in order.
        skipped: rows that were left out while reading, by reason.
        frames: number of the frame, as the file counts, of each row.
        ids: track ids.
        boxes: x1, y1, x2, y2, four numbers a row.
        scores: confidence; NaN where there is none.
        kinds: place of the class in `labels`; -1 where there is none.
        tails: the two columns after the class, two numbers a row; NaN where there are none.
        lines: number of the line.
        places: place of the file in `files`.
    """

    path: Path
    first_frame: int
    relative: bool = False
    unit: str = ""
    files: list[Path] = field(default_factory=list)
    labels: list[int | str] = field(default_factory=list)
    skipped: dict[str, Count] = field(default_factory=dict)
    frames: array[int] = field(default_factory=lambda: array("q"))
    ids: array[int] = field(default_factory=lambda: array("Q"))
    boxes: array[float] = field(default_factory=lambda: array("d"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    kinds: array[int] = field(default_factory=lambda: array("q"))
    tails: array[float] = field(default_factory=lambda: array("d"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    places: array[int] = field(default_factory=lambda: array("q"))
    _codes: dict[int | str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames)

    def add(
        self,
        line: int,
        frame: int,
        track_id: int | None,
        box: tuple[float, float, float, float],
        *,
        score: float = math.nan,
        kind: int | str | None = None,
        tail: tuple[float, float] = (math.nan, math.nan),
    ) -> None:
        """Add a row of the last of `files`; one that cannot be used is counted instead."""
        x1, y1, x2, y2 = box
        # Written so that NaN fails it.
        if not (-_FAR < x1 < x2 < _FAR and -_FAR < y1 < y2 < _FAR):
            shown = ", ".join(f"{value:g}" for value in box)
            self.skip(NO_SIZE, line, f"the box has the corners ({shown})")
        elif track_id is None:
            self.skip(
                NO_ID,
                line,
                "the track id is negative or missing; files without ids hold detections, not tracks: run a "
                "tracker first, or use --detector",
            )
        else:
            self.frames.append(frame)
            self.ids.append(track_id)
            self.boxes.extend(box)
            self.scores.append(score)
            self.kinds.append(-1 if kind is None else self._code(kind))
            self.tails.extend(tail)
            self.lines.append(line)
            self.places.append(len(self.files) - 1)

    def read(
        self, add: Callable[Concatenate[Rows, int, Row], None], line: int, *row: Row.args, **how: Row.kwargs
    ) -> None:
        """Have `add` read and add a row of the last of `files`; one that is none is counted instead."""
        try:
            add(self, line, *row, **how)
        except BadRowError as error:
            self.skip(UNREADABLE, line, str(error))

    def skip(self, reason: str, line: int, found: str) -> None:
        """Count a row of the last of `files` that is left out."""
        count = self.skipped.setdefault(reason, Count())
        count.rows += 1
        count.first = count.first or f"{self.files[-1]}:{self.unit}{line}: {found}"

    def where(self, row: int) -> str:
        """Return file and line of a row."""
        return f"{self.files[self.places[row]]}:{self.unit}{self.lines[row]}"

    def classify(self, row: int, kind: int) -> None:
        """Give a row that has no class one."""
        self.kinds[row] = self._code(kind)

    def _code(self, kind: int | str) -> int:
        code = self._codes.get(kind)
        if code is None:
            code = self._codes[kind] = len(self.labels)
            self.labels.append(kind)
        return code


def number(cell: str, what: str) -> float:
    """Read a number, which may be infinite or none at all (`nan`).

    Raises:
        BadRowError: it is no number.
    """
    try:
        return float(cell)
    except ValueError:
        raise BadRowError(f"{what} is {brief(cell)}; expected a number") from None


def whole(cell: str, what: str) -> int:
    """Read a whole number, which may be written as "3.0".

    Raises:
        BadRowError: it is none.
    """
    if match := _WHOLE.fullmatch(cell):
        return int(match[1])  # exactly: DeepStream's ids fill 64 bits, which a float would round
    value = number(cell, what)
    if not math.isfinite(value) or value != int(value):
        raise BadRowError(f"{what} is {brief(cell)}; expected a whole number")
    return int(value)


def frame_number(cell: str) -> int:
    """Read the number of a frame, which the name of a picture ends with where that stands in its place.

    Raises:
        BadRowError: it is no whole number, or too large for any video.
    """
    picture = _PICTURE.fullmatch(cell)
    frame = whole(picture[1] if picture else cell, "the frame")
    if not -LATEST_FRAME <= frame <= LATEST_FRAME:
        raise BadRowError(f"the frame is {brief(cell)}; expected a number up to {LATEST_FRAME}")
    return frame


def told_first_frame(path: Path, least: int | None, asked: int | None) -> int:
    """Return the number of the first frame: as asked for, else 1, or 0 where the file has a frame 0."""
    if asked is not None:
        return asked
    if least != 0:
        return 1
    _log.warning("%s counts frames from 0, as it has a frame 0; --first-frame says otherwise", path)
    return 0


def track_number(cell: str) -> int | None:
    """Read a track id; None where it stands for an object without a track.

    Raises:
        BadRowError: it is no whole number, or does not fit 64 bits.
    """
    track = whole(cell, "the track id")
    if track > UNTRACKED:
        raise BadRowError(f"the track id {brief(cell)} does not fit 64 bits")
    return None if track < 0 or track == UNTRACKED else track


def class_of(cell: str) -> int | str | None:
    """Return the number or name of a class; None for what stands for none."""
    try:
        value = float(cell)
    except ValueError:
        return cell or None
    return int(value) if 0 <= value < 2**31 and value == int(value) else None


def brief(cell: str) -> str:
    """Return a cell in quotes, shortened, without control characters."""
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}...")


class Identities:
    """Tells the number of a track by the id that a file writes, which may be a name: "car_7", a UUID.

    Numbers stay as they are. Where the first id is none, ids are names, and get numbers from 1 on in the
    order in which they come.

    Args:
        path: the file, for messages.
        ids: its ids, as written.
    """

    def __init__(self, path: Path, ids: Iterable[str]) -> None:
        self._path = path
        self._numbers: dict[str, int] | None = None
        for cell in ids:
            if cell.casefold() not in _NONE:
                self._numbers = None if is_number(cell) else {}
                return

    def number(self, cell: str) -> int | None:
        """Return the number of an id; None where it stands for none.

        Raises:
            BadRowError: ids are numbers, and this is none.
        """
        if cell.casefold() in _NONE:
            return None
        if self._numbers is None:
            return track_number(cell)
        if not self._numbers:
            _log.warning(
                "%s: track ids are names; their numbers are from 1 on, as they come: %s is 1",
                self._path, brief(cell),
            )  # fmt: skip
        return self._numbers.setdefault(cell, len(self._numbers) + 1)
