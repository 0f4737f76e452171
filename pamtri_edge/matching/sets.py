# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The events of a file as they are compared: who each is, and all embeddings as one array."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from pamtri_edge.errors import InputError
from pamtri_edge.events import Event, parse_utc, read_events
from pamtri_edge.gallery import Embeddings
from pamtri_edge.matching.rules import Seen, Span
from pamtri_edge.printable import printable
from pamtri_edge.processors import available_processors
from pamtri_edge.signals import leave_to_parent
from pamtri_edge.spawned import ProcessError, spawned

_LARGE: Final = 2**24
"""Bytes of events, 16 MiB: some 20,000, a second's work; a process takes a third of one to start."""


@dataclass(frozen=True, eq=False)
class EventSet:
    """The events of one file, one a track.

    Attributes:
        seen: each, in the order in which its track came first.
        embeddings: theirs, in that order.
        updates: events that a later one of the same camera and track took the place of.
        renewed: how many of these began at another time, so that they were hardly of one vehicle.
        below_gate: events left out because no view was good enough.
        outside: events left out because they are outside the span of time.
        path: the file.
    """

    seen: tuple[Seen, ...]
    embeddings: Embeddings
    updates: int
    renewed: int
    below_gate: int
    outside: int
    path: Path


def read_event_set(path: Path, *, gate: bool = True, span: Span | None = None) -> EventSet:
    """Read the events of a file for comparing, line by line, without keeping the lines.

    Of several events of one camera and track the last counts, since a stream writes an update of what it
    wrote before.

    Args:
        path: the file.
        gate: leave out events of which no view was good enough.
        span: leave out events that begin at other times.

    Raises:
        InputError: the file cannot be read, a line is no event, there are none (left), or their embeddings
            are of several spaces or lengths.
    """
    rows: dict[tuple[str, int], int] = {}
    seen: list[Seen] = []
    inside: list[bool] = []
    vectors = array("f")
    updates = renewed = 0
    first: Event | None = None
    for event in read_events(path):
        first = first or event
        _require_alike(path, first, event)
        one = _seen(event)
        vector = array("f", event.embedding)
        row = rows.setdefault((one.camera, one.track_id), len(seen))
        if row == len(seen):
            seen.append(one)
            inside.append(span is None or span.holds(event))
            vectors.extend(vector)
        else:
            updates += 1
            renewed += one.start_s != seen[row].start_s
            seen[row] = one
            inside[row] = span is None or span.holds(event)
            vectors[row * len(vector) : (row + 1) * len(vector)] = vector
    if first is None:
        raise InputError(f"{path} holds no events; was any vehicle seen?")
    good = np.array([not (gate and one.below_gate) for one in seen])
    within = np.array(inside)
    used = good & within
    if not used.any():
        which = "the one event is" if len(seen) == 1 else f"all {len(seen)} events are"
        if not within.any():
            raise InputError(f"{path}: {which} outside --from and --until.")
        outside = "" if within.all() else " or outside --from and --until"
        raise InputError(
            f"{path}: {which} below the gate{outside} (no view "
            "was large, whole and clear enough to be trusted); --no-gate compares them all the same."
        )
    table = np.frombuffer(vectors, np.float32).reshape(len(seen), -1)
    return EventSet(
        tuple(one for one, keep in zip(seen, used, strict=True) if keep),
        Embeddings.of_space(table if used.all() else table[used], first.embedding_space),
        updates,
        renewed,
        int((within & ~good).sum()),
        int((~within).sum()),
        path,
    )


def read_event_sets(paths: Sequence[Path], *, gate: bool = True, span: Span | None = None) -> list[EventSet]:
    """Read several files as `read_event_set` does; large ones side by side, each in a process of its own.

    Raises:
        InputError: as `read_event_set`, for the first file that is refused.
    """
    read = partial(read_event_set, gate=gate, span=span)
    workers = min(len(paths), available_processors())
    if workers < 2 or sum(path.stat().st_size for path in paths if path.is_file()) < _LARGE:
        return [read(path) for path in paths]
    try:
        with spawned(workers, leave_to_parent) as pool:
            return list(pool.map(read, paths))
    except ProcessError:  # more slowly, then
        return [read(path) for path in paths]


def _seen(event: Event) -> Seen:
    color, kind = (None if one is None else sys.intern(one.label) for one in (event.color, event.type))
    posix = None if event.start_utc is None else parse_utc(event.start_utc).timestamp()
    camera = sys.intern(event.camera)
    return Seen(camera, event.track_id, event.start_s, event.below_gate, color, kind, posix)


def _require_alike(path: Path, first: Event, event: Event) -> None:
    if event.embedding_space != first.embedding_space:
        spaces = [
            f"{one.embedding_space!r} (bundle {printable(one.bundle)}, camera {printable(one.camera)})"
            for one in (first, event)
        ]
        raise InputError(
            f"the events in {path} are of several embedding spaces: {spaces[0]} and {spaces[1]}. Embeddings "
            "of different weights do not compare; run all videos with one bundle."
        )
    if len(event.embedding) != len(first.embedding):
        raise InputError(
            f"{path}: the embedding of track {event.track_id} of camera {printable(event.camera)} has "
            f"{len(event.embedding)} numbers, those before have {len(first.embedding)}; expected one length."
        )
