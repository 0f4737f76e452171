# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.events import Event, read_events
from pamtri_edge.geometry import CropRule
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.gate import GateSpec
from pamtri_edge.video.run import RunProgress, RunSpec, VideoRun
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.write import OutputFolder

VideoWriter = Callable[..., Path]

RED, BLUE = (220, 30, 30), (30, 40, 220)
SPEC = RunSpec(camera="north", gate=GateSpec(min_side=24))


def _cars(index: int) -> list[tuple[int, int, int, int, tuple[int, int, int]]]:
    """A red car drives to the right in frames 0 to 29, a blue one to the left in frames 10 to 49."""
    cars = []
    if index < 30:
        cars.append((4 + 3 * index, 30, 44, 32, RED))
    if index >= 10:
        cars.append((110 - 2 * (index - 10), 75, 40, 30, BLUE))
    return cars


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, write_video: VideoWriter) -> Path:
    """Two seconds of the two cars, with their tracks beside; leave them as they are."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, 50, boxes=_cars, options={"movflags": "faststart"})


def _job(clip: Path, output: Path, fake: Any, spec: RunSpec = SPEC, **source: Any) -> VideoRun:
    follower = FileFollower(read_tracks(clip.with_suffix(".txt")))
    return VideoRun(open_source(str(clip), **source), follower, fake, OutputFolder(output), spec)


def _summary(output: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((output / "summary.json").read_text())
    return record


def _events(output: Path) -> dict[int, Event]:
    return {event.track_id: event for event in read_events(output / "events.jsonl")}


def _first_picture(path: Path) -> NDArray[np.int_]:
    return next(iter(VideoFile(path).frames())).picture.astype(int)


def _frames(path: Path) -> int:
    source = VideoFile(path)
    count = len(list(source.frames()))
    source.close()
    return count


@pytest.fixture(scope="module")
def done(clip: Path, tmp_path_factory: pytest.TempPathFactory, fake_reidentifier: Any) -> Any:
    """A whole run: its output, its summary, and the network that saw its crops; leave them as they are."""
    output, fake = tmp_path_factory.mktemp("done") / "out", fake_reidentifier()
    return SimpleNamespace(output=output, summary=_job(clip, output, fake).run(), fake=fake)


def test_every_track_becomes_one_event(done: Any) -> None:
    assert len((done.output / "events.jsonl").read_text().splitlines()) == 2
    events = _events(done.output)
    red, blue = events[1], events[2]
    assert (red.start_s, red.end_s, blue.start_s, blue.end_s) == (0.0, 1.16, 0.4, 1.96)
    assert (red.frames.seen, blue.frames.seen) == (30, 40)
    assert not red.below_gate
    assert red.color is not None
    assert blue.color is not None
    assert (red.color.label, blue.color.label) == ("red", "blue")
    assert sum(red.color.all.values()) == pytest.approx(1.0, abs=1e-5)
    assert red.type is not None
    assert red.type.label == "truck"
    assert red.camera == "north"
    assert (red.bundle, red.embedding_space) == ("fake", "sha256:fake")
    assert red.quality == pytest.approx(0.6)
    assert red.start_utc is None
    assert np.linalg.norm(red.vector) == pytest.approx(1.0, abs=1e-5)
    assert float(red.vector @ blue.vector) < 0.8
    assert done.summary.complete
    assert (done.summary.events, done.summary.tracks, done.summary.frames) == (2, 2, 50)
    assert {"schema": 1, **asdict(done.summary)} == _summary(done.output)


def test_the_box_and_keypoints_are_those_of_the_best_view(done: Any) -> None:
    event = _events(done.output)[1]
    x1, y1, x2, y2 = event.box
    assert (x2 - x1, y2 - y1) == (44, 32)
    assert y1 == 30
    assert event.keypoints is not None
    assert event.keypoints[0] == pytest.approx((x1 + 4.4, y1 + 3.2, 0.6), abs=0.01)
    assert any(crop.shape == (32, 44, 3) for crop in done.fake.crops)


def test_events_are_written_as_tracks_close(clip: Path, tmp_path: Path, fake_reidentifier: Any) -> None:
    output = tmp_path / "out"
    counts = {}

    def look(progress: RunProgress) -> None:
        assert progress.events == len(list(read_events(output / "events.jsonl")))
        counts[progress.frames] = progress.events
        assert progress.total == 50

    _job(clip, output, fake_reidentifier(), RunSpec(camera="n", batch=1)).run(on_progress=look)
    assert counts[29] == 0
    assert counts[30] == 1


def test_the_output_folder_holds_pictures_and_a_video_of_the_same_length(done: Any) -> None:
    output = done.output
    names = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    pictures = {f"{folder}/{track}.jpg" for folder in ("crops", "annotated") for track in (1, 2)}
    assert names == {"events.jsonl", "summary.json", "annotated.mp4", *pictures}
    assert _frames(output / "annotated.mp4") == 50
    picture = cv2.imread(str(output / "annotated" / "1.jpg"))[..., ::-1]
    assert picture.shape[1] == 768
    assert picture[20, 20, 0] > 180 > 80 > picture[20, 20, 2]  # red


def test_the_crops_are_what_the_network_saw(done: Any) -> None:
    for track in (1, 2):
        crop = cv2.imread(str(done.output / "crops" / f"{track}.jpg"))[..., ::-1].astype(int)
        seen = [one for one in done.fake.crops if one.shape == crop.shape]
        assert min(np.abs(crop - one).mean() for one in seen) < 4  # what JPEG costs


def test_boxes_are_drawn_into_the_video_but_not_into_the_crops(clip: Path, done: Any) -> None:
    plain, drawn = _first_picture(clip), _first_picture(done.output / "annotated.mp4")
    assert np.abs(plain - drawn)[30, 4:48].max() > 80
    assert np.abs(plain - drawn)[100:, 100:].max() < 40
    for crop in done.fake.crops:  # the network must never see what was drawn
        red_or_blue = np.abs(crop.reshape(-1, 3).astype(int)[:, None] - [RED, BLUE]).max(axis=2).min(axis=1)
        assert np.median(red_or_blue) < 30


def test_events_have_the_form_that_is_asked_for_and_tell_what_is_below_the_gate(
    clip: Path, tmp_path: Path, fake_reidentifier: Any
) -> None:
    start = datetime(2026, 5, 31, 8, 0, tzinfo=timezone.utc)
    spec = replace(SPEC, video=False, start=start, embedding_format="base64", crop_rule=CropRule.NVINFER)
    spec = replace(spec, gate=GateSpec(min_side=100))
    summary = _job(clip, tmp_path, fake_reidentifier(), spec).run()
    assert not list(tmp_path.glob("*.mp4"))
    assert '"embedding":"' in (tmp_path / "events.jsonl").read_text()
    events = _events(tmp_path)
    assert (events[2].start_utc, events[2].end_utc) == (
        "2026-05-31T08:00:00.400Z",
        "2026-05-31T08:00:01.960Z",
    )
    assert all(value % 2 == 0 for event in events.values() for value in event.box)
    assert (summary.below_gate, summary.below_gate_reasons) == (2, {"small": 2})
    assert all(event.below_gate and event.frames.embedded > 1 for event in events.values())


def test_untrained_weights_are_told(clip: Path, done: Any, tmp_path: Path, fake_reidentifier: Any) -> None:
    _job(clip, tmp_path, fake_reidentifier(trained=False)).run()
    assert _summary(tmp_path)["trained"] is False
    noted, plain = (_first_picture(folder / "annotated.mp4") for folder in (tmp_path, done.output))
    assert np.abs(noted - plain)[105:, :80].max() > 80


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_a_cut_video_gives_events_for_what_it_had(clip: Path, tmp_path: Path, fake_reidentifier: Any) -> None:
    data, path = clip.read_bytes(), tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) * 2 // 3])
    shutil.copy(clip.with_suffix(".txt"), path.with_suffix(".txt"))
    output = tmp_path / "out"
    job = _job(path, output, fake_reidentifier())
    with pytest.raises(SourceError, match=r"ended early at frame \d+ of about 50"):
        job.run()
    assert len(_events(output)) == 2
    frames = _summary(output)["frames"]
    assert 20 < frames < 45
    assert _frames(output / "annotated.mp4") == frames
    assert _summary(output)["complete"] is False
    assert "ended early" in _summary(output)["reason"]
    assert job.summary is not None


def test_tracks_past_the_end_are_told_after_the_run(
    tmp_path: Path, write_video: VideoWriter, fake_reidentifier: Any
) -> None:
    clip = write_video(tmp_path / "clip.mp4", 20, boxes=_cars, tracks=50)
    output = tmp_path / "out"
    with pytest.raises(SourceError, match="has boxes up to frame 50, but the video ended with frame 20"):
        _job(clip, output, fake_reidentifier()).run()
    assert len(_events(output)) == 2
    assert _frames(output / "annotated.mp4") == 20
    assert _summary(output)["complete"] is False


def test_tracks_past_a_wanted_duration_are_no_mistake(
    clip: Path, tmp_path: Path, fake_reidentifier: Any
) -> None:
    spec = RunSpec(camera="n", limited=True)
    summary = _job(clip, tmp_path / "out", fake_reidentifier(), spec, duration=0.6).run()
    assert summary.complete
    assert (summary.frames, summary.events) == (15, 2)


def test_an_interruption_keeps_what_was_done(clip: Path, tmp_path: Path, fake_reidentifier: Any) -> None:
    fake = fake_reidentifier()
    fake.interrupt_at = 2
    output = tmp_path / "out"
    spec = RunSpec(camera="n", batch=1, gate=GateSpec(min_side=24, reinfer_interval=0))
    job = _job(clip, output, fake, spec)
    assert job._video is not None
    finish = job._video.close

    def meet_another() -> None:
        answer: Any = signal.getsignal(signal.SIGINT)
        answer(signal.SIGINT, None)  # a second one, as timeout and closing terminals send theirs twice
        finish()

    job._video.close = meet_another  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        job.run()
    assert list(_events(output)) == [1]  # the red car was embedded before
    summary = _summary(output)
    assert (summary["complete"], summary["reason"]) == (False, "interrupted")
    assert (summary["events"], summary["unfinished_tracks"]) == (1, 1)
    assert 0 < _frames(output / "annotated.mp4") < 50
    assert (output / "crops" / "1.jpg").exists()
    assert not list(output.rglob("*.part*"))


def test_an_interruption_before_the_first_frame_leaves_a_summary(
    clip: Path, tmp_path: Path, fake_reidentifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(clip, tmp_path / "out", fake_reidentifier())

    def interrupt() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(job._source, "frames", interrupt)
    with pytest.raises(KeyboardInterrupt):
        job.run()
    assert _summary(tmp_path / "out")["frames"] == 0
    assert (tmp_path / "out" / "events.jsonl").read_text() == ""
    assert not (tmp_path / "out" / "annotated.mp4").exists()


@pytest.mark.parametrize("error", [InputError, ZeroDivisionError])
def test_an_error_of_the_network_keeps_what_was_done(
    clip: Path,
    tmp_path: Path,
    fake_reidentifier: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    fake = fake_reidentifier()
    embed = fake.embed

    def fail_later(batch: Any) -> Any:
        if fake.batches:
            raise error("the GPU went away.")
        return embed(batch)

    monkeypatch.setattr(fake, "embed", fail_later)
    output = tmp_path / "out"
    with pytest.raises(error, match="the GPU went away"):
        _job(clip, output, fake, RunSpec(camera="n", batch=1, gate=GateSpec(min_side=24))).run()
    assert list(_events(output)) == [1]
    assert _summary(output)["reason"] == "the GPU went away."
    assert _frames(output / "annotated.mp4") > 0


def test_a_video_that_cannot_be_written_on_keeps_the_events(
    clip: Path, tmp_path: Path, fake_reidentifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(clip, tmp_path / "out", fake_reidentifier(), RunSpec(camera="n", batch=1))
    write = job._video.write  # type: ignore[union-attr]

    def full(picture: Any, time_s: float) -> None:
        if time_s > 1.5:
            raise InputError("annotated.mp4 cannot be written on: No space left on device.")
        write(picture, time_s)

    monkeypatch.setattr(job._video, "write", full)
    with pytest.raises(InputError, match="No space left"):
        job.run()
    assert 1 in _events(tmp_path / "out")
    assert "No space left" in _summary(tmp_path / "out")["reason"]


# --- real footage ------------------------------------------------------------------------------------------


def test_every_track_of_real_footage_becomes_one_event(
    shared_data: Path, tmp_path: Path, fake_reidentifier: Any
) -> None:
    clip = shared_data / "clips" / "suburban_a_640x352.mp4"
    fake = fake_reidentifier()
    spec = RunSpec(camera="suburb", video=False, limited=True)
    summary = _job(clip, tmp_path / "out", fake, spec, duration=8.0).run()
    events = list(read_events(tmp_path / "out" / "events.jsonl"))
    tracks = read_tracks(clip.with_suffix(".txt"))
    seen_tracks = {box.track_id for index in range(summary.frames) for box in tracks.at(index)}
    assert {event.track_id for event in events} == seen_tracks
    assert (summary.events, summary.tracks, summary.frames) == (len(seen_tracks), len(seen_tracks), 192)
    assert max(fake.batches) <= 8
    embedded, seen = (sum(getattr(event.frames, name) for event in events) for name in ("embedded", "seen"))
    assert 0.05 * seen < embedded < 0.2 * seen
    assert sum(not event.below_gate for event in events) >= 3  # cars that come near the camera
    assert len(list((tmp_path / "out" / "crops").glob("*.jpg"))) == len(seen_tracks)
