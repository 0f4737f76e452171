# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import resource
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.video.encode import VideoWriter
from pamtri_edge.video.files import VideoFile

BLACK = np.zeros((64, 64, 3), np.uint8)


def _write(path: Path, times: list[float], size: tuple[int, int] = (120, 160)) -> None:
    writer = VideoWriter(path, rate=25)
    for index, time_s in enumerate(times):
        writer.write(np.full((*size, 3), 10 * index % 255, np.uint8), time_s)
    writer.close()


def test_what_is_written_is_h264_that_every_player_reads(tmp_path: Path) -> None:
    _write(tmp_path / "a.mp4", [k / 25 for k in range(10)])
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height, stream.frames) == (160, 120, 10)
        assert float(stream.average_rate or 0) == pytest.approx(25, rel=0.12)


def test_colors_and_uneven_times_survive(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4")
    times = [0.0, 0.04, 0.3, 0.31, 2.0]
    for time_s in times:
        writer.write(np.full((64, 64, 3), (200, 60, 20), np.uint8), time_s)
    writer.close()
    frames = list(VideoFile(tmp_path / "a.mp4").frames())
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=1e-4)
    assert frames[2].picture[30, 30].tolist() == pytest.approx([200, 60, 20], abs=6)


def test_odd_sizes_are_rounded_up_to_even(tmp_path: Path) -> None:
    _write(tmp_path / "a.mp4", [0.0, 0.1], size=(121, 159))
    assert next(iter(VideoFile(tmp_path / "a.mp4").frames())).picture.shape == (122, 160, 3)


@pytest.mark.parametrize(
    ("size", "inside", "outside"),
    [((30, 80), (60, 80), (10, 80)), ((240, 80), (60, 80), (60, 10)), ((240, 320), (60, 80), None)],
    ids=["wider", "taller", "of the same shape"],
)
def test_a_frame_of_another_size_is_fitted_into_the_first(
    tmp_path: Path, size: tuple[int, int], inside: tuple[int, int], outside: tuple[int, int] | None
) -> None:
    writer = VideoWriter(tmp_path / "a.mp4")
    writer.write(np.full((120, 160, 3), 90, np.uint8), 0.0)
    writer.write(np.full((*size, 3), 200, np.uint8), 0.1)
    writer.close()
    first, second = (frame.picture for frame in VideoFile(tmp_path / "a.mp4").frames())
    assert second.shape == first.shape == (120, 160, 3)
    assert second[inside].tolist() == pytest.approx([200] * 3, abs=6)
    if outside is not None:
        assert second[outside].tolist() == pytest.approx([0] * 3, abs=6)


def test_times_that_stand_still_are_spread(tmp_path: Path) -> None:
    _write(tmp_path / "a.mp4", [0.0, 0.0, 0.0])
    assert len(list(VideoFile(tmp_path / "a.mp4").frames())) == 3


def test_the_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    VideoWriter(tmp_path / "without a frame.mp4").close()
    for name, finish in (("discarded", VideoWriter.discard), ("whole", VideoWriter.close)):
        writer = VideoWriter(tmp_path / f"{name}.mp4")
        writer.write(BLACK, 0.0)
        assert not list(tmp_path.glob("[!.]*"))
        finish(writer)
    assert [path.name for path in tmp_path.iterdir()] == ["whole.mp4"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "absent" / "a.mp4")
    with pytest.raises(InputError, match=r"absent/a\.mp4 cannot be written: No such file"):
        writer.write(BLACK, 0.0)


def test_a_place_that_was_taken_or_removed_meanwhile_is_named_and_no_part_is_left(tmp_path: Path) -> None:
    for why, change in (
        ("Is a directory", Path.mkdir),
        ("No such file", lambda path: shutil.rmtree(path.parent)),
    ):
        path = tmp_path / why / "a.mp4"
        path.parent.mkdir()
        writer = VideoWriter(path)
        writer.write(BLACK, 0.0)
        change(path)
        with pytest.raises(InputError, match=rf"a\.mp4 cannot be finished: {why}"):
            writer.close()
    assert [path.name for path in tmp_path.rglob("*")] == ["Is a directory", "a.mp4"]


def test_a_full_disk_is_named_and_no_part_keeps_it_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = VideoWriter(tmp_path / "a.mp4")
    writer.write(BLACK, 0.0)

    class Full:
        def mux(self, packets: Any) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    writer._container.close()
    monkeypatch.setattr(writer, "_container", Full())
    with pytest.raises(InputError, match="cannot be written on: No space left on device"):
        writer.write(BLACK, 1.0)
    with pytest.raises(InputError, match="cannot be finished"):
        writer.discard()
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_keeps_no_part_once_the_file_is_closed(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = VideoWriter(tmp_path / "a.mp4")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        for number in range(12):  # which the encoder keeps until it is closed
            writer.write(picture, number / 25)
        with pytest.raises(InputError, match="File too large"):
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())
