# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video import follow
from pamtri_edge.video.detect.detection import Detection
from pamtri_edge.video.follow import MOTION_TRACKS, DetectionFollower, TrackerSpec, box_distances
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.motion import MotionDetector
from pamtri_edge.video.sources import open_source

RATE = 20.0
PICTURE = np.zeros((4, 4, 3), np.uint8)

Boxes = list[tuple[float, float, float, float]]


def _frame(index: int) -> Frame:
    return Frame(index, index / RATE, PICTURE)


class Scripted:
    """A detector that gives what a function says for each frame."""

    def __init__(self, script: Callable[[int], Boxes]) -> None:
        self._script = script
        self._index = -1
        self.restarts = 0

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        self._index += 1
        return [Detection(box) for box in self._script(self._index)]

    def restart(self) -> None:
        self.restarts += 1


def _follow(
    script: Callable[[int], Boxes], frames: int, spec: TrackerSpec | None = None, *, rate: float = RATE
) -> tuple[list[dict[int, TrackBox]], dict[int, int]]:
    """Return the tracks of each frame by id, and in which frame each ended."""
    follower = DetectionFollower(Scripted(script), rate=rate, spec=spec)
    seen, ended = [], {}
    for index in range(frames):
        frame = Frame(index, index / rate, PICTURE)
        seen.append({box.track_id: box for box in follower.update(frame)})
        for track in follower.ended(frame):
            assert track not in ended
            ended[track] = index
    return seen, ended


def _car(x: float, y: float = 50, w: float = 60, h: float = 40) -> tuple[float, float, float, float]:
    return (x, y, x + w, y + h)


def test_a_moving_vehicle_keeps_one_id_and_its_detected_boxes() -> None:
    seen, ended = _follow(lambda k: [_car(20 + 7 * k)], 40)
    assert [sorted(frame) for frame in seen[4:]] == [[1]] * 36
    assert seen[30][1].box == _car(20 + 7 * 30)
    assert ended == {}


def test_vehicles_that_pass_each_other_keep_their_ids() -> None:
    seen, _ = _follow(lambda k: [_car(10 + 8 * k, y=50), _car(410 - 8 * k, y=85)], 50)
    assert {track for frame in seen for track in frame} == {1, 2}
    left = next(track for track, box in seen[5].items() if box.box[1] == 50)
    assert seen[49][left].box == _car(10 + 8 * 49, y=50)


@pytest.mark.parametrize(
    ("script", "frames", "ids"),
    [
        (lambda k: [_car(10 + 9 * k, w=20, h=16)], 20, {1}),
        (lambda k: [] if 15 <= k < 25 else [_car(20 + 5 * k)], 40, {1}),
        (lambda k: [_car(20 + 4 * min(k, 11))] if not 10 <= k < 27 else [], 50, {1}),
        # each is seen for half a second at the same place, a gap of 0.6 s between
        (lambda k: [_car(20 + 30 * (k % 22))] if k % 22 < 10 else [], 66, {1, 2, 3}),
    ],
    ids=["small and fast", "a gap of half a second", "stops in a gap", "follows another fast"],
)
def test_a_vehicle_is_one_wherever_it_may_have_gone_and_another_where_it_may_not(
    script: Callable[[int], Boxes], frames: int, ids: set[int]
) -> None:
    seen, _ = _follow(script, frames)
    assert {track for frame in seen for track in frame} == ids
    assert all(bool(script(k)) for k, frame in enumerate(seen) if frame)  # nothing is invented


@pytest.mark.parametrize("rate", [10.0, 30.0])
@pytest.mark.parametrize(("frames", "speed"), [(3, 0.0), (8, 150.0), (40, 150.0)])
def test_a_vehicle_missed_for_less_than_hold_s_is_one(rate: float, speed: float, frames: int) -> None:
    missed = round(rate) - 1
    shaking = np.random.default_rng(frames).normal(0, 1, 400)

    def passing(k: int) -> Boxes:
        return [_car(20 + speed * k / rate + shaking[k])] if not frames <= k < frames + missed else []

    seen, _ = _follow(passing, frames + missed + round(rate), rate=rate)
    assert {track for frame in seen for track in frame} == {1}


@pytest.mark.parametrize(("rate", "frames"), [(10.0, 40), (30.0, 8)])
def test_a_vehicle_missed_for_longer_is_two_and_the_first_ends_on_time(rate: float, frames: int) -> None:
    missed = round(rate)
    seen, ended = _follow(
        lambda k: [_car(20)] if not frames <= k < frames + missed else [],
        frames + missed + round(rate) - 1,
        rate=rate,
    )
    assert {track for frame in seen for track in frame} == {1, 2}
    assert ended == {1: frames - 1 + missed}


def test_a_stream_that_stalls_for_longer_than_hold_s_breaks_tracks() -> None:
    follower = DetectionFollower(Scripted(lambda k: [_car(20)]), rate=RATE)
    ids = set()
    for index in range(40):
        time_s = index / RATE + (2.0 if index >= 20 else 0.0)
        ids |= {box.track_id for box in follower.update(Frame(index, time_s, PICTURE))}
    assert ids == {1, 2}


def test_distances_are_those_of_single_pairs() -> None:
    found = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [5, 0, 15, 10]], float)
    expected = np.array([[0, 0, 10, 10], [7, 7, 7, 7]], float)
    distances = box_distances(found, expected)
    assert distances[:, 0] == pytest.approx([0.0, 10.0, 1 - 50 / 150 + 0.5])
    assert distances[1, 1] == 10.0


def test_of_too_many_boxes_in_a_frame_the_surest_are_followed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follow, "_MOST", 3)  # 1000, whose distances to their tracks take megabytes
    detector = Scripted(lambda k: [])
    boxes = [Detection(_car(100 * n), score=n / 10) for n in range(6)]
    monkeypatch.setattr(detector, "detect", lambda picture: boxes)
    follower = DetectionFollower(detector, rate=RATE, spec=TrackerSpec(confirm_s=0.05))
    seen = [follower.update(_frame(index)) for index in range(3)]
    assert sorted(box.box for box in seen[2]) == [_car(300), _car(400), _car(500)]
    assert "6 vehicles in one frame: the 3 surest are followed." in caplog.text


def test_a_flicker_is_no_track() -> None:
    seen, ended = _follow(lambda k: [_car(20)] if k in (5, 6, 20) else [], 40)
    assert not any(seen)
    assert ended == {}


def test_what_trembles_but_goes_nowhere_is_no_track_of_a_motion_detector() -> None:
    def leaves(k: int) -> Boxes:
        return [_car(100 + 4 * (k % 3))]

    assert any(_follow(leaves, 60)[0])
    assert not any(_follow(leaves, 60, MOTION_TRACKS)[0])


def test_a_vehicle_that_moved_once_stays_a_track_while_it_waits() -> None:
    seen, _ = _follow(lambda k: [_car(20 + 5 * min(k, 20))], 60, MOTION_TRACKS)
    assert not seen[5]
    assert all(sorted(frame) == [1] for frame in seen[12:])


def test_times_are_turned_to_frames_by_the_rate() -> None:
    spec = TrackerSpec(least_s=0.4)
    assert DetectionFollower(Scripted(lambda k: []), rate=10.0, spec=spec).least_frames == 4
    assert DetectionFollower(Scripted(lambda k: []), spec=spec).least_frames == 10  # 25 frames/s


def test_a_restart_ends_all_tracks_and_numbers_go_on() -> None:
    detector = Scripted(lambda k: [_car(20 + 7 * (k % 20)), _car(20 + 7 * (k % 20), y=160)])
    follower = DetectionFollower(detector, rate=RATE)
    before = {box.track_id for index in range(20) for box in follower.update(_frame(index))}
    assert sorted(follower.restart()) == sorted(before) == [1, 2]
    after = {box.track_id for index in range(20, 40) for box in follower.update(_frame(index))}
    assert sorted(after) == [3, 4]
    assert list(follower.ended(_frame(39))) == []
    assert detector.restarts == 1


def test_without_norfair_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "norfair", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "pamtri-edge\[video\]"'):
        DetectionFollower(Scripted(lambda k: []))


@pytest.mark.slow
def test_ids_are_stable_on_real_footage(shared_data: Path) -> None:
    """From second 14 to 19 two cars cross this scene, at a time: each is one track."""
    source = open_source(str(shared_data / "clips" / "intel_car-detection_30s.mp4"), duration=19.0)
    follower = DetectionFollower(MotionDetector(rate=source.rate), rate=source.rate, spec=MOTION_TRACKS)
    seen: dict[int, int] = {}
    for frame in source.frames():
        for box in follower.update(frame) if frame.time_s >= 14.0 else ():
            seen[box.track_id] = seen.get(box.track_id, 0) + 1
    source.close()
    assert len([track for track, frames in seen.items() if frames >= follower.least_frames]) == 2
