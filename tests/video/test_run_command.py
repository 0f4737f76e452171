# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri run` as a user meets it: options, messages, exit codes, Ctrl-C."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from in_process import run_in_process
from pamtri_edge.cli import app
from pamtri_edge.errors import BundleError
from pamtri_edge.events import read_events
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.video.files import VideoFile

VideoWriter = Callable[..., Path]

_call = partial(run_in_process, app)


def _car(index: int) -> list[tuple[int, int, int, int, tuple[int, int, int]]]:
    return [(4 + 2 * index, 30, 60, 50, (220, 30, 30))]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, write_video: VideoWriter) -> Path:
    """A video of a car with its track beside; leave them as they are."""
    path = tmp_path_factory.mktemp("clip") / "street.mp4"
    return write_video(path, 40, boxes=_car, options={"movflags": "faststart"})


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, fake_reidentifier: Any) -> list[dict[str, Any]]:
    """Have every bundle load as the fake; return what was asked for at each loading."""
    calls: list[dict[str, Any]] = []

    def load(path: Any = None, **options: Any) -> Any:
        calls.append({"path": path, **options, "fake": fake_reidentifier()})
        return calls[-1]["fake"]

    monkeypatch.setattr(Reidentifier, "load", load)
    return calls


def _run(clip: Path, output: Path, *more: Any) -> tuple[int, str, str]:
    return _call("run", clip, "--tracks", clip.with_suffix(".txt"), "--output", output, *more)


def test_a_run_ends_with_a_table_and_the_places_to_look(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]]
) -> None:
    code, out, err = _run(clip, tmp_path / "out")
    assert code == 0
    (progress,) = (line for line in err.splitlines() if line.strip())  # one line, without a terminal
    assert re.search(r"40/40 frames .*\d+/s", progress)
    table = dict(re.findall(r"^(frames|tracks|events|embedded views)\s{2,}(\S+)", out, re.MULTILINE))
    assert table == {"frames": "40", "tracks": "1", "events": "1", "embedded views": "6"}
    assert re.search(r"^time +\d+\.\d s, [\d.]+ frames/s", out, re.MULTILINE)
    for name in ("events.jsonl", "crops", "annotated.mp4", "summary.json"):
        assert str(tmp_path / "out" / name) in out
    assert [event.camera for event in read_events(tmp_path / "out" / "events.jsonl")] == ["street"]
    assert loaded[0]["fake"].closed


def test_options_reach_the_run(clip: Path, tmp_path: Path, loaded: list[dict[str, Any]]) -> None:
    options = [
        "--bundle",
        "b.pamtri",
        "--threads",
        1,
        "--device",
        "cpu",
        "--backend",
        "openvino",
        "--no-build",
    ]
    options += ["--camera", "north", "--start-utc", "2026-05-31T08:00:00", "--embedding-format", "base64"]
    options += ["--min-size", 100, "--max-views", 1, "--crop-rule", "nvinfer", "--no-video", "--batch", 2]
    code, out, _ = _run(clip, tmp_path / "out", *options)
    assert code == 0
    assert loaded[0].pop("fake").closed
    assert loaded[0].pop("path") == Path("b.pamtri")
    assert loaded[0] == {"device": "cpu", "backend": "openvino", "threads": 1, "build": False}
    record = json.loads((tmp_path / "out" / "events.jsonl").read_text())
    assert isinstance(record["embedding"], str)
    assert (record["camera"], record["start_utc"]) == ("north", "2026-05-31T08:00:00.000Z")
    assert record["below_gate"]  # 60x50 is below 100
    assert record["below_gate_reason"] == ["small"]
    assert all(value % 2 == 0 for value in record["box"])
    assert not (tmp_path / "out" / "annotated.mp4").exists()
    assert "annotated.mp4" not in out


def test_motion_finds_vehicles_by_itself(
    tmp_path: Path, write_video: VideoWriter, loaded: list[dict[str, Any]]
) -> None:
    clip = write_video(tmp_path / "a.mp4", 75, boxes=lambda k: _car(k - 20) if k >= 20 else [])
    code, _, _ = _call("run", clip, "--detector", "motion", "--output", tmp_path / "out")
    assert code == 0
    assert len(list(read_events(tmp_path / "out" / "events.jsonl"))) == 1


def test_what_is_refused_leaves_no_folder(clip: Path, tmp_path: Path) -> None:
    options = ["--tracks", clip.with_suffix(".txt"), "--output", tmp_path / "new" / "out"]
    for more in (["--bundle", tmp_path / "none"], ["--sink", "ftp://host/x"]):
        code, _, err = _call("run", clip, *options, *more)
        assert (code, (tmp_path / "new").exists()) == (1, False), err


def test_several_sources_run_at_once_each_into_its_folder(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]]
) -> None:
    tracks = clip.with_suffix(".txt")
    arguments = ["--tracks", tracks, "--tracks", tracks, "--camera", "north", "--camera", "south"]
    code, out, _ = _call("run", clip, clip, *arguments, "--output", tmp_path / "out", "--format", "jsonl,csv")
    assert code == 0
    assert len(loaded) == 1
    for camera in ("north", "south"):
        events = list(read_events(tmp_path / "out" / camera / "events.jsonl"))
        assert [event.camera for event in events] == [camera]
        assert f"camera {camera}" in out
        assert str(tmp_path / "out" / camera / "events.csv") in out


def test_parquet_without_pyarrow_is_told_before_any_work(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = _run(clip, tmp_path / "out", "--format", "jsonl,parquet")
    assert code == 1
    assert "pip install 'pamtri-edge[parquet]', or name other formats: jsonl,csv" in " ".join(err.split())
    assert loaded == []


_TWO = "a.mp4 b.mp4 --tracks a.txt --tracks a.txt"
_MOTION = "--detector motion"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("a.mp4", 2, "give one: --tracks FILE"),
        (f"a.mp4 --tracks a.txt {_MOTION}", 2, "give either, not both"),
        (f"a.mp4 {_MOTION} --classes car", 2, "whatever moves has no class"),
        (f"a.mp4 {_MOTION} --first-frame 0", 2, "it belongs to --tracks"),
        (f"{{clip}} {_MOTION} --fps 5", 2, "it belongs to a folder of pictures"),
        ("a.mp4 --tracks a.txt --confidence 0.5", 2, "chooses among the detections of a network"),
        (f"a.mp4 {_MOTION} --confidence 0.5", 2, "chooses among the detections of a network"),
        (f"{_TWO} --tracks a.txt", 2, "it is given 3 times for 2 sources"),
        (f"{_TWO} --camera x --camera x --camera x", 2, "it is given 3 times for 2 sources"),
        (f"{_TWO} --start-utc x --start-utc x --start-utc x", 2, "it is given 3 times for 2 sources"),
        ("absent.mp4 --tracks {tracks}", 1, r"there is no video absent\.mp4"),
        ("{clip} --tracks absent.txt", 1, r"there is no track file or folder absent\.txt"),
        ("{clip} --tracks {bad}", 1, r"bad\.txt:1: 3 columns; expected 6 to 12"),
        ("{clip} --tracks {plain} --classes car", 1, "holds no classes, so that --classes car"),
        ("{clip} --detector absent.onnx", 1, r"there is no detector absent\.onnx"),
        ("{clip} --tracks {tracks} --start-utc noon", 1, "'noon' is no ISO 8601"),
        (f"987 {_MOTION}", 1, "there is no camera /dev/video987; "),
        ("{clip} {clip} --tracks {tracks} --tracks {tracks}", 1, "camera name 'street'"),
        ("{clip} --tracks {tracks} --format xml", 1, "the format is 'xml'; accepted: jsonl, csv"),
        ("rtsp://u:secret@n/1 --tracks {tracks}", 1, r"rtsp://\*\*\*@n/1 is a stream"),
    ],
)
def test_wrong_usage_and_bad_input_are_one_readable_sentence_before_any_work(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]], words: str, code: int, message: str
) -> None:
    (tmp_path / "bad.txt").write_text("1,2,3\n")
    (tmp_path / "plain.txt").write_text("1,1,0,0,9,9\n")
    places = {"clip": clip, "tracks": clip.with_suffix(".txt")}
    places |= {name: tmp_path / f"{name}.txt" for name in ("bad", "plain")}
    found, _, err = _call("run", *words.format(**places).split(), "--output", tmp_path / "out")
    assert found == code
    told = " ".join(err.replace("│", "").split())
    assert re.search(message if code == 2 else f"error: .*{message}", told)
    assert "Traceback" not in told
    assert loaded == []
    assert not (tmp_path / "out").exists()


def test_an_output_folder_in_use_is_refused_before_any_work_and_a_broken_bundle_leaves_it_alone(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    assert _run(clip, output)[0] == 0
    before = (output / "events.jsonl").read_bytes()
    code, _, err = _run(clip, output)
    assert (code, len(loaded)) == (1, 1)
    assert "exists and is not empty" in err
    code, _, err = _run(clip, clip / "out")
    assert (code, len(loaded)) == (1, 1)
    assert "cannot be written: Not a directory" in err

    def refuse(*_: Any, **__: Any) -> Any:
        raise BundleError("the bundle is broken.")

    monkeypatch.setattr(Reidentifier, "load", refuse)
    code, _, err = _run(clip, output, "--overwrite")
    assert code == 1
    assert "the bundle is broken" in err
    assert (output / "events.jsonl").read_bytes() == before


def test_a_cut_video_ends_with_its_table_and_exit_code_1(
    clip: Path, tmp_path: Path, loaded: list[dict[str, Any]]
) -> None:
    data, path = clip.read_bytes(), tmp_path / "cut.mp4"
    path.write_bytes(data[: len(data) // 2])
    shutil.copy(clip.with_suffix(".txt"), path.with_suffix(".txt"))
    code, out, err = _run(path, tmp_path / "out")
    assert code == 1
    assert re.search(r"error: .*ended early at frame \d+ of about 40", err)
    assert re.search(r"^events +1 *$", out, re.MULTILINE)
    assert len(list(read_events(tmp_path / "out" / "events.jsonl"))) == 1


_SLOW_RUN = """
import signal, importlib.util, sys, time
spec = importlib.util.spec_from_file_location("videos", {conftest!r})
videos = importlib.util.module_from_spec(spec)
spec.loader.exec_module(videos)
from pamtri_edge import console
from pamtri_edge.cli import app
from pamtri_edge.reidentifier import Reidentifier
from pamtri_edge.video import run

step = run.VideoRun._step
def slow(self, frame):
    step(self, frame)
    print("frame", frame.index, flush=True)
    time.sleep(0.05)

run.VideoRun._step = slow
Reidentifier.load = lambda *_, **__: videos.FakeReidentifier()
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever nohup may have left
console.guarded(lambda: app(sys.argv[1:], prog_name="pamtri"))
"""


@pytest.mark.slow
def test_a_signal_leaves_valid_partial_output(clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    script = tmp_path / "slow.py"
    script.write_text(_SLOW_RUN.format(conftest=str(Path(__file__).with_name("conftest.py"))))
    arguments = ["run", clip, "--tracks", clip.with_suffix(".txt"), "--output", output, "--batch", 1]
    process = subprocess.Popen(
        [sys.executable, str(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if line.startswith("frame 5"):
            break
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGHUP)  # answered by our own handler, as SIGTERM is
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "interrupted: what was done until then is kept" in err
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["complete"], summary["reason"]) == (False, "interrupted")
    assert 5 <= summary["frames"] < 40
    (event,) = read_events(output / "events.jsonl")
    assert event.track_id == 1
    source = VideoFile(output / "annotated.mp4")
    assert len(list(source.frames())) in (summary["frames"], summary["frames"] + 1)
    source.close()
    assert not list(output.rglob("*.part*"))
    assert re.search(r"^events +1 *$", out, re.MULTILINE)
