# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the core writes of events, beside Python's own json and google's protobuf."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import random
import struct
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.events import Attribute, Event, FrameCounts, to_protobuf, utc_text

NAMES = ["red", "blue", "größer", 'quo"te', "back\\slash", "tab\tline\n\x01\x7f", "🚗", ""]


def number(rng: random.Random) -> float:
    """Return a number: round, long, tiny, huge, or any bits that are finite."""
    kind = rng.randrange(6)
    if kind == 0:
        return float(rng.randrange(-(10 ** rng.randrange(1, 18)), 10**17))
    if kind == 1:
        return round(rng.uniform(-1, 1), rng.randrange(1, 9))
    if kind == 2:
        return rng.uniform(-1, 1) * 10.0 ** rng.randrange(-320, 300)
    if kind == 3:
        return rng.choice(
            [0.0, -0.0, 1e16, 1e15, 9999999999999998.0, 1e-4, 1e-5, 5e-324, 2.0**-1074 * 3, 1e22]
        )
    value = struct.unpack("<d", rng.randbytes(8))[0]
    return value if math.isfinite(value) else 0.5


def event(seed: int) -> Event:
    rng = random.Random(seed)

    def attribute() -> Attribute | None:
        labels = rng.sample(NAMES, rng.randrange(1, len(NAMES)))
        if rng.random() < 0.2:
            return None
        return Attribute(labels[0], number(rng), {label: number(rng) for label in labels})

    low = sorted((number(rng), number(rng)))
    size = rng.randrange(1, 40)
    direction = np.random.default_rng(seed).normal(size=size)
    left, top = (rng.uniform(-1e4, 1e4) for _ in range(2))
    return Event(
        camera=rng.choice(NAMES),
        track_id=rng.choice([0, 7, 2**53 + 1, 2**63 + 1, 2**64 - 1]),
        start_s=low[0],
        end_s=low[1],
        start_utc=rng.choice([None, "2026-05-31T08:00:01.250Z"]),
        end_utc=rng.choice([None, "2026-05-31T08:00:03.500Z"]),
        frames=FrameCounts(rng.randrange(2**40), rng.randrange(9)),
        below_gate=rng.random() < 0.5,
        below_gate_reason=tuple(rng.sample(["small", "cut", "covered"], rng.randrange(3))),
        box=(left, top, left + rng.uniform(1, 99), top + rng.uniform(1, 99)),
        color=attribute(),
        type=attribute(),
        embedding=tuple((direction / np.linalg.norm(direction)).tolist()),
        keypoints=None if rng.random() < 0.2 else tuple((number(rng),) * 3 for _ in range(rng.randrange(5))),
        quality=rng.choice([None, 0.0, 1.0, 0.4321]),
        embedding_space=rng.choice(NAMES),
        bundle=rng.choice(NAMES),
    )


def by_python(event: Event, *, short: bool = False) -> str:
    """Return the line as json.dumps writes it."""
    fields = dataclasses.asdict(event)
    record: dict[str, Any] = {"schema": event.schema, "camera": event.camera, "track_id": event.track_id}
    record |= {"track_id_str": str(event.track_id), **fields}
    record["below_gate_reason"] = list(event.below_gate_reason)
    if short:
        record["embedding"] = base64.b64encode(event.vector.astype("<f2").tobytes()).decode("ascii")
    return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def test_events_are_written_as_pythons_json_writes_them() -> None:
    for seed in range(300):
        one = event(seed)
        assert one.to_json() == by_python(one)
        assert one.to_json(embedding_format="base64") == by_python(one, short=True)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e16)
@example(9999999999999998.0)
@example(-1e-05)
@example(123456789.125)
def test_a_number_is_written_as_python_shows_it(value: float) -> None:
    one = dataclasses.replace(event(0), keypoints=((value, 0.0, 0.0),))
    assert f'"keypoints":[[{value!r},0.0,0.0]]' in one.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"keypoints": ((math.nan, 0.0, 0.0),)},
        {"color": Attribute("red", math.inf, {"red": 1.0})},
        {"type": Attribute("suv", 1.0, {"suv": math.nan})},
        {"camera": "half \ud800"},
        {"type": Attribute("suv", 1.0, {"suv": 1.0, "\udfff": 0.0})},
    ],
    ids=str,
)
def test_what_json_cannot_hold_is_refused_by_its_name(changes: dict[str, Any]) -> None:
    (name,) = changes
    with pytest.raises(InputError, match=rf"({name}|a label) of an event (holds a number|is no text)"):
        dataclasses.replace(event(0), **changes).to_json()
    with pytest.raises(InputError):
        to_protobuf([dataclasses.replace(event(0), **changes)])


@given(st.datetimes(), st.floats(-1e9, 1e9) | st.integers(-10, 10).map(lambda half: half * 5e-7))
def test_moments_are_those_of_pythons_calendar(start: datetime, seconds: float) -> None:
    start = start.replace(tzinfo=timezone.utc)
    try:
        expected = (start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")[:-6] + "Z"
    except OverflowError:
        assert utc_text(start, seconds) is None
    else:
        assert utc_text(start, seconds) == expected


def frames() -> Any:
    """Return the class of `nv.Frame`, of a schema with the field numbers of DeepStream's."""
    pytest.importorskip("google.protobuf", reason="google's protobuf reads what is written")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from google.protobuf.timestamp_pb2 import Timestamp

    assert Timestamp.DESCRIPTOR.name == "Timestamp"  # which the pool then knows
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="nv.proto", package="nv", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")

    def message(name: str, fields: dict[str, tuple[int, Any, bool]]) -> Any:
        made = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            one = made.field.add(name=field, number=number)
            one.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if isinstance(kind, str):
                one.type, one.type_name = kinds.TYPE_MESSAGE, kind
            else:
                one.type = kind
        return made

    def with_info(made: Any, number: int) -> None:
        entry = made.nested_type.add(name="InfoEntry")
        entry.options.map_entry = True
        for at, name in enumerate(("key", "value"), 1):
            entry.field.add(name=name, number=at, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
        made.field.add(
            name="info",
            number=number,
            type=kinds.TYPE_MESSAGE,
            type_name=f".nv.{made.name}.InfoEntry",
            label=kinds.LABEL_REPEATED,
        )

    text, real = kinds.TYPE_STRING, kinds.TYPE_FLOAT
    message(
        "Frame",
        {
            "version": (1, text, False),
            "id": (2, text, False),
            "timestamp": (3, ".google.protobuf.Timestamp", False),
            "sensorId": (4, text, False),
            "objects": (5, ".nv.Object", True),
        },
    )
    thing = message(
        "Object",
        {
            "id": (1, text, False),
            "bbox": (2, ".nv.Bbox", False),
            "type": (3, text, False),
            "confidence": (4, real, False),
            "embedding": (6, ".nv.Embedding", False),
            "pose": (7, ".nv.Pose", False),
        },
    )
    with_info(thing, 5)
    sides = ("leftX", "topY", "rightX", "bottomY")
    message("Bbox", {name: (at, real, False) for at, name in enumerate(sides, 1)})
    with_info(message("Embedding", {"vector": (1, real, True)}), 2)
    message("Pose", {"type": (1, text, False)})
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nv.Frame"))


def test_protobuf_is_read_as_deepstreams_frame() -> None:
    given_events = [dataclasses.replace(event(seed), camera="größer north") for seed in range(40)]
    frame = frames().FromString(to_protobuf(given_events))
    assert (frame.version, frame.id, frame.sensorId) == ("4.0", "", "größer north")
    assert frame.timestamp.ToJsonString() == "2026-05-31T08:00:03.500Z"
    assert len(frame.objects) == len(given_events)
    for found, one in zip(frame.objects, given_events, strict=True):
        assert found.id == str(one.track_id)
        assert found.type == "Vehicle"
        sides = (found.bbox.leftX, found.bbox.topY, found.bbox.rightX, found.bbox.bottomY)
        assert sides == tuple(np.float32(one.box).tolist())
        assert tuple(found.embedding.vector) == tuple(one.vector.tolist())
        assert not found.HasField("pose")
        info = dict(found.info)
        for name, attribute in (("color", one.color), ("type", one.type)):
            assert info.get(name) == (attribute and attribute.label)
            if attribute is not None:
                assert float(info[f"{name}_probability"]) == attribute.probability
                assert json.loads(info[f"{name}_all"]) == attribute.all
        keypoints = json.loads(info.get("keypoints", "null"))
        assert keypoints == (one.keypoints if one.keypoints is None else [list(row) for row in one.keypoints])
        assert info["frames_seen"] == str(one.frames.seen)
        assert info["embedding_space"] == one.embedding_space
        assert info.get("below_gate_reason", "") == ",".join(one.below_gate_reason)
        assert info["below_gate"] == str(one.below_gate).lower()


def test_a_message_is_of_one_camera() -> None:
    north, south = (dataclasses.replace(event(1), camera=camera) for camera in ("north", "south"))
    with pytest.raises(InputError, match="cameras 'north' and 'south'; a message holds those of one"):
        to_protobuf([north, south])
    with pytest.raises(InputError, match="no event to write"):
        to_protobuf([])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-05-31T08:00:03.5Z", 1780214403.5),
        ("2026-05-31T10:00:03+02:00", 1780214403),
        ("2026-05-31 08:00:03", 1780214403),
        ("1969-12-31T23:59:59.25Z", -0.75),
        ("some day", None),
        ("2026-02-30T00:00:00Z", None),
    ],
)
def test_the_moment_of_a_message_is_that_of_its_events(text: str, seconds: float | None) -> None:
    one = event(1)
    object.__setattr__(one, "end_utc", text)
    frame = frames().FromString(_core.events_protobuf([one]))
    assert frame.HasField("timestamp") == (seconds is not None)
    if seconds is not None:
        assert frame.timestamp.seconds + frame.timestamp.nanos / 1e9 == seconds
