# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Sending a hundred events into a file, encoded, through spool and delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
from gate import Pair

from pamtri_edge._sinks import Delivery, event_key, parse_settings
from pamtri_edge.events.event import Attribute, Event, FrameCounts
from pamtri_edge.sinks.sink import make_transport

EVENTS = 100


def event(track: int) -> Event:
    """Return an event with an embedding of 256 numbers."""
    embedding = np.random.default_rng(track).normal(size=256)
    color = Attribute("red", 0.75, {"red": 0.75, "blue": 0.25})
    return Event(
        camera="gate",
        track_id=track,
        start_s=0.0,
        end_s=1.0,
        start_utc=None,
        end_utc=None,
        frames=FrameCounts(9, 3),
        below_gate=False,
        box=(0.0, 0.0, 64.0, 64.0),
        color=color,
        type=None,
        embedding=tuple((embedding / np.linalg.norm(embedding)).tolist()),
        keypoints=None,
        quality=0.5,
        embedding_space="gate",
        bundle="gate",
    )


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """Give the sink beside `json.dumps` and a line each."""
    events = [event(track) for track in range(EVENTS)]
    path, plain_path = folder / "sent.jsonl", folder / "plain.jsonl"

    def send() -> None:
        path.unlink(missing_ok=True)
        settings = parse_settings(f"file:{path}")
        delivery = Delivery(settings, make_transport(settings), spool="", payload_format="json", seed=1)
        for one in events:
            delivery.post(event_key(one.camera, str(one.track_id)), one.to_json().encode())
        while delivery.report().sent < EVENTS:
            delivery.step(0.0)
        delivery.close()

    def plain() -> None:
        with plain_path.open("wb", buffering=0) as file:
            for one in events:
                file.write(json.dumps(asdict(one)).encode() + b"\n")

    send()
    plain()
    assert len(path.read_bytes().splitlines()) == len(plain_path.read_bytes().splitlines()) == EVENTS
    yield Pair(send, plain)
