# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""UA-DETRAC's annotations: an XML file a video, with frames (from 1), targets, boxes and vehicle types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks.classes import ClassList
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.elements import parse_elements
from pamtri_edge.tracks.rows import UNREADABLE, BadRowError, Rows, frame_number, number, track_number
from pamtri_edge.tracks.sets import TrackSet

_FORM: Final = "expected UA-DETRAC's: <sequence> <frame num> <target id> <box left top width height>"


def read_detrac(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a file of UA-DETRAC; see `pamtri_edge.tracks.read_tracks`."""
    reader = _Reader(path, 1 if first_frame is None else first_frame)
    parse_elements(path, reader.start, reader.end, form=_FORM)
    rows = reader.rows
    if not len(rows) and reader.pictured:
        raise SourceError(
            f"{path} holds Pascal VOC's boxes of a picture, which are no tracks; give the tracks of a video, "
            "or use --detector."
        )
    if not len(rows) and not rows.skipped:
        raise SourceError(f"{path} holds no tracks; {_FORM}.")
    # Whatever its type, the data set's targets are vehicles.
    known = ClassList("as UA-DETRAC's types", {k: str(k) for k in rows.labels}, frozenset(rows.labels))
    return collect(rows, known, classes, flagged=False, corners=False)


class _Reader:
    """Gathers rows as the elements come; regions to be ignored lie outside of targets."""

    def __init__(self, path: Path, first_frame: int) -> None:
        self.rows = Rows(path, first_frame=first_frame, files=[path])
        self._frame: str | None = None
        self._target: dict[str, str] | None = None
        self._box: dict[str, str] | None = None
        self._kind: str | None = None
        self.pictured = False

    def start(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Take in the start of an element."""
        if name == "frame":
            self._frame = attributes.get("num")
        elif name == "target":
            self._target, self._box, self._kind = attributes, None, None
        elif name == "box" and self._target is not None:
            self._box = attributes
        elif name == "attribute" and self._target is not None:
            self._kind = attributes.get("vehicle_type")
        elif name == "bndbox":  # Pascal VOC
            self.pictured = True

    def end(self, name: str, line: int) -> None:
        """Take in the end of an element."""
        if name == "frame":
            self._frame = None
        if name != "target" or self._target is None:
            return
        target, self._target = self._target, None
        try:
            self._add(target, line)
        except BadRowError as error:
            self.rows.skip(UNREADABLE, line, str(error))

    def _add(self, target: dict[str, str], line: int) -> None:
        if self._frame is None:
            raise BadRowError("a target outside of a frame with a number")
        if self._box is None or not {"left", "top", "width", "height"} <= self._box.keys():
            raise BadRowError("a target without a box of left, top, width, height")
        frame, track = frame_number(self._frame), track_number(target.get("id", ""))
        x, y, w, h = (number(self._box[side], side) for side in ("left", "top", "width", "height"))
        box = (x, y, x + w, y + h) if w > 0 and h > 0 else (x, y, x, y)
        self.rows.add(line, frame, track, box, kind=self._kind)
