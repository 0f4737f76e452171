# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks in JSON: which layout it is, and from its boxes to rows."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import SourceError
from pamtri_edge.files.regular import open_regular
from pamtri_edge.files.strict_json import read_json
from pamtri_edge.tracks.collect import collect
from pamtri_edge.tracks.json_layouts import (
    Layout,
    Seen,
    coco_layout,
    label_studio_layout,
    scalabel_layout,
    text_of,
)
from pamtri_edge.tracks.lines import is_number
from pamtri_edge.tracks.records import records_layout
from pamtri_edge.tracks.rows import (
    NO_ID,
    BadRowError,
    Identities,
    Rows,
    brief,
    class_of,
    frame_number,
    number,
)
from pamtri_edge.tracks.sets import TrackSet

_log = logging.getLogger(__name__)

_READ: Final = (
    "read are COCO's with track ids, Scalabel's (BDD100K), Label Studio's of a video, and objects with a "
    "frame, a track id and a box (x1, y1, x2, y2, or x, y, width, height). Else export MOTChallenge's layout"
)
_PEEK: Final = 256
_MOST_BYTES: Final = 2**29
_NAMED: Final = 6


def is_json(path: Path) -> bool:
    """Tell whether a file begins as JSON does.

    Raises:
        SourceError: it is no regular file, or cannot be read.
    """
    with open_regular(path, error=SourceError) as file:
        return _decoded(file.read(_PEEK)).lstrip().startswith(("{", "["))


def read_json_tracks(path: Path, *, classes: Iterable[str] | None, first_frame: int | None) -> TrackSet:
    """Read a JSON file of any layout; see `pamtri_edge.tracks.read_tracks`."""
    value = _value(path)
    try:
        layout = _layout(value, path)
        seen = list(layout.seen)
    except RecursionError:
        raise SourceError(f"{path} is nested too deep to be tracks; {_READ}.") from None
    rows = Rows(path, first_frame=0, files=[path], relative=layout.relative, unit="box ")
    ids = Identities(path, (text_of(one.track) for one in seen))
    for place, one in enumerate(seen, 1):
        rows.read(_add, place, one, ids)
    first = layout.first_frame if first_frame is None else first_frame
    rows.first_frame = min((1, *rows.frames)) if first is None else first
    return collect(rows, classes)


def _layout(value: Any, path: Path) -> Layout:
    for known in (coco_layout, scalabel_layout, label_studio_layout):
        if (found := known(value, path)) is not None:
            return found
    try:
        found = records_layout(value, path)
    except SourceError as error:
        raise SourceError(f"{error} Of JSON {_READ}.") from None
    if found is None:
        raise SourceError(f"{path} is JSON that holds no tracks in a known way ({_shape(value)}); {_READ}.")
    return found


def _value(path: Path) -> Any:
    """Return what a file says, or the list of what its lines say."""
    with open_regular(path, error=SourceError) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise SourceError(
            f"{path} has more than {_MOST_BYTES >> 20} MiB of JSON; give the tracks of one video."
        )
    text = _decoded(content)
    try:
        try:
            return read_json(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data":
                raise
            return [read_json(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise SourceError(f"{path} looks like JSON, but is not: {error}.") from None


def _decoded(content: bytes) -> str:
    """Return the text of bytes in whichever form of Unicode JSON may have."""
    return content.decode(json.detect_encoding(content), "replace")


def _add(rows: Rows, place: int, one: Seen, ids: Identities) -> None:
    if one.frame is None:
        raise BadRowError("the frame is not told")
    frame, track = frame_number(text_of(one.frame)), ids.number(text_of(one.track))
    if track is None:
        rows.skip(NO_ID, place, "there is no track id")
        return
    if len(one.box) != 4:
        raise BadRowError("there is no box of four numbers")
    x1, y1, x2, y2 = (number(text_of(side), "a side of the box") for side in one.box)
    score = text_of(one.score)
    rows.add(
        place,
        frame,
        track,
        (x1, y1, x2, y2),
        score=float(score) if is_number(score) else math.nan,
        kind=class_of(text_of(one.kind)),
    )


def _shape(value: Any) -> str:
    """Say what a JSON text is, for messages."""
    if isinstance(value, list):
        return (
            f"a list of {len(value)}, the first of which is {_shape(value[0])}" if value else "an empty list"
        )
    if isinstance(value, dict):
        keys = ", ".join(brief(key) for key in islice(value, _NAMED)) + (
            ", ..." if len(value) > _NAMED else ""
        )
        return f"an object with the keys {keys}" if value else "an empty object"
    return "a text" if isinstance(value, str) else "a number or a constant"
