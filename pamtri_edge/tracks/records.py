# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of one's own: objects with a track id and a box, in lists, one a line, or within their frames.

The names of their keys are those of `columns.py`; a box is four keys, an object of four, or a list. The frame
stands beside the box, in an object around it, or is the key of one ("12": [...]), or the place of a list in a
list of lists, which is how results of Ultralytics are gathered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pamtri_edge.tracks.columns import Columns, is_frame_name, named_columns
from pamtri_edge.tracks.rows import BadRowError
from pamtri_edge.tracks.seen import Layout, Seen

_FRAME: Final = "frame"


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
    rows = [[_cell(record.get(key)) for key in keys] for record in found]
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


def _records(value: Any, frame: object = None) -> Iterator[dict[str, Any]]:
    """Give the innermost objects, each flat and with its frame."""
    if isinstance(value, list):
        for place, part in enumerate(value):
            yield from _records(part, place if frame is None and isinstance(part, list) else frame)
    elif isinstance(value, dict):
        inner = {key: part for key, part in value.items() if _holds_objects(part)}
        if inner:
            own = next(
                (part for key, part in value.items() if is_frame_name(key) and key not in inner), frame
            )
            for key, part in inner.items():
                yield from _records(part, int(key) if key.isascii() and key.isdigit() else own)
        else:
            flat = dict(_flat(value))
            if frame is not None and not any(map(is_frame_name, flat)):
                flat[_FRAME] = frame
            yield flat


def _holds_objects(value: Any) -> bool:
    if isinstance(value, list):
        return any(
            isinstance(part, dict | list) and (isinstance(part, dict) or _holds_objects(part))
            for part in value
        )
    return isinstance(value, dict) and any(
        _holds_objects(part) or isinstance(part, dict) for part in value.values()
    )


def _flat(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", part) for inner, part in value.items())
        else:
            yield key, value


def _cell(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
