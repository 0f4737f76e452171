# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import errno
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri_edge.errors import InputError
from pamtri_edge.events import (
    Attribute,
    Event,
    EventWriter,
    FrameCounts,
    parse_utc,
    read_events,
    utc_text,
)
from properties import tries


def _unit(size: int = 64, seed: int = 3) -> tuple[float, ...]:
    vector = np.random.default_rng(seed).normal(size=size)
    return tuple(np.round(vector / np.linalg.norm(vector), 7).tolist())


def _event(**changes: Any) -> Event:
    event = Event(
        camera="north",
        track_id=2**63 + 1,
        start_s=1.25,
        end_s=3.5,
        start_utc="2026-05-31T08:00:01.250Z",
        end_utc="2026-05-31T08:00:03.500Z",
        frames=FrameCounts(seen=30, embedded=3),
        below_gate=False,
        box=(10.0, 20.0, 110.0, 80.0),
        color=Attribute("red", 0.75, {"red": 0.75, "blue": 0.25}),
        type=None,
        embedding=_unit(),
        keypoints=((11.5, 22.0, 0.9), (0.0, 0.0, -0.01)),
        quality=0.42,
        embedding_space="sha256:0123",
        bundle="lite-fp32",
    )
    return dataclasses.replace(event, **changes)


def _record(**changes: Any) -> str:
    return json.dumps({**json.loads(_event().to_json()), **changes})


def test_an_event_survives_json() -> None:
    bare = {"color": None, "keypoints": None, "quality": None, "start_utc": None, "end_utc": None}
    for event in (_event(), _event(**bare)):
        line = event.to_json()
        assert "\n" not in line
        assert Event.from_json(line) == event


def test_the_fields_are_those_that_every_producer_writes() -> None:
    record = json.loads(_event().to_json())
    assert " ".join(record) == (
        "schema camera track_id track_id_str start_s end_s start_utc end_utc frames below_gate box color "
        "type embedding keypoints quality embedding_space bundle below_gate_reason"
    )
    assert record["frames"] == {"seen": 30, "embedded": 3}
    assert record["color"] == {"label": "red", "probability": 0.75, "all": {"red": 0.75, "blue": 0.25}}


def test_base64_holds_the_embedding_in_half_precision() -> None:
    event = _event(embedding=_unit(1024))
    line = event.to_json(embedding_format="base64")
    back = Event.from_json(line)
    assert isinstance(json.loads(line)["embedding"], str)
    assert len(line) < 0.5 * len(event.to_json())
    assert float(back.vector @ event.vector) > 0.999999
    assert np.linalg.norm(back.vector) == pytest.approx(1.0, abs=1e-6)
    assert dataclasses.replace(back, embedding=event.embedding) == event


def test_an_id_of_64_bits_survives_programs_that_round_numbers() -> None:
    record = json.loads(_event().to_json())
    assert record["track_id_str"] == "9223372036854775809"
    rounded = json.dumps({**record, "track_id": float(record["track_id"])})
    assert Event.from_json(rounded) == _event()
    del record["track_id_str"]  # as earlier releases wrote it
    assert Event.from_json(json.dumps(record)) == _event()


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 10**30), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner)),
    max_leaves=6,
)


@settings(max_examples=tries(150), deadline=None)
@given(changes=st.dictionaries(st.sampled_from(sorted(json.loads(_event().to_json()))), _JSON, min_size=1))
def test_whatever_a_line_holds_no_other_error_leaves_the_reader(changes: dict[str, Any]) -> None:
    try:
        event = Event.from_json(_record(**changes))
    except InputError:
        return
    assert event.to_json().encode()


def test_fields_of_later_releases_are_left_out() -> None:
    assert Event.from_json(_record(plate="B 1234")) == _event()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is a list; expected a JSON object"),
        (_record(schema=2), "schema is 2; this release reads 1"),
        (json.dumps({"schema": 1, "camera": "a"}), "without track_id, start_s"),
        (_record(camera=3), "camera is 3; expected a string"),
        (_record(track_id=True, track_id_str=None), "track_id is true; expected a whole number"),
        (_record(track_id=-1, track_id_str=None), "track_id is -1; expected 0 or more"),
        (_record(track_id=10**300, track_id_str=None), "track_id is 10{56}.*; expected 0 or more, within 64"),
        (_record(track_id=7), 'track_id is 7, but track_id_str "9223372036854775809"'),
        (_record(track_id_str="7e3"), 'track_id_str is "7e3"; expected a whole number as a string'),
        (_record(end_s=10**400), "end_s is 10{56}.*; expected a finite number"),
        (_record(camera="\ud800"), "camera is .*; expected text without halves of surrogate pairs"),
        (_record(embedding="\u00e9" * 4), "embedding is no base64"),
        (_record(embedding=[1e200, 1e200]), "embedding has length 1.41421e\\+200"),
        ("[" * 100_000, "is nested too deep for an event"),
        (_record(start_s="soon"), 'start_s is "soon"; expected a finite number'),
        (_record(end_s=1.0), "it lasts from 1.25 s to 1.0 s"),
        (_record(start_utc="yesterday"), "start_utc is 'yesterday'; expected ISO 8601"),
        (_record(frames={"seen": 3}), "embedded is missing; expected a whole number"),
        (_record(frames={"seen": -3, "embedded": 1}), "frames.seen is -3"),
        (_record(below_gate=0), "below_gate is 0; expected true or false"),
        (_record(box=[1, 2, 3]), "box has 3 numbers; expected x1, y1, x2, y2"),
        (_record(box=[9, 2, 3, 4]), "expected x1 < x2 and y1 < y2"),
        (
            _record(color={"label": "red", "probability": 1.0, "all": {}}),
            "color.label is none of the classes",
        ),
        (_record(embedding=[1.0, 1.0]), "embedding has length 1.41421; expected a unit vector"),
        (_record(embedding=[]), "embedding has length 0; expected a unit vector"),
        (_record(embedding="AA="), "embedding is no base64"),
        (_record(embedding="AAAA"), "embedding has 3 bytes; expected float16 values"),
        (_record(keypoints=[[1, 2]]), r"keypoints is \[\[1, 2\]\]; expected a list of \[x, y, confidence\]"),
        (_record(quality=1.5), "quality is 1.5; expected 0 to 1"),
    ],
)
def test_what_is_no_event_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Event.from_json(text)


def test_infinite_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="expected x1 < x2"):
        _event(box=(0.0, 0.0, float("inf"), 1.0))
    with pytest.raises(InputError, match="expected a finite number"):
        Event.from_json(_event().to_json().replace('"start_s":1.25', '"start_s":NaN'))


def test_a_file_of_events_reads_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    events = [_event(track_id=track) for track in (3, 1, 2)]
    with EventWriter(path) as writer:
        for count, event in enumerate(events, 1):
            writer.write(event)
            assert list(read_events(path)) == events[:count]  # as soon as it is written
    assert writer.count == 3


def test_a_full_disk_leaves_only_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.write(_event())
    monkeypatch.setattr(writer, "_file", _FullDisk(writer._file, room=100))
    with pytest.raises(InputError, match=r"No space left on device\. It holds 1 event\."):
        writer.write(_event(track_id=2))
    writer.close()
    assert list(read_events(path)) == [_event()]


class _FullDisk:
    """A file that takes `room` more bytes, then fails as a full disk does."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self._room = room

    def write(self, data: bytes) -> int:
        if self._room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = int(self._file.write(data[: self._room]))
        self._room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{_record()}\n\n{_record()[:50]}", r"jsonl:3 is not JSON .*ends within this line: it was cut off"),
        ("[{}]", r"jsonl:1 is .*on a line of its own; jq -c"),
        (json.dumps({"schema": 1}, indent=1), r"jsonl:1 is .*on a line of its own; jq -c"),
        ('{"name": "a.jpg"}', r"jsonl:1: the line has no schema, .*expected what pamtri run writes"),
        ("\ufeff\0", r"events\.jsonl is not a text file: it is UTF-16; save it as UTF-8"),
        (None, r"events\.jsonl cannot be read: No such file"),
    ],
    ids=["cut", "a list", "several lines", "another record", "UTF-16", "absent"],
)
def test_a_line_that_is_no_event_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "events.jsonl"
    if content is not None:
        path.write_bytes(content.encode("utf-16-le" if "\0" in content else "utf-8"))
    with pytest.raises(InputError, match=message):
        list(read_events(path))
    with pytest.raises(InputError, match=r"events\.csv is a table for other programs; .*\.jsonl"):
        list(read_events(path.with_suffix(".csv")))


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        EventWriter(tmp_path / "absent" / "events.jsonl")


def test_moments_are_written_in_utc() -> None:
    start = datetime(2026, 5, 31, 10, 0, tzinfo=timezone(timedelta(hours=2)))
    assert utc_text(start, 1.25) == "2026-05-31T08:00:01.250Z"
    assert utc_text(None, 1.25) is None


def test_moments_are_read_with_and_without_an_offset() -> None:
    for text in ("08:00:00Z", "08:00:00", "10:00:00+02:00", "08:00"):
        assert parse_utc(f"2026-05-31T{text}") == datetime(2026, 5, 31, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0001-01-01T00:00:00+14:00", "too near to an end of the calendar"),
        ("0001-06-01", "too near to an end of the calendar"),
        ("9999-12-31T23:59:59Z", "too near to an end of the calendar; expected a year from 2 to 9998"),
        ("9999-01-02T00:00:00-23:59", "too near to an end of the calendar"),
        ("noon", "'noon' is no ISO 8601 date and time"),
    ],
)
def test_what_is_no_moment_or_at_an_end_of_the_calendar_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_utc(text)


def test_a_moment_past_the_end_of_the_calendar_is_none() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    assert utc_text(last, 0.5) == "9999-12-31T23:59:59.500Z"
    assert utc_text(last, 2.0) is None
    assert utc_text(last, 1e300) is None
    assert utc_text(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), 0.0) is None


def test_an_event_of_an_earlier_release_has_no_reasons_and_a_later_one_may_have_others() -> None:
    record = json.loads(_record(below_gate=True))
    del record["below_gate_reason"]
    assert Event.from_json(json.dumps(record)).below_gate_reason == ()
    record["below_gate_reason"] = ["small", "foggy"]
    assert Event.from_json(json.dumps(record)).below_gate_reason == ("small", "foggy")
    for wrong in ("small", [1], {"small": True}):
        with pytest.raises(InputError, match=r"below_gate_reason is .*; expected a list of strings"):
            Event.from_json(json.dumps(record | {"below_gate_reason": wrong}))
