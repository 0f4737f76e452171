# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The documented gst-launch lines, run as they stand, give the very events of `pamtri run`."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from in_process import run_in_process
from pamtri_edge.cli import app

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NAMED = "pamtri_edge/weights/pamtri-lite.pamtri"
BUNDLE = ROOT / NAMED
CLIP = "tfl_6600_junction"
LENGTH = 24  # frames of it: the elements are built to be checked, not to be fast


def documented(page: str) -> list[str]:
    """Return the lines of a page that read a clip and its tracks."""
    text = (ROOT / page).read_text()
    lines = re.findall(r"^gst-launch-1\.0 filesrc[^`]*?[^\\]$", text, re.MULTILINE | re.DOTALL)
    found = [line for line in lines if "pamtritracks" in line]
    assert found, f"{page} has no gst-launch line"
    return found


def rendered(folder: Path) -> None:
    """Write a clip in which the pictures of the bundle drive past each other, and their tracks."""
    av = pytest.importorskip("av")
    pictures = np.load(BUNDLE / "golden.npz")["input/images"].transpose(0, 2, 3, 1)
    rows = []
    with av.open(str(folder / "crossing.mp4"), "w") as file:
        stream = file.add_stream("libx264", Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 640, 400, "yuv420p"
        for index in range(20):
            picture = np.full((400, 640, 3), 90, np.uint8)
            for track, vehicle in enumerate(pictures):
                side, left, top = 128 + 16 * track, 5 + 9 * index + 60 * track, 20 + 70 * track
                small = vehicle[np.arange(side) * 256 // side][:, np.arange(side) * 256 // side]
                if index >= 3 * track:
                    picture[top : top + side, left : left + side] = small[: 400 - top, : 640 - left]
                    rows.append(f"{index + 1},{track},{left},{top},{side},{side},1,-1,-1,-1")
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    (folder / "crossing.txt").write_text("\n".join([*rows, ""]))


def beginning(clip: Path, target: Path) -> None:
    """Write the first pictures of a clip as they are encoded."""
    av = pytest.importorskip("av")
    with av.open(str(clip)) as source, av.open(str(target), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        packets = (packet for packet in source.demux(video=0) if packet.dts is not None)
        for packet in islice(packets, LENGTH):
            packet.stream = stream
            file.mux(packet)


def frames_of(path: Path) -> int:
    av = pytest.importorskip("av")
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


@pytest.fixture(params=["rendered", CLIP])
def folder(request: pytest.FixtureRequest, tmp_path: Path, tiny_bundle: Path) -> Path:
    """Return a folder with what the lines name; the many lines of the short clip run a tiny network."""
    bundle = BUNDLE
    if request.param == "rendered":
        rendered(tmp_path)
        bundle = tiny_bundle
    else:
        clips = request.getfixturevalue("shared_data") / "clips"
        beginning(clips / f"{request.param}.mp4", tmp_path / "crossing.mp4")
        tracks = (clips / f"{request.param}.txt").read_text().splitlines()
        length = frames_of(tmp_path / "crossing.mp4")
        kept = [line for line in tracks if int(line.partition(",")[0]) <= length]
        (tmp_path / "crossing.txt").write_text("\n".join([*kept, ""]))
    (tmp_path / NAMED).parent.mkdir(parents=True)
    (tmp_path / NAMED).symlink_to(bundle)
    return tmp_path


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> list[str]:
    """Return what plays the clip: every line for the short one, for the real one the shortest."""
    every = [*documented("docs/gstreamer.md"), *documented("README.md")]
    encoder = subprocess.run(["gst-inspect-1.0", "--exists", "x264enc"])  # gstreamer1.0-plugins-ugly
    if encoder.returncode:
        every = [line for line in every if "x264enc" not in line]
    short = request.node.callspec.params["folder"] == "rendered"
    return every if short else [min(every, key=len)]


def pamtri(*arguments: str) -> None:
    code, _, said = run_in_process(app, *arguments)
    assert code == 0, said


def test_the_line_gives_the_events_of_pamtri_run(real, folder, lines, monkeypatch):
    pytest.importorskip("av")
    monkeypatch.chdir(folder)
    pamtri("tracks", "crossing.txt", "--output", "crossing.csv")
    pamtri(
        "run", "crossing.mp4", "--tracks", "crossing.txt", "--bundle", NAMED,
        "--camera", "crossing", "--output", "out", "--no-video",
    )  # fmt: skip
    expected = (folder / "out" / "events.jsonl").read_text()
    assert expected.count("\n") >= 4
    for line in lines:
        (folder / "events.jsonl").unlink(missing_ok=True)
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, env=real, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        (events,) = re.findall(r"uri=file:(\S+)", line)
        found = (folder / events).read_text().replace('"camera":"camera"', '"camera":"crossing"')
        assert found.splitlines() == expected.splitlines(), line
    if (folder / "overlay.mp4").exists():
        assert frames_of(folder / "overlay.mp4") == frames_of(folder / "crossing.mp4")
