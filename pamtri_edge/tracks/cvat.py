# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""CVAT's XML for videos: an element a track with its label, in it a box a frame (from 0)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks.classes import named_classes
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.elements import parse_elements
from pamtri_edge.tracks.rows import UNREADABLE, BadRowError, Rows, frame_number, number, track_number
from pamtri_edge.tracks.sets import TrackSet

_FORM: Final = "expected CVAT's for videos: <annotations> <track id label> <box frame xtl ytl xbr ybr>"
_SIDES: Final = ("xtl", "ytl", "xbr", "ybr")


def is_cvat(lines: list[str]) -> bool:
    """Tell whether the first lines of an XML file are CVAT's."""
    return any("<annotations" in line for line in lines)


def read_cvat(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read an XML file of CVAT; see `pamtri_edge.tracks.read_tracks`."""
    rows = Rows(path, first_frame=0 if first_frame is None else first_frame, files=[path])
    track: dict[str, str] = {}
    images = 0

    def start(name: str, attributes: dict[str, str], line: int) -> None:
        nonlocal images
        images += name == "image"
        if name == "track":
            track.clear()
            track.update(attributes)
        # A box that is marked as outside is where the vehicle was last, not where it is.
        if name == "box" and track and attributes.get("outside", "0") != "1":
            try:
                _add(rows, line, track, attributes)
            except BadRowError as error:
                rows.skip(UNREADABLE, line, str(error))

    def end(name: str, line: int) -> None:
        if name == "track":
            track.clear()

    parse_elements(path, start, end, form=_FORM)
    if not len(rows) and not rows.skipped:
        found = ". Boxes in images are no tracks: annotate a video, in track mode" if images else ""
        raise SourceError(f"{path} holds no tracks; {_FORM}{found}.")
    known = named_classes("by their names", {label: str(label) for label in rows.labels})
    return collect(rows, known, classes, flagged=False, corners=False)


def _add(rows: Rows, line: int, track: dict[str, str], box: dict[str, str]) -> None:
    frame, track_id = frame_number(box.get("frame", "")), track_number(track.get("id", ""))
    x1, y1, x2, y2 = (number(box.get(side, ""), side) for side in _SIDES)
    rows.add(line, frame, track_id, (x1, y1, x2, y2), kind=track.get("label") or None)
