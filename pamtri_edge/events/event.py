# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The event: one JSON object for each tracked vehicle, and the file of them (one line an event)."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.compiled import decisions
from pamtri_edge.errors import InputError
from pamtri_edge.events.fields import (
    are_finite,
    brief,
    count,
    number,
    numbers,
    optional,
    require_text,
    typed,
)
from pamtri_edge.files.text import text_lines
from pamtri_edge.printable import counted
from pamtri_edge.words import EmbeddingFormat

GATE_REASONS: Final = {
    "small": "its shorter side has too few pixels (--min-size)",
    "cut": "the border of the frame cuts it",
    "covered": "another vehicle's box covers too much of it",
    "pose-unsure": "the network is not sure of its keypoints",
}
"""Why a view is below the gate: the words of `Event.below_gate_reason`, and what they mean."""

SCHEMA: Final = 1
"""The newest form of event that this release reads; it also writes this one."""

_YEAR_S: Final = 366 * 86_400.0

_UNIT_TOLERANCE: Final = 5e-3  # float16 moves the length by up to 5e-4; anything beyond is no unit vector

_LONGEST_LINE: Final = 2**24  # characters; an event has some thousands


@dataclass(frozen=True)
class Attribute:
    """A class of the vehicle: its color or its type.

    Attributes:
        label: the most probable class.
        probability: its probability.
        all: the probability of every class, in the order of the bundle's class names.
    """

    label: str
    probability: float
    all: Mapping[str, float]


@dataclass(frozen=True)
class FrameCounts:
    """In how many frames the track was seen, and how many of its views were embedded."""

    seen: int
    embedded: int


@dataclass(frozen=True, kw_only=True)
class Event:
    """One tracked vehicle.

    Attributes:
        camera: which camera saw it.
        track_id: number of the track, unique within a camera's run; up to 64 bits. In JSON it also stands as
            the string `track_id_str`, since JavaScript, jq and others round numbers above 2**53.
        start_s: time of its first frame, in seconds of the stream.
        end_s: time of its last frame.
        start_utc: the same as ISO 8601 in UTC, where the clock of the stream is known; else None.
        end_utc: likewise.
        frames: how often it was seen and embedded.
        below_gate: no view was good enough; the best few were embedded all the same.
        below_gate_reason: why the best view is below the gate, in words of `GATE_REASONS`; empty where it is
            not, and in events of earlier releases.
        box: x1, y1, x2, y2 of the best view: the rectangle that was cut, in frame pixels.
        color: None where the bundle gives none.
        type: None where the bundle gives none.
        embedding: unit vector, fused over the embedded views.
        keypoints: (x, y, confidence) of the best view, x and y in frame pixels; None without a pose network.
        quality: pose quality of the best view, 0 to 1; None without a pose network.
        embedding_space: id of the weights; embeddings compare only within one space.
        bundle: name of the bundle.
        schema: form of the event.

    Raises:
        InputError: a value that no event can have.
    """

    camera: str
    track_id: int
    start_s: float
    end_s: float
    start_utc: str | None
    end_utc: str | None
    frames: FrameCounts
    below_gate: bool
    box: tuple[float, float, float, float]
    color: Attribute | None
    type: Attribute | None
    embedding: tuple[float, ...]
    keypoints: tuple[tuple[float, float, float], ...] | None
    quality: float | None
    embedding_space: str
    bundle: str
    schema: int = SCHEMA
    below_gate_reason: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Messages are made where they are needed alone: large sites read millions of events.
        if self.schema != SCHEMA:
            raise InputError(f"schema is {self.schema}; this release reads {SCHEMA}.")
        if not 0 <= self.track_id < 2**64:
            raise InputError(f"track_id is {brief(self.track_id)}; expected 0 or more, within 64 bits.")
        if not (math.isfinite(self.start_s) and self.start_s <= self.end_s < math.inf):
            raise InputError(f"it lasts from {self.start_s} s to {self.end_s} s; expected start_s <= end_s.")
        x1, y1, x2, y2 = self.box
        if not (x1 < x2 < math.inf and y1 < y2 < math.inf and min(x1, y1) > -math.inf):
            raise InputError(f"box is {self.box}; expected x1 < x2 and y1 < y2.")
        length = math.hypot(*self.embedding)
        if not abs(length - 1.0) <= _UNIT_TOLERANCE:
            raise InputError(f"embedding has length {length:g}; expected a unit vector.")
        if not (self.quality is None or 0.0 <= self.quality <= 1.0):
            raise InputError(f"quality is {self.quality}; expected 0 to 1.")
        for name, utc in (("start_utc", self.start_utc), ("end_utc", self.end_utc)):
            if utc is not None and _parse_utc(utc) is None:
                raise InputError(f"{name} is {utc!r}; expected ISO 8601.")
        for name, attribute in (("color", self.color), ("type", self.type)):
            if attribute is not None and attribute.label not in attribute.all:
                raise InputError(f"{name}.label is none of the classes in {name}.all.")

    @property
    def vector(self) -> NDArray[np.float32]:
        """The embedding as a (D,) float32 array."""
        return np.array(self.embedding, np.float32)

    def to_json(self, *, embedding_format: EmbeddingFormat = "list") -> str:
        """Return the event as one line of JSON, without a line end.

        Raises:
            InputError: a number that is not finite, or text that UTF-8 cannot hold.
        """
        line: str = decisions().event_json(self, embedding_format == "base64")
        return line

    @staticmethod
    def from_json(text: str, *, source: str = "event") -> Event:
        """Read an event.

        Args:
            text: one JSON object. Fields that this release does not know are left out.
            source: how errors call it.

        Raises:
            InputError: not JSON, a newer schema, a missing field or a value of another type.
        """
        try:
            record = json.loads(text)
        except RecursionError:
            raise InputError(f"{source} is nested too deep for an event.") from None
        except ValueError as error:
            raise InputError(f"{source} is not JSON ({error}).") from None
        if not isinstance(record, dict):
            raise InputError(f"{source} is a {type(record).__name__}; expected a JSON object.")
        try:
            return _event(record)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None


_NAMES: Final = dict.fromkeys(
    field.name for field in dataclasses.fields(Event) if field.default is dataclasses.MISSING
)


def to_protobuf(events: Sequence[Event]) -> bytes:
    """Return events of one camera as one protobuf message, as DeepStream's message converters write them.

    The message is an `nv.Frame`, each event an `nv.Object` of it: the track's number in `id`, the embedding
    in `embedding`, color, type and all that the schema has no field for as text in `info`.

    Raises:
        InputError: no events, those of several cameras, a number that is not finite, or text that UTF-8
            cannot hold.
    """
    message: bytes = decisions().events_protobuf(list(events))
    return message


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def utc_text(start: datetime | None, seconds: float) -> str | None:
    """Return the moment `seconds` after `start` as ISO 8601 in UTC.

    None where `start` is None, or the moment is past an end of the calendar.
    """
    if start is None:
        return None
    try:
        since = start.astimezone(timezone.utc) - _EPOCH
    except (OverflowError, ValueError):  # an end of the calendar, in its own time zone
        return None
    text: str | None = decisions().utc_text(since // timedelta(microseconds=1), seconds)
    return text


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 moment; one without an offset is taken as UTC.

    Raises:
        InputError: it is not ISO 8601, or less than a year from an end of the calendar.
    """
    moment = _parse_utc(text)
    if moment is not None and None in (utc_text(moment, -_YEAR_S), utc_text(moment, _YEAR_S)):
        raise InputError(f"{text!r} is too near to an end of the calendar; expected a year from 2 to 9998.")
    if moment is None:
        raise InputError(f"{text!r} is no ISO 8601 date and time; expected such as 2026-05-31T08:00:00Z.")
    return moment


class EventWriter:
    """Writes events to a file, each as one whole line at once, so that a reader never sees half of one.

    Args:
        path: the file; what is in it is replaced.
        embedding_format: see `EmbeddingFormat`.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: Path, *, embedding_format: EmbeddingFormat = "list") -> None:
        self.path = path
        self.count = 0
        self._format = embedding_format
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error

    def write(self, event: Event) -> None:
        """Append one event.

        Raises:
            InputError: the disk is full or gone; the file then ends with the last whole line.
        """
        line = event.to_json(embedding_format=self._format).encode() + b"\n"
        start = self._file.tell()
        try:
            written = self._file.write(line)
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            os.ftruncate(self._file.fileno(), start)
            raise InputError(
                f"{self.path} cannot be written on: {error.strerror}. It holds "
                f"{counted(self.count, 'event')}."
            ) from error
        self.count += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_TABLES: Final = (".csv", ".parquet", ".npz")


def read_events(path: str | Path) -> Iterator[Event]:
    """Read a file of events (JSON Lines), one after the other.

    Raises:
        InputError: the file cannot be read, or a line is no event; the message names the line.
    """
    if Path(path).suffix in _TABLES:
        raise InputError(
            f"{path} is a table for other programs; events are read from .jsonl, such as the events.jsonl "
            "that pamtri run writes beside its tables."
        )
    for row, line in text_lines(
        path, expected="an events.jsonl of pamtri run", longest=_LONGEST_LINE, error=InputError
    ):
        if line.isspace():
            continue
        try:
            yield Event.from_json(line, source=f"{path}:{row}")
        except InputError as error:
            raise InputError(f"{error}{_hint(line)}") from None


def _hint(line: str) -> str:
    """Return what may be done about a line that is no event; "" where its error says enough."""
    start, end = line.lstrip()[:1], line.rstrip()[-1:]
    if start == "[" or line.strip() == "{":
        return " Each event stands on a line of its own; jq -c '.[]' writes a list so, jq -c . others."
    if start == "{" and end != "}" and not line.endswith("\n"):
        return " The file ends within this line: it was cut off there. Take the line out."
    return ""


def _event(record: dict[str, Any]) -> Event:
    schema = record.get("schema")
    if schema is None:
        raise InputError("the line has no schema, as every event has; expected what pamtri run writes.")
    if schema != SCHEMA:
        raise InputError(
            f"schema is {schema!r}; this release reads {SCHEMA}. Newer events need a newer release."
        )
    if not record.keys() >= _NAMES.keys():
        missing = [name for name in _NAMES if name not in record]
        raise InputError(f"without {', '.join(missing)}; an event has {', '.join(_NAMES)}.")
    frames = typed(record, "frames", dict)
    return Event(
        schema=SCHEMA,
        camera=typed(record, "camera", str),
        track_id=_track_id(record),
        start_s=number(record["start_s"], "start_s"),
        end_s=number(record["end_s"], "end_s"),
        start_utc=optional(record, "start_utc", str),
        end_utc=optional(record, "end_utc", str),
        frames=FrameCounts(count(frames, "seen"), count(frames, "embedded")),
        below_gate=typed(record, "below_gate", bool),
        box=_four(numbers(record["box"], "box")),
        color=_attribute(record, "color"),
        type=_attribute(record, "type"),
        embedding=_embedding(record["embedding"]),
        keypoints=_keypoints(record["keypoints"]),
        quality=None if record["quality"] is None else number(record["quality"], "quality"),
        embedding_space=typed(record, "embedding_space", str),
        bundle=typed(record, "bundle", str),
        below_gate_reason=_reasons(record.get("below_gate_reason", [])),
    )


def _reasons(value: Any) -> tuple[str, ...]:
    """Return the reasons; those of a later release, which are unknown here, too."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise InputError(f"below_gate_reason is {brief(value)}; expected a list of strings.")
    for word in value:
        require_text(word, "below_gate_reason")
    return tuple(value)


def _track_id(record: Mapping[str, Any]) -> int:
    """Return the exact id: of the string, where there is one, as the number may have been rounded."""
    exact = record.get("track_id_str")
    if exact is None:
        return typed(record, "track_id", int)
    if not isinstance(exact, str) or re.fullmatch(r"\d{1,20}", exact, re.ASCII) is None:
        raise InputError(f"track_id_str is {brief(exact)}; expected a whole number as a string.")
    if float(int(exact)) != number(record["track_id"], "track_id"):
        raise InputError(
            f"track_id is {brief(record['track_id'])}, but track_id_str {brief(exact)}; expected the same."
        )
    return int(exact)


def _four(values: tuple[float, ...]) -> tuple[float, float, float, float]:
    if len(values) != 4:
        raise InputError(f"box has {len(values)} numbers; expected x1, y1, x2, y2.")
    return values[0], values[1], values[2], values[3]


def _attribute(record: Mapping[str, Any], name: str) -> Attribute | None:
    fields = optional(record, name, dict)
    if fields is None:
        return None
    classes = typed(fields, "all", dict)
    if not "".join(classes).isascii():
        for label in classes:
            require_text(label, f"a class of {name}.all")
    if not are_finite(classes.values()):
        classes = {label: number(p, f"{name}.all[{label!r}]") for label, p in classes.items()}
    return Attribute(
        typed(fields, "label", str), number(fields.get("probability"), f"{name}.probability"), classes
    )


def _embedding(value: Any) -> tuple[float, ...]:
    if not isinstance(value, str):
        return numbers(value, "embedding")
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError as error:  # its own `binascii.Error`, or characters beyond ASCII
        raise InputError(f"embedding is no base64 ({error}).") from None
    if len(raw) % 2 or not raw:
        raise InputError(f"embedding has {len(raw)} bytes; expected float16 values.")
    vector = np.frombuffer(raw, "<f2").astype(np.float64)
    length = math.sqrt(float(vector @ vector))
    if abs(length - 1.0) <= _UNIT_TOLERANCE:  # undo what float16 did to the length, but heal nothing else
        vector = vector / length
    return tuple(vector.tolist())


def _keypoints(value: Any) -> tuple[tuple[float, float, float], ...] | None:
    if value is None:
        return None
    rows = [numbers(row, "keypoints") for row in value] if isinstance(value, list) else []
    if not rows or any(len(row) != 3 for row in rows):
        raise InputError(f"keypoints is {brief(value)}; expected a list of [x, y, confidence].")
    return tuple((x, y, confidence) for x, y, confidence in rows)


def _parse_utc(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z") + ("+00:00" if text.endswith("Z") else ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
