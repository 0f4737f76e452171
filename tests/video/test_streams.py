# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.streams import Reconnect, Stream

VideoWriter = Callable[..., Path]

QUICK = Reconnect(attempts=3, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=5.0)
ROOMY = 1000  # a queue that drops nothing, however fast a file is read


class FlakyCamera:
    """Opens the outcomes one after the other: a path plays that file, an error is raised."""

    def __init__(self, *outcomes: Path | Exception) -> None:
        self._outcomes = list(outcomes)
        self.opened = 0

    def __call__(self, address: str) -> Any:
        self.opened += 1
        outcome = self._outcomes.pop(0) if self._outcomes else ConnectionRefusedError("Connection refused")
        if isinstance(outcome, Exception):
            raise outcome
        return av.open(str(outcome))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, write_video: VideoWriter) -> Path:
    """A file that, like a camera, does not say how long it is; leave it as it is."""
    path = write_video(tmp_path_factory.mktemp("clip") / "clip.ts", 20)
    raw = path.with_suffix(".h264")
    with av.open(str(path)) as container, av.open(str(raw), "w", format="h264") as out:
        stream = out.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return raw


def _drain(stream: Stream) -> tuple[list[Any], str | None]:
    frames: list[Any] = []
    message = None
    try:
        frames.extend(stream.frames())
    except SourceError as error:
        message = str(error)
    finally:
        stream.close()
    return frames, message


def test_a_stream_that_breaks_is_opened_again_and_its_numbers_go_on(
    clip: Path, caplog: pytest.LogCaptureFixture
) -> None:
    camera = FlakyCamera(clip, ConnectionResetError(104, "Connection reset by peer"), clip)
    stream = Stream("rtsp://u:secret@north/1", reconnect=QUICK, opener=camera, queue=ROOMY)
    frames, message = _drain(stream)
    assert [frame.index for frame in frames] == list(range(40))
    assert camera.opened == 5  # the second end is the first of three failures in a row
    assert message is not None
    assert "rtsp://***@north/1 was given up after 3 tries" in message
    assert "40 frames were read" in message
    assert "Connection reset by peer; trying again in 0.02 s" in caplog.text
    assert "secret" not in caplog.text + message


def test_a_stream_of_which_nothing_can_be_decoded_is_given_up(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = FlakyCamera(*[clip] * 9)
    stream = Stream("rtsp://north/1", reconnect=QUICK, opener=camera)
    monkeypatch.setattr(stream, "_decode", lambda container: iter([ValueError("no picture")] * 20))
    frames, message = _drain(stream)
    assert (frames, camera.opened, stream.lost) == ([], 3, 60)
    assert message is not None
    assert message.endswith("was given up after 3 tries (it ended); 0 frames were read.")


def test_pauses_double_up_to_a_limit() -> None:
    spec = Reconnect(first_wait_s=1.0, longest_wait_s=30.0)
    assert [spec.wait_s(n) for n in (1, 2, 3, 6, 50)] == [1.0, 2.0, 4.0, 30.0, 30.0]


def test_time_is_wall_time_since_the_first_frame(clip: Path) -> None:
    before = datetime.now(timezone.utc)
    pause = Reconnect(attempts=2, first_wait_s=0.3)
    stream = Stream("rtsp://n/1", reconnect=pause, opener=FlakyCamera(clip, clip), queue=ROOMY)
    frames, _ = _drain(stream)
    assert frames[0].time_s == 0.0
    assert frames[20].time_s - frames[19].time_s >= 0.3
    assert stream.started is not None
    assert before <= stream.started <= datetime.now(timezone.utc)


def test_a_stream_stops_after_its_duration(clip: Path) -> None:
    def endless(address: str) -> Any:
        time.sleep(0.02)
        return av.open(str(clip))

    stream = Stream("rtsp://n/1", reconnect=QUICK, duration=0.3, opener=endless, queue=ROOMY)
    begin = time.monotonic()
    frames, message = _drain(stream)
    assert message is None
    assert len(frames) >= 20
    assert all(frame.time_s < 0.3 for frame in frames)
    assert time.monotonic() - begin < 3.0


def test_a_camera_that_hangs_does_not_outlast_the_duration() -> None:
    hung = threading.Event()

    def hang(address: str) -> Any:
        hung.wait(10)
        raise TimeoutError("timed out")

    stream = Stream("rtsp://n/1", reconnect=QUICK, duration=0.2, opener=hang)
    begin = time.monotonic()
    with pytest.raises(SourceError, match="gave no frames"):
        list(stream.frames())
    assert time.monotonic() - begin < 3.0
    hung.set()
    stream.close()


def test_what_the_pipeline_cannot_keep_up_with_is_dropped_and_counted(clip: Path) -> None:
    stream = Stream("rtsp://n/1", reconnect=QUICK, opener=FlakyCamera(clip), queue=4)
    frames = []
    with suppress(SourceError):
        for frame in stream.frames():
            frames.append(frame.index)
            if len(frames) == 1:
                time.sleep(0.5)  # the camera goes on meanwhile
    stream.close()
    assert stream.lost > 0
    assert frames[-1] == 19
    assert len(frames) + stream.lost == 20


@pytest.mark.parametrize(
    ("error", "told"),
    [(av.error.HTTPUnauthorizedError, "opened"), (RuntimeError, "read")],
    ids=["a wrong password", "unforeseen"],
)
def test_an_error_that_no_second_try_would_mend_reaches_the_caller_at_once(
    error: type[Exception], told: str
) -> None:
    camera = FlakyCamera(error(-1, "its own words"), error(-1, "its own words"))
    with pytest.raises(SourceError, match=f"rtsp://n/1 cannot be {told} .*its own words"):
        list(Stream("rtsp://n/1", reconnect=QUICK, opener=camera).frames())
    assert camera.opened == 1


def test_closing_early_ends_the_thread(clip: Path) -> None:
    stream = Stream("rtsp://n/1", reconnect=Reconnect(first_wait_s=60.0), opener=FlakyCamera(clip))
    next(iter(stream.frames()))
    stream.close()
    assert not any(thread.name == "pamtri-stream" for thread in threading.enumerate())


def test_a_silent_camera_is_waited_for_once_however_often_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = threading.Event()
    stream = Stream("rtsp://n/1", duration=0.01, opener=lambda _: silent.wait(10))  # type: ignore[arg-type,return-value]
    with pytest.raises(SourceError):
        list(stream.frames())
    waits: list[float | None] = []
    monkeypatch.setattr(threading.Thread, "join", lambda thread, timeout=None: waits.append(timeout))
    stream.close()
    stream.close()
    assert waits == [2.0]
    silent.set()


def test_nothing_listening_is_given_up(tmp_path: Path) -> None:
    frames, message = _drain(Stream("rtsp://127.0.0.1:9/none", reconnect=QUICK))
    assert frames == []
    assert message is not None
    assert "given up after 3 tries (Connection refused, over TCP and over UDP)" in message


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_real_connection_that_ends_is_taken_up_again(clip: Path) -> None:
    with _serving(clip.parent) as address:
        stream = Stream(f"{address}/{clip.name}", reconnect=QUICK, duration=20.0, queue=ROOMY)
        frames = [frame for frame, _ in zip(stream.frames(), range(50), strict=False)]
        stream.close()
    assert [frame.index for frame in frames] == list(range(50))  # the clip has 20
    assert frames[0].picture.shape == (120, 160, 3)


def test_a_whole_recording_behind_any_address_is_read_once_and_by_its_own_clock(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    write_video(tmp_path / "clip.mp4", 30).rename(tmp_path / "download")
    write_video(tmp_path / "clip.ts", 30)
    with _serving(tmp_path) as address:
        for name in ("download?id=3", "clip.ts"):
            source = open_source(f"{address}/{name}", reconnect=QUICK)
            assert [round(frame.time_s * 25) for frame in source.frames()] == list(range(30))
            source.close()
