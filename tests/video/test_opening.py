# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files as cameras and recorders really write them."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from threading import Thread
from typing import Any

import av
import cv2
import numpy as np
import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.sources import open_source, open_webcam
from pamtri_edge.video.streams import Reconnect

VideoWriter = Callable[..., Path]
STEADY_S = 1 / 25


def _read(path: Path) -> tuple[Any, list[Frame]]:
    source = open_source(str(path))
    frames = list(source.frames())
    source.close()
    return source, frames


def _times(frames: list[Frame]) -> list[float]:
    return [frame.time_s for frame in frames]


def _cuts(frames: list[Frame]) -> list[int]:
    return [frame.index for frame in frames if frame.cut]


def _with_rate(path: Path, rate: int, step: Fraction, frames: int = 12) -> Path:
    """Write a file whose header tells another rate than the times of its frames."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.framerate = Fraction(rate)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(index * step * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("told", "true"), [(30_000, 25), (1_000, 10)])
def test_a_rate_that_cannot_be_is_measured(tmp_path: Path, told: int, true: int) -> None:
    path = _with_rate(tmp_path / "a.mkv", told, Fraction(1, true))
    source, frames = _read(path)
    assert source.rate == pytest.approx(true, rel=0.01)
    assert source.total == pytest.approx(12, abs=1)
    assert _times(frames) == pytest.approx([k / true for k in range(12)], abs=2e-3)


# An MPEG program stream has a time stamp for some of its frames alone.
@pytest.mark.parametrize(("suffix", "count"), [("ts", 2), ("ts", 3), ("mpg", 2)])
def test_recordings_joined_by_cat_play_one_after_the_other(
    tmp_path: Path, write_video: VideoWriter, suffix: str, count: int
) -> None:
    part = write_video(tmp_path / f"part.{suffix}", 20, codec={"g": "10", "bf": "0", "threads": "1"})
    path = tmp_path / f"glued.{suffix}"
    path.write_bytes(part.read_bytes() * count)
    _, frames = _read(path)
    assert len(frames) == 20 * count
    assert _times(frames) == pytest.approx([k * STEADY_S for k in range(20 * count)], abs=2e-3)
    assert _cuts(frames) == [20 * k for k in range(1, count)]
    early = VideoFile(path, duration=1.0)
    assert len(list(early.frames())) == pytest.approx(25, abs=1)


@pytest.mark.parametrize(("suffix", "leap"), [("mkv", 2_500_000), ("mp4", 25_000), ("ts", 500)])
def test_a_clock_that_leaps_ahead_goes_on_by_the_frame_rate(
    tmp_path: Path, write_video: VideoWriter, suffix: str, leap: int
) -> None:
    pts = [k if k < 10 else k + leap for k in range(20)]
    codec = {"preset": "ultrafast", "g": "10", "bf": "0", "threads": "1"}
    source, frames = _read(write_video(tmp_path / f"a.{suffix}", 20, pts=pts, codec=codec))
    assert source.rate == pytest.approx(25)
    assert _times(frames) == pytest.approx([k * STEADY_S for k in range(20)], abs=2e-3)
    assert _cuts(frames) == [10]


def _with_picture(path: Path, *, cover: bool, frames: int = 12) -> Path:
    """Write a file whose stream 0 is one large JPEG, and stream 1, where frames is not 0, a small video."""
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("mjpeg", rate=1)
        picture.width, picture.height, picture.pix_fmt = 320, 240, "yuvj420p"
        if cover:
            picture.disposition = av.stream.Disposition.attached_pic
        video: Any = container.add_stream("mpeg4", rate=25) if frames else None
        if video is not None:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((240, 320, 3), np.uint8), format="rgb24")
        container.mux(picture.encode(frame.reformat(format="yuvj420p")))
        container.mux(picture.encode(None))
        for index in range(frames):
            shown = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * index, np.uint8), format="rgb24")
            shown.pts = index
            container.mux(video.encode(shown))
        if video is not None:
            container.mux(video.encode(None))
    return path


@pytest.mark.parametrize(("suffix", "cover"), [("mp4", False), ("mp4", True), ("mkv", False), ("mov", False)])
def test_a_picture_before_the_video_is_not_taken_for_it(tmp_path: Path, suffix: str, cover: bool) -> None:
    source, frames = _read(_with_picture(tmp_path / f"drone.{suffix}", cover=cover))
    assert [frame.picture.shape for frame in frames] == [(48, 64, 3)] * 12
    assert source.rate == pytest.approx(25)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "jpg", "png", "bmp"])
def test_a_file_of_one_still_picture_is_said_to_be_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix in ("jpg", "png", "bmp"):
        cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8))
    else:
        _with_picture(path, cover=False, frames=0)
    with pytest.raises(SourceError, match="holds a still picture, but no video"):
        open_source(str(path))


def test_of_two_videos_the_one_with_more_frames_is_taken_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        streams: list[Any] = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream, side in zip(streams, (96, 64), strict=True):
            stream.width, stream.height, stream.pix_fmt = side, 48, "yuv420p"
        for index in range(12):
            for stream in streams[index % 3 > 0 :]:
                frame = av.VideoFrame.from_ndarray(np.zeros((48, stream.width, 3), np.uint8), format="rgb24")
                frame.pts = index
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    _, frames = _read(path)
    assert [frame.picture.shape[1] for frame in frames] == [64] * 12
    assert "a.mkv holds 2 videos; the one with most frames is read, of 64 x 48 pixels" in caplog.text


@pytest.mark.parametrize("sizes", [((96, 64), (48, 32)), ((64, 64), (64, 96), (64, 64))])
def test_a_change_of_size_is_a_cut(
    tmp_path: Path, write_video: VideoWriter, sizes: tuple[tuple[int, int], ...]
) -> None:
    raw = b""
    for number, size in enumerate(sizes):
        raw += write_video(
            tmp_path / f"{number}.h264", 10, size=size, options={"format": "h264"}
        ).read_bytes()
    path = tmp_path / "all.h264"
    path.write_bytes(raw)
    _, frames = _read(path)
    assert [frame.picture.shape[:2] for frame in frames] == [(s[1], s[0]) for s in sizes for _ in range(10)]
    assert _cuts(frames) == [10 * k for k in range(1, len(sizes))]
    assert _times(frames) == pytest.approx([k * STEADY_S for k in range(10 * len(sizes))])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_title_that_is_no_utf_8_harms_nothing(
    tmp_path: Path, write_video: VideoWriter, suffix: str
) -> None:
    path = write_video(tmp_path / f"a.{suffix}", 5)
    with av.open(str(path)) as container, av.open(str(tmp_path / f"b.{suffix}"), "w") as out:
        out.metadata["title"] = "Hauptstrasze"
        stream = out.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    data = (tmp_path / f"b.{suffix}").read_bytes()
    assert b"Hauptstrasze" in data
    path.write_bytes(data.replace(b"Hauptstrasze", b"Hauptstra\xdfe "))
    assert len(_read(path)[1]) == 5


def test_a_codec_that_is_not_known_is_said_to_be_so(tmp_path: Path, write_video: VideoWriter) -> None:
    path = write_video(tmp_path / "a.mkv", 5)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_QUITE/NEW/ONE"))
    with pytest.raises(SourceError, match=r"a\.mkv holds video in a codec that FFmpeg does not know"):
        open_source(str(path))


def test_a_text_file_is_no_video_whatever_its_name(tmp_path: Path) -> None:
    for name in ("tracks.txt", "notes.nfo"):
        (tmp_path / name).write_text("1,1,10,10,50,50,1,-1,-1,-1\n" * 20)
        with pytest.raises(SourceError, match="is a text, not a video"):
            open_source(str(tmp_path / name))


def test_pipes_devices_and_sockets_are_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for name, kind in (("pipe.mp4", "a pipe"), ("s", "a socket"), ("/dev/zero", "a device")):
            with pytest.raises(SourceError, match=f"is {kind}; expected a video file"):
                open_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "loop"])
def test_names_that_the_system_refuses_are_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(SourceError, match="cannot be looked at: "):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "camera"), [(b"stra\xdfe.mp4", r"stra\xdfe"), (b"a\nb\x1b[31m.mp4", r"a\nb\x1b[31m")]
)
def test_any_name_of_a_file_can_be_opened_and_shown(
    tmp_path: Path, write_video: VideoWriter, name: bytes, camera: str
) -> None:
    path = write_video(tmp_path / "a.mp4", 3).rename(tmp_path / os.fsdecode(name))
    source, frames = _read(path)
    assert len(frames) == 3
    assert source.name == camera
    assert source.label.isprintable()
    folder = tmp_path / os.fsdecode(name + b".folder")
    folder.mkdir()
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "1.png").rename(folder / os.fsdecode(name + b".png"))
    source, frames = _read(folder)
    assert len(frames) == 1
    assert source.name.isprintable()


@contextmanager
def _talking(say: bytes, *, every_s: float = 0.0) -> Iterator[str]:
    """Serve HTTP that says something over and over, or once, and never more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ones: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection = server.accept()[0]
                    open_ones.append(connection)
                    connection.sendall(say)
                    while every_s:
                        time.sleep(every_s)
                        connection.sendall(b"X-Wait: yes\r\n")
            except OSError:
                return

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for connection in open_ones:
            connection.close()
        thread.join(5)


@pytest.mark.parametrize(
    ("say", "every_s"),
    [(b"", 0.0), (b"HTTP/1.0 200 OK\r\n", 0.05), (b"HTTP/1.0 200 OK\r\nContent-Length: 99999\r\n\r\n", 0.0)],
    ids=["silent", "endless headers", "no body"],
)
def test_a_server_that_gives_nothing_is_given_up(say: bytes, every_s: float) -> None:
    with _talking(say, every_s=every_s) as address:
        begin = time.monotonic()
        with pytest.raises(SourceError, match=r"127\.0\.0\.1.*cannot be opened \(nothing came for 0\.5 s\)"):
            VideoFile(f"{address}/x.mp4", timeout_s=0.5)
        assert time.monotonic() - begin < 5


def test_no_camera_at_this_machine_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("987", "/dev/video987"):
        with pytest.raises(SourceError, match="there is no camera /dev/video987; "):
            open_source(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "987").mkdir()
    cv2.imwrite("987/1.png", np.zeros((8, 8, 3), np.uint8))
    assert len(_read(Path("987"))[1]) == 1  # what lies there is meant


def test_a_camera_that_may_not_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(SourceError, match=r"may not read the camera /dev/null; add the user to its group"):
        open_webcam(Path("/dev/null"), duration=None, reconnect=Reconnect())


def test_a_device_that_is_no_camera_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = open_webcam(Path("/dev/null"), duration=None, reconnect=Reconnect(attempts=1, timeout_s=1.0))
    assert (stream.name, stream.live) == ("null", True)
    with pytest.raises(SourceError, match=r"/dev/null was given up after 1 try \(Inappropriate ioctl"):
        list(stream.frames())
