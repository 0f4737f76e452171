# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of one's own: objects with a track id and a box, in lists, one a line, or within their frames.

The names of their keys are those of `columns.py`; a box is four keys, an object of four, or a list. The
frame stands beside the box, in an object around it, or is the key of one ("12": [...]), or the place of a
list in a list of lists, as results of Ultralytics are gathered. So does the track whose boxes are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pamtri_edge.tracks.columns import Columns, holds, named_columns
from pamtri_edge.tracks.json_layouts import Layout, Seen, text_of
from pamtri_edge.tracks.rows import BadRowError

_FRAME: Final = "frame"
_TRACK: Final = "track_id"
_OF_OPENDATACAM: Final = "bearing"  # whose x and y are those of the middle, too
_CENTERS: Final = {"x": "center_x", "y": "center_y"}


def records_layout(value: Any, path: Path) -> Layout | None:
    """Return the boxes of objects with keys of known names; None where there are none.

    Raises:
        SourceError: objects have boxes and frames, but no track ids.
    """
    found = list(_records(value))
    if not found:
        return None
    # What one record lacks another may have: trackers leave the id out where there is none.
    keys = list(dict.fromkeys(key for record in found for key in record))
    columns = named_columns(keys, path)
    if columns is None:
        return None
    rows = [[text_of(record.get(key)) for key in keys] for record in found]
    columns.check_source(rows, path)
    columns = columns.settled(rows)
    return Layout(_seen(rows, columns), first_frame=None)


def _seen(rows: list[list[str]], columns: Columns) -> Iterator[Seen]:
    for cells in rows:
        try:
            box: Sequence[float] = columns.box(columns.numbers(cells))
        except BadRowError:
            box = ()
        kind = None if columns.kind is None else cells[columns.kind]
        score = None if columns.score is None else cells[columns.score]
        yield Seen(cells[columns.frame], cells[columns.track], box, kind, score)


@dataclass(frozen=True)
class _Around:
    """What the objects and lists around an object tell of it.

    Attributes:
        frame: number of its frame, or the name of its picture; None where that is not told.
        track: names and values of the id and the class of its track, where this is outside of its frames.
        key: number of the innermost key that is one.
        centers: x and y are those of its middle.
    """

    frame: object = None
    track: tuple[tuple[str, Any], ...] = ()
    key: int | None = None
    centers: bool = False


def _records(value: Any, around: _Around = _Around()) -> Iterator[dict[str, Any]]:
    """Give the innermost objects, each flat and with its frame and track."""
    if isinstance(value, list):
        for place, part in enumerate(value):
            counts = around.frame is None and isinstance(part, list)
            yield from _records(part, replace(around, frame=place) if counts else around)
        return
    if not isinstance(value, dict):
        return
    inner = {key: part for key, part in value.items() if _holds_objects(part)}
    if not inner:
        yield _whole(dict(_flat(value)), around)
        return
    own = {key: part for key, part in value.items() if not isinstance(part, dict | list)}
    frame = next((part for key, part in own.items() if holds(key, "frame")), None)
    if frame is not None:
        around = replace(around, frame=frame)
    elif around.frame is None and any(holds(key, "track") for key in own):
        told = tuple((key, part) for key, part in own.items() if holds(key, "track", "kind"))
        around = replace(around, track=told)
    for key, part in inner.items():
        number = int(key) if key.isascii() and key.isdigit() else around.key
        # What Roboflow predicts has its middle as x and y.
        yield from _records(part, replace(around, key=number, centers=around.centers or key == "predictions"))


def _whole(record: dict[str, Any], around: _Around) -> dict[str, Any]:
    """Return an object with what those around it tell and it does not."""
    if (around.centers or _OF_OPENDATACAM in record) and {"x", "y"} <= record.keys():
        record = {_CENTERS.get(key, key): part for key, part in record.items()}
    framed, tracked = (any(holds(key, role) for key in record) for role in ("frame", "track"))
    if not tracked:
        record = {**dict(around.track), **record}
    frame = around.frame
    if not framed and frame is None:
        frame = around.key
    elif framed and not tracked and not around.track and around.key is not None:
        record[_TRACK] = around.key
    return record if framed or frame is None else {**record, _FRAME: frame}


def _holds_objects(value: Any) -> bool:
    if isinstance(value, list):
        return any(
            isinstance(part, dict) or (isinstance(part, list) and _holds_objects(part)) for part in value
        )
    return isinstance(value, dict) and any(
        isinstance(part, dict) or _holds_objects(part) for part in value.values()
    )


def _flat(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", part) for inner, part in value.items())
        else:
            yield key, value
