# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri_edge.errors import MissingDependencyError, SourceError
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.frames import Frame, Source
from pamtri_edge.video.images import natural_key
from pamtri_edge.video.opening import OpenError, open_container
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.streams import Stream

VideoWriter = Callable[..., Path]

FASTSTART = {"movflags": "faststart"}


def _read(source: Source) -> list[Frame]:
    frames = list(source.frames())
    source.close()
    return frames


def _read_until_error(source: Source) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    with pytest.raises(SourceError) as caught:
        frames.extend(source.frames())  # keeps what came before the error
    source.close()
    return frames, str(caught.value)


def _images(folder: Path, names: list[str], size: tuple[int, int] = (32, 24)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for shade, name in enumerate(names):
        picture = np.full((size[1], size[0], 3), (10 * shade, 100, 200), np.uint8)
        cv2.imwrite(str(folder / name), picture)
    return folder


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_a_video_gives_all_its_frames_in_order(tmp_path: Path, write_video: VideoWriter, suffix: str) -> None:
    source = open_source(str(write_video(tmp_path / f"north.{suffix}", 30)))
    frames = _read(source)
    assert [frame.index for frame in frames] == list(range(30))
    assert [frame.time_s for frame in frames] == pytest.approx([k / 25 for k in range(30)], abs=1e-3)
    assert (source.name, source.live, source.rate, source.lost) == ("north", False, 25.0, 0)
    assert source.total == 30


def test_reordered_frames_come_in_the_order_of_their_times(tmp_path: Path, write_video: VideoWriter) -> None:
    codec = {"preset": "medium", "bf": "3", "threads": "1"}
    times = [frame.time_s for frame in _read(VideoFile(write_video(tmp_path / "a.mp4", 30, codec=codec)))]
    assert times == pytest.approx([k / 25 for k in range(30)])


def test_a_variable_frame_rate_keeps_its_times_from_the_first_frame_on(
    tmp_path: Path, write_video: VideoWriter
) -> None:
    pts = [100, 101, 105, 106, 130, 155]
    times = [frame.time_s for frame in _read(VideoFile(write_video(tmp_path / "a.mkv", 6, pts=pts)))]
    assert times[0] == 0.0
    assert times == pytest.approx([(p - 100) / 25 for p in pts], abs=1e-3)


@pytest.mark.parametrize(
    ("sides", "corner"),
    [
        ((-1, 0, 0, 1), (4, -5)),
        ((1, 0, 0, -1), (-5, 4)),
        ((0, 1, 1, 0), (4, 4)),
        ((0, -1, -1, 0), (-5, -5)),
        ((0, -1, 1, 0), (-5, 4)),
        ((-1, 0, 0, -1), (-5, -5)),
        ((0, 1, -1, 0), (4, -5)),
    ],
    ids=["across", "down", "over the diagonal", "over the other", "to the left", "around", "to the right"],
)
def test_a_mirrored_or_turned_camera_gives_pictures_as_they_are_shown(
    tmp_path: Path, write_video: VideoWriter, sides: tuple[int, int, int, int], corner: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "a.mp4", 1)
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # of the track's header: a, b, u, c, d, v, x, y, w
    a, b, c, d = (side << 16 for side in sides)
    struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    (frame,) = _read(VideoFile(path))
    assert frame.picture.shape == ((120, 160, 3) if sides[0] else (160, 120, 3))
    assert frame.picture.flags.c_contiguous
    assert frame.picture[corner][1] > 200
    assert frame.picture[corner][0] < 60


def test_a_duration_ends_a_video_sooner(tmp_path: Path, write_video: VideoWriter) -> None:
    source = open_source(str(write_video(tmp_path / "a.mp4", 50)), duration=0.5)
    assert source.total == 12
    assert len(_read(source)) == 13  # 0.00 to 0.48


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mp4", FASTSTART), ("a.mp4", {"movflags": "frag_keyframe+empty_moov"}), ("a.mkv", {}), ("a.avi", {})],
    ids=["mp4", "fragmented mp4", "mkv", "avi"],
)
def test_a_cut_file_gives_what_it_has_then_says_where_it_ended(
    tmp_path: Path, write_video: VideoWriter, name: str, options: dict[str, str]
) -> None:
    path = write_video(tmp_path / name, 60, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    frames, message = _read_until_error(VideoFile(path))
    assert 15 < len(frames) < 45
    assert f"ended early at frame {len(frames)}" in message
    assert "cut or damaged" in message
    if "frag" not in str(options):  # a fragmented file does not say how long it will be
        assert f"at frame {len(frames)} of about 60" in message


def test_a_cut_file_within_the_wanted_duration_is_no_error(tmp_path: Path, write_video: VideoWriter) -> None:
    path = write_video(tmp_path / "a.mkv", 60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert len(_read(VideoFile(path, duration=0.4))) == 10


def test_damage_in_the_middle_costs_frames_but_keeps_the_numbers_of_the_others(
    tmp_path: Path, write_video: VideoWriter, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "a.mp4", 60, options=FASTSTART)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(data)
    source = VideoFile(path)
    frames = _read(source)
    assert source.lost > 0
    assert len(frames) == 60 - source.lost
    assert [frame.index for frame in frames] == [round(frame.time_s * 25) for frame in frames]
    assert frames[-1].index == 59
    assert "could not be decoded" in caplog.text


def test_an_mp4_without_its_index_is_refused(tmp_path: Path, write_video: VideoWriter) -> None:
    path = write_video(tmp_path / "a.mp4", 30)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(SourceError, match="was cut off before its index was written"):
        open_source(str(path))


@pytest.mark.parametrize("name", ["2026-11-29T10:30:00.mp4", "http:a.mp4", "concat:a.mp4", "-", "data:,x"])
def test_a_colon_in_a_name_is_no_protocol(
    tmp_path: Path, write_video: VideoWriter, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_video(Path("a.mp4"), 3).rename(name)
    assert len(_read(open_source(name))) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no video at all" * 50, "not a video that can be read"),
        (b"", r"empty \(0 bytes\), not a video"),
        (bytes(5000), "nothing but zeros, not a video"),
        (b"\n<!DOCTYPE html><html>", "a web page, not a video"),
        (b'{"error": 404}', "JSON, not a video"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS .*, not a video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"a\.mp4 is {message}"):
        open_source(str(path))


@pytest.mark.parametrize("name", ["%04d.png", "frame*.jpg"])
def test_a_pattern_of_names_is_told_from_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=f"looks like a pattern of names; .* Give the folder {tmp_path}"):
        open_source(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.mkv", "holds no frames"), ("a.mp4", r"holds no video \(streams in it: nothing\)")],
)
def test_a_video_without_frames_says_so(
    tmp_path: Path, write_video: VideoWriter, name: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(str(write_video(tmp_path / name, 0)))


def test_a_video_whose_frames_are_all_broken_says_so(tmp_path: Path, write_video: VideoWriter) -> None:
    path = write_video(tmp_path / "a.mp4", 10, options=FASTSTART)
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[:start] + bytes(len(data) - start))
    frames, message = _read_until_error(VideoFile(path))
    assert frames == []
    assert "holds no frames that can be decoded (Invalid data" in message


def test_a_sound_file_is_no_video(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(SourceError, match=r"holds no video \(streams in it: audio\)"):
        open_source(str(path))


def test_a_video_that_does_not_exist_is_named_and_a_folder_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no video .*absent\.mp4"):
        open_source(str(tmp_path / "absent.mp4"))
    with pytest.raises(SourceError, match=r"holds no pictures; expected files ending in \.jpg"):
        open_source(str(tmp_path))


def test_addresses_are_streams_but_files_behind_one_are_files(
    tmp_path: Path, write_video: VideoWriter
) -> None:
    stream = open_source("rtsp://user:secret@north.example:554/main")
    assert isinstance(stream, Stream)
    assert (stream.label, stream.name) == ("rtsp://***@north.example:554/main", "north.example")
    path = write_video(tmp_path / "a.mp4", 2)
    assert isinstance(open_source(path.as_uri()), VideoFile)


def test_a_host_that_no_server_of_names_knows_is_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OpenError, match=r"^no host of that name is known here$"):
        open_container("rtsp://camera.invalid/main", timeout_s=20)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [])  # it is known, and FFmpeg fails all the same
    with pytest.raises(OpenError, match="Input/output error"):
        open_container("rtsp://camera.invalid/main", timeout_s=20)


def test_without_pyav_the_error_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"")
    with pytest.raises(MissingDependencyError, match=r'pip install "pamtri-edge\[video\]"'):
        open_source(str(path))
    with pytest.raises(MissingDependencyError):
        open_source("rtsp://north.example/main")


def test_a_folder_of_images_plays_in_natural_order(tmp_path: Path) -> None:
    folder = _images(tmp_path / "south", ["f1.png", "f2.png", "f10.png"])
    (folder / "notes.txt").write_text("not an image")
    source = open_source(str(folder), fps=5)
    frames = _read(source)
    assert [int(frame.picture[0, 0, 2]) for frame in frames] == [0, 10, 20]
    assert frames[0].picture[0, 0].tolist() == [200, 100, 0]
    assert [frame.time_s for frame in frames] == [0.0, 0.2, 0.4]
    assert (source.name, source.total, source.rate) == ("south", 3, 5)
    source = open_source(str(folder), fps=10, duration=0.15)
    assert (source.total, len(_read(source))) == (2, 2)


@pytest.mark.parametrize("given", ["MOT17-02", "MOT17-02/img1"])
def test_a_sequence_of_motchallenge_tells_its_rate(tmp_path: Path, given: str) -> None:
    _images(tmp_path / "MOT17-02" / "img1", ["000001.jpg", "000002.jpg"])
    (tmp_path / "MOT17-02" / "seqinfo.ini").write_text("[Sequence]\nname=a%b\nframeRate=30\n")
    source = open_source(str(tmp_path / given))
    assert (source.name, source.total, source.rate) == ("MOT17-02", 2, 30)
    assert open_source(str(tmp_path / given), fps=5).rate == 5
    (tmp_path / "MOT17-02" / "seqinfo.ini").write_text("frameRate=thirty")
    assert open_source(str(tmp_path / given)).rate == 10


def test_a_broken_image_ends_the_folder_early(tmp_path: Path) -> None:
    folder = _images(tmp_path / "a", ["1.png", "2.png", "3.png"])
    (folder / "2.png").write_bytes(b"not a picture")
    frames, message = _read_until_error(open_source(str(folder)))
    assert len(frames) == 1
    assert "ended early at frame 1 of 3: " in message
    assert "2.png is something else, not a picture" in message


def test_images_of_two_sizes_play_with_a_cut_between_them(tmp_path: Path) -> None:
    folder = _images(tmp_path / "a", ["1.png", "2.png"])
    _images(folder, ["3.png", "4.png"], size=(48, 20))
    frames = _read(open_source(str(folder)))
    assert [frame.picture.shape for frame in frames] == [(24, 32, 3)] * 2 + [(20, 48, 3)] * 2
    assert [frame.cut for frame in frames] == [False, False, True, False]


def test_numbers_in_names_are_compared_as_numbers() -> None:
    names = ["b2", "a10", "a9", "a", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "a9", "a10", "b2"]


def test_a_playlist_that_was_never_ended_is_read_to_what_is_there(
    tmp_path: Path, write_video: VideoWriter
) -> None:
    playlist = write_video(tmp_path / "live.m3u8", 10, options={"hls_time": "0.2"})
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST", ""))
    begin = time.monotonic()
    assert len(_read(VideoFile(playlist))) == 10
    assert time.monotonic() - begin < 3.0  # FFmpeg alone looks a thousand times for more
