# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events as tables: a file of events as CSV or Parquet, a row an event."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import InputError
from pamtri_edge.events import Event, read_events
from pamtri_edge.table_files import Columns, import_pyarrow, write_table

FORMATS: Final = ("jsonl", "csv", "parquet")
"""Forms of events. JSON Lines are written as vehicles come, the others when a run ends."""

COLUMNS: Final[Columns] = {
    "camera": "text",
    "track_id": "count",
    "start_s": "number",
    "end_s": "number",
    "start_utc": "text",
    "end_utc": "text",
    "frames_seen": "count",
    "frames_embedded": "count",
    "below_gate": "flag",
    "below_gate_reason": "text",
    "x1": "number",
    "y1": "number",
    "x2": "number",
    "y2": "number",
    "color": "text",
    "color_probability": "number",
    "type": "text",
    "type_probability": "number",
    "quality": "number",
    "embedding": "vector",
    "keypoints": "points",
    "embedding_space": "text",
    "bundle": "text",
}


def check_formats(given: Iterable[str]) -> tuple[str, ...]:
    """Return the forms that are wanted beside JSON Lines, each once.

    Raises:
        InputError: a form that is not known.
        MissingDependencyError: Parquet is wanted and pyarrow is not installed.
    """
    wanted = tuple(dict.fromkeys(given))
    for name in wanted:
        if name not in FORMATS:
            raise InputError(f"the format is {name!r}; accepted: {', '.join(FORMATS)}, several with commas.")
    if "parquet" in wanted:
        import_pyarrow(what="the format parquet", instead="or name other formats: jsonl,csv")
    return tuple(name for name in wanted if name != "jsonl")


def write_event_tables(events: Path, formats: Iterable[str]) -> list[Path]:
    """Write a file of events in other forms beside it; return the paths.

    Args:
        events: the file of JSON Lines.
        formats: "csv", "parquet".

    Raises:
        InputError: the events cannot be read, or a table cannot be written.
        MissingDependencyError: pyarrow is not installed.
    """
    return [
        write_table(events.with_suffix(f".{name}"), COLUMNS, map(_row, read_events(events)))
        for name in formats
    ]


def _row(event: Event) -> dict[str, Any]:
    return {
        "camera": event.camera,
        "track_id": event.track_id,
        "start_s": event.start_s,
        "end_s": event.end_s,
        "start_utc": event.start_utc,
        "end_utc": event.end_utc,
        "frames_seen": event.frames.seen,
        "frames_embedded": event.frames.embedded,
        "below_gate": event.below_gate,
        "below_gate_reason": " ".join(event.below_gate_reason),
        **dict(zip(("x1", "y1", "x2", "y2"), event.box, strict=True)),
        "color": None if event.color is None else event.color.label,
        "color_probability": None if event.color is None else event.color.probability,
        "type": None if event.type is None else event.type.label,
        "type_probability": None if event.type is None else event.type.probability,
        "quality": event.quality,
        "embedding": event.embedding,
        "keypoints": event.keypoints,
        "embedding_space": event.embedding_space,
        "bundle": event.bundle,
    }
