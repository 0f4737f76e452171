# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whole runs of videos whose clock, size or name is not as it should be."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from pamtri_edge.events import read_events
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import MOTION_TRACKS, DetectionFollower, FileFollower, Follower
from pamtri_edge.video.gate import GateSpec
from pamtri_edge.video.motion import MotionDetector
from pamtri_edge.video.run import RunSpec, VideoRun
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.write import OutputFolder

VideoWriter = Callable[..., Path]
CODEC = {"preset": "ultrafast", "g": "10", "bf": "0", "threads": "1"}


def _car(index: int) -> list[tuple[int, int, int, int, tuple[int, int, int]]]:
    return [(4 + 3 * index, 30, 44, 32, (220, 30, 30))]


def _run(path: Path, output: Path, fake: Any, follower: Follower | None = None) -> OutputFolder:
    source = open_source(str(path))
    if follower is None:
        detector = MotionDetector(rate=source.rate)
        follower = DetectionFollower(detector, rate=source.rate, spec=MOTION_TRACKS)
    folder = OutputFolder(output)
    VideoRun(source, follower, fake, folder, RunSpec(camera=source.name, gate=GateSpec(min_side=24))).run()
    return folder


@pytest.fixture
def glued(tmp_path: Path, write_video: VideoWriter) -> Path:
    """Two recordings of 1.2 s, the second behind the first, a car in each."""
    part = write_video(tmp_path / "part.ts", 30, codec=CODEC, boxes=_car)
    path = tmp_path / "glued.ts"
    path.write_bytes(part.read_bytes() * 2)
    return path


def test_events_of_joined_recordings_have_the_times_of_one(
    glued: Path, tmp_path: Path, fake_reidentifier: Any
) -> None:
    rows = [f"{k + 1},{track},{4 + 3 * (k % 30)},30,44,32\n" for track, r in TRACKS.items() for k in r]
    tracks = tmp_path / "t.txt"
    tracks.write_text("".join(rows))
    folder = _run(glued, tmp_path / "out", fake_reidentifier(), FileFollower(read_tracks(tracks)))
    events = {event.track_id: event for event in read_events(folder.events)}
    for track, frames in TRACKS.items():
        assert events[track].start_s == pytest.approx(frames[0] / 25, abs=2e-3)
        assert events[track].end_s == pytest.approx(frames[-1] / 25, abs=2e-3)
    with av.open(str(folder.video)) as container:
        assert container.streams.video[0].frames == 60
        assert float(container.duration or 0) / 1e6 == pytest.approx(2.4, abs=0.1)
    assert json.loads(folder.summary.read_text())["video_s"] == pytest.approx(2.36, abs=2e-3)


TRACKS = {1: range(5, 20), 2: range(35, 50), 3: range(20, 40)}
"""Before the joint, behind it, and over it: whom a file of tracks calls one vehicle is one."""


def test_a_detectors_tracks_end_where_recordings_are_joined(
    glued: Path, tmp_path: Path, fake_reidentifier: Any
) -> None:
    folder = _run(glued, tmp_path / "out", fake_reidentifier())
    spans = sorted((event.start_s, event.end_s) for event in read_events(folder.events))
    assert len(spans) == 2
    assert spans[0][1] < 1.2 <= spans[1][0]


def test_motion_is_found_before_and_behind_a_change_of_size(
    tmp_path: Path, write_video: VideoWriter, fake_reidentifier: Any
) -> None:
    parts = [
        write_video(tmp_path / f"{k}.h264", 40, size=size, boxes=_car, options={"format": "h264"})
        for k, size in enumerate([(160, 120), (240, 180)])
    ]
    path = tmp_path / "all.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    folder = _run(path, tmp_path / "out", fake_reidentifier())
    spans = sorted((event.start_s, event.end_s) for event in read_events(folder.events))
    assert len(spans) == 2
    assert spans[0][1] < 1.6 <= spans[1][0]
    with av.open(str(folder.video)) as container:
        shown = container.streams.video[0]
        assert (shown.width, shown.height, shown.frames) == (160, 120, 80)


@pytest.mark.parametrize("name", [b"stra\xdfe.mp4", b"cam\xe9ra\n1.mp4"])
def test_a_video_of_any_name_gives_events_that_are_json(
    tmp_path: Path, write_video: VideoWriter, fake_reidentifier: Any, name: bytes
) -> None:
    path = write_video(tmp_path / "a.mp4", 30, boxes=_car).rename(tmp_path / os.fsdecode(name))
    follower = FileFollower(read_tracks(tmp_path / "a.txt"))
    folder = _run(path, tmp_path / os.fsdecode(b"out\xdf"), fake_reidentifier(), follower)
    (event,) = read_events(folder.events)
    assert event.camera.isprintable()
    record = json.loads(folder.summary.read_text())
    assert record["complete"] is True
    assert record["camera"] == event.camera
    assert record["source"].isprintable()
