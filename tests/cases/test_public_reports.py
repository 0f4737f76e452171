# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs that stand for troubles reported in public, and files made to attack: each ends as it should.

They lie in the folder `cases/` beside the real footage; where it is absent these tests skip.
"""

import contextlib
import json
import os
import re
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from in_process import run_in_process
from pamtri_edge import Reidentifier
from pamtri_edge.cli import app
from pamtri_edge.errors import PamtriError

PLAIN = "plain.mp4"


@dataclass(frozen=True)
class Run:
    """A case of `pamtri run`.

    Attributes:
        case: what it shows, in a few words.
        options: source and options, relative to the folder of cases.
        events: track ids of the events; None where any are right.
        says: a pattern that what is printed matches, line breaks aside.
        refused: whether it ends with exit code 1 and a sentence.
    """

    case: str
    options: str
    events: tuple[int, ...] | None = None
    says: str = ""
    refused: bool = False


def motion(case: str, source: str, **expected: object) -> Run:
    return Run(case, f"{source} --detector motion", **expected)  # type: ignore[arg-type]


def tracked(case: str, tracks: str, *ids: int, more: str = "", **expected: object) -> Run:
    return Run(case, f"{PLAIN} --tracks {tracks} {more}", ids, **expected)  # type: ignore[arg-type]


def detected(case: str, network: str, **expected: object) -> Run:
    return Run(case, f"{PLAIN} --detector {network}", **expected)  # type: ignore[arg-type]


RUNS = (
    tracked("frames from 0, as asked", "tracks-frames-from-0/tracks.txt", 1, more="--first-frame 0"),
    Run("frames from 0, unasked", f"{PLAIN} --tracks tracks-frames-from-0/tracks.txt", says="--first-frame"),
    tracked("one id in two classes", "tracks-same-id-per-class/tracks.txt", 1, 2),
    tracked("ignored regions", "tracks-visdrone/tracks.txt", 1),
    tracked("people in gt.txt", "tracks-people-and-signs/gt.txt", 1),
    tracked("people and signs of KITTI", "tracks-people-and-signs/kitti", 1),
    tracked("ids of 64 bits", "tracks-id-of-64-bits/kitti", 18446744073709551611),
    tracked("labels of Ultralytics", "tracks-yolo-labels/labels", 1),
    detected("raw YOLOX", "detector-that-holds/yolox-raw.onnx"),
    detected("YOLOX decoded, small boxes", "detector-decoded-small-boxes/yolox.onnx"),
    detected("YOLOv5", "detector-other-yolo/yolov5.onnx"),
    detected("YOLOv8", "detector-other-yolo/yolov8.onnx"),
    detected("end to end", "detector-other-yolo/end2end.onnx"),
    detected("YOLOv8, a car", "detector-yolov8-transposed/car.onnx"),
    detected("YOLOv8, a person", "detector-yolov8-transposed/person.onnx", events=()),
    detected("own classes", "detector-own-classes/visdrone-pedestrian.onnx", says="--classes", refused=True),
    motion("a frame rate of 30000", "video-false-frame-rate/camera.mkv"),
    motion("a cover picture first", "video-cover-picture-first/drone.mp4"),
    Run("two recordings in one", "video-glued-ts/glued.ts --tracks video-glued-ts/tracks.txt", (1, 2)),
    *(
        motion(f"{name} holds", f"video-formats-that-hold/{name}")
        for name in (
            "vfr.mp4",
            "interlaced.ts",
            "raw_b.h264",
            "hevc10.mkv",
            "mjpeg.avi",
            "wrap.ts",
            "edit.mp4",
            "start5.ts",
        )
    ),
    Run("a title in Latin-1", "hostile/latin1.mp4 --tracks hostile/tracks.txt"),
    Run(
        "an unknown codec", "hostile/unknowncodec.mkv --tracks hostile/tracks.txt", says="codec", refused=True
    ),
    motion("another size from some frame on", "hostile/reschange.h264"),
    Run("a clock that starts again", "hostile/ptsreset.ts --tracks hostile/tracks-late.txt", (9,)),
    Run("a box beyond 2^31", "hostile/clip.mkv --tracks hostile/tracks-far-box.txt"),
    Run("frame 1e19", "hostile/clip.mkv --tracks hostile/tracks-frame-1e19.txt", refused=True),
    Run("a picture of 100000 pixels a side", "hostile/huge-png --tracks hostile/tracks.txt", refused=True),
)

MATCHES = (
    ("control characters", "hostile/ev-esc.jsonl", 0),
    ("surrogates", "hostile/ev-surrogate.jsonl", 1),
    ("deep nesting", "hostile/ev-deep.jsonl", 1),
    ("one track twice", "hostile/ev-dup.jsonl", 0),
)

BUNDLES = {
    "golden-nan": "NaN",
    "tolerance-nan": "",
    "golden-header": "",
    "golden-fewer-expected": "",
    "tolerance-huge": "",
    "deep-json": "",
    "surrogate-file": "",
    "outputs-dropped": "",
    "dynamic": "",
    "fifo": "regular file",
    "dev-zero": "regular file",
    "external-unhashed": "other files",
    "external-torch": "other files",
}
"""What a spoiled bundle is, and a word of the sentence that refuses it."""

REFUSED_WEIGHTS = (
    "int8",
    "bool",
    "fp8",
    "complex",
    "fp64-overflow",
    "sparse",
    "meta",
    "growth-0",
    "negative-variance",
)

CHECKPOINTS = (
    *(f"checkpoint-other-keys/{name}.pth" for name in ("model", "net", "model_state_dict")),
    *(
        f"checkpoint-prefixes/{name}.pth"
        for name in ("lightning", "module_module", "module_orig_mod", "orig_mod")
    ),
    "checkpoint-that-holds/old-densenet-half-parallel.pth.tar",
)


@pytest.fixture(scope="module")
def cases(request: pytest.FixtureRequest) -> Path:
    named = os.environ.get("PAMTRI_SHARED")
    base = Path(named) if named else request.config.rootpath.parent / "shared"
    for folder in (base / "cases", base.parent / "cases"):
        if (folder / "hostile").is_dir():
            return folder
    pytest.skip("the folder of reported cases is not at hand; name its parent in PAMTRI_SHARED")


@pytest.fixture(scope="module")
def network(tiny_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(tiny_bundle, threads=1) as loaded:
        yield loaded


Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(network: Reidentifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Call:
    """Return what runs `pamtri` in a folder, on one network for all; it gives the exit code and one line."""
    monkeypatch.setattr(Reidentifier, "load", lambda *_, **__: contextlib.nullcontext(network))

    def call(folder: Path, *arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        code, out, err = run_in_process(app, *arguments)
        return code, " ".join(f"{out} {err} {caplog.text}".split())

    return call


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.case)
def test_a_run(case: Run, cases: Path, call: Call, tmp_path: Path) -> None:
    output = tmp_path / "out"
    options = (*case.options.split(), "--output", str(output), "--no-video", "--threads", "1")
    code, printed = call(cases, "run", *options)
    assert (code == 1) == case.refused, printed
    assert re.search(case.says, printed), printed
    if not case.refused:
        events = [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]
        assert json.loads((output / "summary.json").read_text())["complete"]
        assert case.events is None or sorted(event["track_id"] for event in events) == sorted(case.events)
        assert all(event["end_s"] >= event["start_s"] for event in events)


@pytest.mark.parametrize(("name", "events", "code"), MATCHES, ids=[name for name, *_ in MATCHES])
def test_events_to_match(name: str, events: str, code: int, cases: Path, call: Call) -> None:
    found, printed = call(cases, "match", events, "hostile/ev-b.jsonl", "--threshold", "0")
    assert found == code, printed
    assert "\x1b" not in printed


@pytest.fixture
def spoil(cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what runs one of the programs that spoil something and load it; it leaves all in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def run(program: str, case: str) -> None:
        monkeypatch.setattr(sys, "argv", [program, case])
        runpy.run_path(str(cases / "hostile" / program), run_name="__main__")

    return run


@pytest.mark.parametrize("case", BUNDLES)
def test_a_spoiled_bundle_is_refused(case: str, spoil: Callable[[str, str], None]) -> None:
    with pytest.raises(PamtriError, match=BUNDLES[case] or None):
        spoil("bundles.py", case)


@pytest.mark.parametrize("case", REFUSED_WEIGHTS)
def test_spoiled_weights_are_refused(case: str, spoil: Callable[[str, str], None]) -> None:
    with pytest.raises(PamtriError):
        spoil("checkpoints.py", case)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_as_training_code_leaves_it_loads(name: str, cases: Path) -> None:
    from pamtri_edge.models import load_pose, load_reid

    refusals = []
    for load in (load_pose, load_reid):
        try:
            load(cases / name)
            return
        except PamtriError as error:
            refusals.append(str(error))
    pytest.fail("\n".join(refusals))


def test_a_picture_with_a_name_that_is_not_utf8(cases: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "pics").mkdir()
    crop = next((cases.parent / "data" / "crops").glob("*.jpg"))
    shutil.copy(crop, os.fsencode(tmp_path / "pics") + b"/caf\xe9.jpg")
    (tmp_path / "tracks.txt").write_text("1,1,50,50,100,100\n")
    code, printed = call(tmp_path, "run", "pics", "--tracks", "tracks.txt", "--output", "o")
    assert code == 0, printed
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["complete"]


def test_pictures_that_macos_left_beside_the_real_ones_are_no_frames(
    cases: Path, call: Call, tmp_path: Path
) -> None:
    crop = next((cases.parent / "data" / "crops").glob("*.jpg"))
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(1, 9):
        shutil.copy(crop, frames / f"{number:06}.jpg")
    (frames / "._000001.jpg").write_bytes(b"\x00\x05\x16\x07" + bytes(60))
    options = ("--tracks", str(cases / "images-appledouble.txt"), "--output", str(tmp_path / "o"))
    code, printed = call(tmp_path, "run", str(frames), *options)
    assert code == 0, printed


def test_colors_of_veris_xml_are_measured(cases: Path, call: Call) -> None:
    code, printed = call(cases, "evaluate", "evaluate-veri-xml")
    assert code == 0, printed
    assert re.search("color", printed), printed
