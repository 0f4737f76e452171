# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events as tables: a file of events as CSV or Parquet, a row an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import InputError
from pamtri_edge.events import Event, read_events
from pamtri_edge.files.tables import import_pyarrow, write_table

FORMATS: Final = ("jsonl", "csv", "parquet")
"""Forms of events. JSON Lines are written as vehicles come, the others when a run ends."""

_COLUMNS: Final[Mapping[str, tuple[str, Callable[[Event], Any]]]] = {
    "camera": ("text", lambda event: event.camera),
    "track_id": ("count", lambda event: event.track_id),
    "start_s": ("number", lambda event: event.start_s),
    "end_s": ("number", lambda event: event.end_s),
    "start_utc": ("text", lambda event: event.start_utc),
    "end_utc": ("text", lambda event: event.end_utc),
    "frames_seen": ("count", lambda event: event.frames.seen),
    "frames_embedded": ("count", lambda event: event.frames.embedded),
    "below_gate": ("flag", lambda event: event.below_gate),
    "below_gate_reason": ("text", lambda event: " ".join(event.below_gate_reason)),
    "x1": ("number", lambda event: event.box[0]),
    "y1": ("number", lambda event: event.box[1]),
    "x2": ("number", lambda event: event.box[2]),
    "y2": ("number", lambda event: event.box[3]),
    "color": ("text", lambda event: None if event.color is None else event.color.label),
    "color_probability": ("number", lambda event: None if event.color is None else event.color.probability),
    "type": ("text", lambda event: None if event.type is None else event.type.label),
    "type_probability": ("number", lambda event: None if event.type is None else event.type.probability),
    "quality": ("number", lambda event: event.quality),
    "embedding": ("vector", lambda event: event.embedding),
    "keypoints": ("points", lambda event: event.keypoints),
    "embedding_space": ("text", lambda event: event.embedding_space),
    "bundle": ("text", lambda event: event.bundle),
}
"""Of each column its kind, and what an event has in it."""


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
    columns = {name: kind for name, (kind, _) in _COLUMNS.items()}
    return [
        write_table(events.with_suffix(f".{name}"), columns, map(_row, read_events(events)))
        for name in formats
    ]


def _row(event: Event) -> dict[str, Any]:
    return {name: of(event) for name, (_, of) in _COLUMNS.items()}
