# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one run: shared batches, one that fails, an interruption, names."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.events import read_events
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.run import RunSpec, VideoRun
from pamtri_edge.video.together import (
    InterruptibleSource,
    SharedEmbedder,
    check_cameras,
    folder_name,
    run_together,
)
from pamtri_edge.video.write import OutputFolder


class Street:
    """A source of 20 gray frames with one red car; it may break or never end."""

    label = name = "street"
    live = False
    rate = 10.0
    total = 20
    lost = 0
    started = None

    def __init__(self, *, frames: int = 20, breaks: bool = False) -> None:
        self._frames = frames
        self._breaks = breaks
        self.closed = False

    def frames(self) -> Iterator[Frame]:
        for index in range(self._frames):
            picture = np.full((90, 160, 3), 70, np.uint8)
            picture[20:80, 20:100] = (220, 30, 30)
            yield Frame(index, index / 10, picture)
        if self._breaks:
            raise SourceError("the street is over.")

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., tuple[VideoRun, InterruptibleSource]]:
    """Return a function that makes a run and its source: `make(camera, embedder, street)`."""
    lines = [f"{k + 1},1,20,20,80,60\n" for k in range(20)]
    (tmp_path / "tracks.txt").write_text("".join(lines))

    def run(camera: str, embedder: Any, street: Street) -> tuple[VideoRun, InterruptibleSource]:
        source = InterruptibleSource(street)
        follower = FileFollower(read_tracks(tmp_path / "tracks.txt"))
        spec = RunSpec(camera=camera, video=False, tables=("csv",))
        return VideoRun(source, follower, embedder, OutputFolder(tmp_path / camera), spec), source

    return run


def test_each_camera_has_its_events_and_one_that_breaks_ends_alone(
    make: Callable[..., Any], fake_reidentifier: Any, tmp_path: Path
) -> None:
    shared = SharedEmbedder(fake_reidentifier())
    runs = [make("a", shared, Street()), make("b", shared, Street(breaks=True))]
    counts = [0, 0]

    def counting(at: int) -> Callable[[Any], None]:
        return lambda progress: counts.__setitem__(at, progress.frames)

    errors = run_together(*zip(*runs, strict=True), [counting(0), counting(1)])  # type: ignore[arg-type]
    assert errors[0] is None
    assert str(errors[1]) == "the street is over."
    assert counts == [20, 20]
    for camera in "ab":
        assert [event.camera for event in read_events(tmp_path / camera / "events.jsonl")] == [camera]
        assert (tmp_path / camera / "events.csv").read_text().count("\n") == 2


@pytest.mark.parametrize("frame", [0, 30], ids=["as they begin", "later"])
def test_signals_end_all_at_any_moment_and_keep_what_was_done(
    make: Callable[..., Any],
    fake_reidentifier: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frame: int,
) -> None:
    shared = SharedEmbedder(fake_reidentifier())
    endless = 10**9
    runs = [make("a", shared, Street(frames=endless)), make("b", shared, Street(frames=endless))]
    start = threading.Thread.start

    def interrupt() -> None:
        answer: Any = signal.getsignal(signal.SIGINT)
        answer(signal.SIGINT, None)

    def begin(thread: threading.Thread) -> None:
        start(thread)
        if frame == 0 and thread.name in ("pamtri-0", "pamtri-1"):
            interrupt()

    def watch(progress: Any) -> None:
        if progress.frames == frame:
            interrupt()  # one from each camera, so two at once

    monkeypatch.setattr(threading.Thread, "start", begin)
    with pytest.raises(KeyboardInterrupt):
        run_together(*zip(*runs, strict=True), [watch, watch])  # type: ignore[arg-type]
    for camera, (job, _) in zip("ab", runs, strict=True):
        assert job.summary is not None
        assert job.summary.reason == "interrupted"
        assert (tmp_path / camera / "summary.json").exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Slow:
    """An embedder that waits until it is let go."""

    manifest = SimpleNamespace(name="slow")

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.entered = threading.Event()
        self.go = threading.Event()

    def embed(self, batch: list[Any]) -> Any:
        self.batches.append(len(batch))
        self.entered.set()
        assert self.go.wait(10)
        if any(crop.sum() == 0 for crop in batch):
            raise InputError("a black crop.")
        values = np.array([crop[0, 0, 0] for crop in batch], np.float32)[:, None]
        return SimpleNamespace(
            embeddings=values, color_probs=None, type_probs=None, keypoints=None, quality=None
        )


def test_what_comes_while_the_network_is_busy_goes_through_as_one_batch() -> None:
    slow = Slow()
    shared = SharedEmbedder(slow)
    found: dict[int, list[float]] = {}

    def ask(value: int, count: int) -> None:
        crops = [np.full((4, 4, 3), value + k, np.uint8) for k in range(count)]
        found[value] = shared.embed(crops).embeddings[:, 0].tolist()

    threads = [threading.Thread(target=ask, args=arguments) for arguments in ((10, 2), (20, 3), (30, 1))]
    threads[0].start()
    assert slow.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(shared._waiting) < 2:
        pass
    slow.go.set()
    for thread in threads:
        thread.join()
    assert slow.batches == [2, 4]
    assert found == {10: [10, 11], 20: [20, 21, 22], 30: [30]}


def test_an_error_of_the_network_reaches_who_asked() -> None:
    slow = Slow()
    slow.go.set()
    shared = SharedEmbedder(slow)
    with pytest.raises(InputError, match="a black crop"):
        shared.embed([np.zeros((4, 4, 3), np.uint8)])
    assert shared.embed([np.ones((4, 4, 3), np.uint8)]).embeddings.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("camera", "folder"),
    [
        ("north", "north"),
        ("a/b", "a_b"),
        ("..", "camera.."),
        ("", "camera"),
        ("\x1b", "\\x1b"),
        ("é" * 200, "é" * 100),
    ],
)
def test_a_cameras_folder_is_a_plain_name(camera: str, folder: str) -> None:
    assert folder_name(camera) == folder


@pytest.mark.parametrize("cameras", [("a", "b", "a"), ("a/b", "a_b")])
def test_two_sources_of_one_camera_are_refused(cameras: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="two sources have the camera name"):
        check_cameras(cameras)
