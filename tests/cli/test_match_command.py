# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri match` as a user meets it: the table, the truth, files, messages."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer

from bare_events import SPACE, bare_event
from in_process import run_in_process
from pamtri_edge import bundle
from pamtri_edge.bundle import open_bundle
from pamtri_edge.cli.match import match
from pamtri_edge.evaluate.threshold import store_threshold
from pamtri_edge.events import Attribute, EventWriter
from pamtri_edge.manifest import Matching

Call = Callable[..., tuple[int, str, str]]
Row = tuple[
    int, Sequence[float], str
]  # track, embedding, color; "below" in it is below the gate, "@7" begins at 7 s


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs the command in this process; the user's cache has no bundle."""
    monkeypatch.setattr(bundle, "default_bundle", lambda: tmp_path / "cache" / "pamtri-lite.pamtri")
    app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(match)

    return partial(run_in_process, app, columns=200)


def write_events(
    folder: Path, camera: str, rows: Sequence[Row], space: str = SPACE, clock: int | None = None
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "events.jsonl"
    with EventWriter(path) as writer:
        for track, vector, said in rows:
            color, _, at = said.partition("@")
            begin = float(at or 0)
            event = bare_event(track, vector, camera=camera, start_s=begin, end_s=begin + 1.0)
            writer.write(
                replace(
                    event,
                    start_utc=None if clock is None else f"2026-05-31T08:{clock:02}:{int(begin):02}Z",
                    below_gate="below" in color,
                    color=Attribute(color, 1.0, {color: 1.0}),
                    embedding_space=space,
                )
            )
    return path


@pytest.fixture
def cameras(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return events of two cameras, three vehicles each, of which two are common, and the truth."""
    a = write_events(
        tmp_path / "a", "a", [(1, [1, 0, 0], "red"), (2, [0, 1, 0], "blue"), (3, [0, 0, 1], "red")]
    )
    b = write_events(
        tmp_path / "b",
        "b",
        [(11, [0, 1, 0.2], "blue"), (12, [1, 0.1, 0], "orange"), (13, [0.1, 0.7, 0.8], "red")],
    )
    truth = tmp_path / "identities.csv"
    truth.write_text(
        "camera,track_id,identity,color\na,1,7,x\na,2,8,x\na,3,9,x\nb,11,8,x\nb,12,7,x\nb,13,5,x\n"
    )
    return a, b, truth


def test_which_vehicle_of_the_first_is_which_of_the_second(
    call: Call, cameras: tuple[Path, Path, Path]
) -> None:
    code, out, _ = call(*cameras[:2])
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["a:", "track", "b:", "track", "cosine", "color,", "type"]
    assert lines[1] == ["1", "12", "0.995", "red/orange"]
    assert lines[2] == ["2", "11", "0.981", "blue"]
    assert lines[3] == ["3", "13", "0.749", "red"]
    assert out.splitlines()[4] == (
        "3 matches among 3 vehicles of a and 3 of b; no threshold, as no bundle suggests one for these "
        "events (--bundle, --threshold)."
    )
    assert call(cameras[0].parent, cameras[1].parent)[1] == out  # the folders of the runs will do


def test_with_the_truth_every_match_is_judged(call: Call, cameras: tuple[Path, Path, Path]) -> None:
    code, out, _ = call(*cameras[:2], "--truth", cameras[2])
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == ["right", "right", "wrong"]
    assert out.splitlines()[-2:] == [
        "2 right and 1 wrong; 2 vehicles seen by both.",
        "mAP 100.0, rank-1 100.0",
    ]


def test_a_threshold_keeps_the_doubtful_out(call: Call, cameras: tuple[Path, Path, Path]) -> None:
    _, out, _ = call(*cameras[:2], "--threshold", 0.8, "--truth", cameras[2])
    assert "2 matches among 3 vehicles of a and 3 of b; threshold 0.8." in out
    assert "2 right and 0 wrong" in out
    code, out, _ = call(*cameras[:2], "--threshold", 1.0)
    assert code == 0
    assert out.startswith("0 matches among")


def test_the_bundle_suggests_the_threshold(
    call: Call, cameras: tuple[Path, Path, Path], tiny_bundle: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.pamtri"
    shutil.copytree(tiny_bundle, mine)
    suggested = Matching(threshold=0.9, false_match_rate=0.002, true_match_rate=0.5, set="street")
    manifest = store_threshold(mine, suggested)
    rows = [(1, [1.0, 0.0], "red"), (2, [0.0, 1.0], "red")]
    a = write_events(tmp_path / "c", "c", rows, manifest.embedding_space)
    b = write_events(
        tmp_path / "d", "d", [(5, [1.0, 1.1], "red"), (6, [1.0, 0.1], "red")], manifest.embedding_space
    )
    _, out, _ = call(a, b, "--bundle", mine)
    assert (
        "1 match among 2 vehicles of c and 2 of d; threshold 0.9; on the bundle's validation set 0.2 %" in out
    )
    assert "2 matches" in call(a, b)[1]  # without the bundle there is no suggestion
    shutil.copytree(mine, tmp_path / "cache" / "pamtri-lite.pamtri")
    assert "threshold 0.9" in call(a, b)[1]  # the default bundle's, as it gave these events
    assert "no threshold" in call(*cameras[:2])[1]  # but not for events of other weights
    code, _, err = call(*cameras[:2], "--bundle", mine)
    assert code == 1
    assert "its threshold says nothing of them" in err
    assert open_bundle(mine).manifest.matching == suggested


def test_matches_as_json_and_as_files(call: Call, cameras: tuple[Path, Path, Path], tmp_path: Path) -> None:
    _, out, _ = call(*cameras[:2], "--truth", cameras[2], "--json", "--output", tmp_path / "matches.csv")
    record = json.loads(out)
    assert record["matches"][0] == {
        "camera_a": "a", "track_a": 1, "track_a_str": "1", "camera_b": "b", "track_b": 12,
        "track_b_str": "12", "cosine": 0.995037, "right": True,
    }  # fmt: skip
    assert record["truth"] == {"correct": 2, "wrong": 1, "common": 2, "mAP": 1.0, "rank1": 1.0}
    assert (record["vehicles"], record["threshold"], record["embedding_space"]) == ([3, 3], None, SPACE)
    with (tmp_path / "matches.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["track_b"] for row in rows] == ["12", "11", "13"]
    assert rows[2]["right"] == "False"
    call(*cameras[:2], "--output", tmp_path / "matches.json")
    assert json.loads((tmp_path / "matches.json").read_text())["truth"] is None
    code, _, err = call(*cameras[:2], "--output", tmp_path / "matches.json")
    assert code == 1
    assert "exists; give another name, or --overwrite" in err
    assert call(*cameras[:2], "--output", tmp_path / "matches.json", "--overwrite")[0] == 0


def test_what_cannot_be_compared_is_one_readable_line(
    call: Call, cameras: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    other = write_events(tmp_path / "e", "e", [(1, [1, 0, 0], "red")], "sha256:5678")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    os.mkfifo(tmp_path / "pipe")
    for arguments, code, words in (
        ([cameras[0], other], 1, "the embeddings are of different spaces"),
        ([cameras[0], empty], 1, "holds no events; was any vehicle seen?"),
        ([cameras[0], tmp_path / "none.jsonl"], 1, "cannot be read"),
        ([tmp_path / "pipe", cameras[0]], 1, "is a pipe; expected a regular file"),
        ([cameras[0], cameras[2]], 1, "events are read from .jsonl"),
        ([*cameras[:2], "--threshold", 2], 2, "--threshold"),
        ([*cameras[:2], "--output", "matches.txt"], 2, "does not end in .json or .csv"),
        ([*cameras[:2], "--truth", cameras[0]], 1, "has no column camera"),
        ([cameras[0], other.parent, "--truth", cameras[2]], 1, "different spaces"),
        ([cameras[0]], 1, "there is one file of events"),
        (["nowhere"], 1, "nowhere cannot be read: No such file"),
        ([*cameras[:2], cameras[0].parent], 1, "events.jsonl is given twice"),
        ([*cameras[:2], "--window", "60,5"], 1, "the window 60,5 ends before it begins"),
        ([*cameras[:2], "--window", "60"], 1, "expected two numbers of seconds"),
        ([*cameras[:2], "--window", "nan,5"], 1, "expected two numbers of seconds"),
        ([*cameras[:2], "--from", "9", "--until", "3"], 1, "ends before it begins: --from 9, --until 3"),
        ([*cameras[:2], "--from", "9", "--until", "2026-05-31"], 1, "expected both in seconds, or both"),
        ([*cameras[:2], "--from", "noon"], 1, "'noon' is no ISO 8601"),
        ([*cameras[:2], "--from", "2026-05-31T08:00"], 1, "have no date and time"),
        ([*cameras[:2], "--from", "9"], 1, "all 3 events are outside --from and --until"),
        ([*cameras[:2], "--same-type"], 1, "tell no type, so that --same-type leaves nothing"),
        ([*cameras[:2], "--pictures", "pairs.gif"], 2, "does not end in .jpg or .png"),
        ([*cameras[:2], "--pictures", "pairs.png"], 1, "--pictures needs the folders that pamtri run wrote"),
    ):
        found, _, err = call(*arguments)
        assert found == code, err
        assert words in " ".join(err.replace("│", " ").split())


def test_two_runs_of_one_camera_are_told_apart_by_their_folders(call: Call, tmp_path: Path) -> None:
    a = write_events(tmp_path / "out", "crossing", [(1, [1, 0], "red")])
    b = write_events(tmp_path / "out-motion", "crossing", [(5, [1, 0.1], "red")])
    _, out, _ = call(a, b)
    assert "crossing (out): track  crossing (out-motion): track" in out
    assert "1 match among 1 vehicle of crossing (out) and 1 of crossing (out-motion)" in out


def test_events_below_the_gate_are_left_out_unless_asked_for(call: Call, tmp_path: Path) -> None:
    a = write_events(tmp_path / "a", "a", [(1, [1, 0], "red"), (2, [0, 1], "blue, below")])
    b = write_events(tmp_path / "b", "b", [(5, [0, 1], "blue"), (6, [1, 0.1], "red")])
    _, out, _ = call(a, b)
    assert "1 match among 1 vehicle of a and 2 of b" in out
    assert "Left out as below the gate: 1 of a, 0 of b (--no-gate keeps them)." in out
    _, out, _ = call(a, b, "--no-gate")
    assert "2 matches among 2 vehicles of a and 2 of b" in out
    assert "left out" not in out
    below = write_events(tmp_path / "c", "c", [(1, [1, 0], "below")])
    code, _, err = call(below, b)
    assert code == 1
    assert "the one event is below the gate" in err


def test_of_events_of_one_track_the_last_counts(
    call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = write_events(tmp_path / "a", "a", [(1, [0, 1], "red"), (2, [1, 1], "red"), (1, [1, 0], "red")])
    b = write_events(tmp_path / "b", "b", [(5, [1, 0.1], "red")])
    record = json.loads(call(a, b, "--json")[1])
    assert record["vehicles"] == [2, 1]
    assert [(match["track_a"], match["cosine"]) for match in record["matches"]] == [(1, 0.995037)]
    assert (
        "1 event is followed by another of the same camera and track; the last of each counts" in caplog.text
    )


def test_of_three_cameras_each_is_compared_with_every_other(
    call: Call, cameras: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    write_events(tmp_path / "c", "c", [(21, [1, 0, 0.1], "red")])
    code, out, _ = call(tmp_path)  # the folder with the runs of all
    assert code == 0
    assert [line.split(" among")[0] for line in out.splitlines() if " among " in line] == [
        "3 matches",
        "1 match",
        "1 match",
    ]
    record = json.loads(
        call(*cameras[:2], tmp_path / "c", "--json", "--truth", _with(cameras[2], "c,21,7,x"))[1]
    )
    assert record["vehicles"] == [3, 3, 1]
    assert {(row["camera_a"], row["camera_b"]) for row in record["matches"]} == {
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    }
    assert (record["truth"]["correct"], record["truth"]["wrong"]) == (4, 1)
    assert record["truth"]["pairs"][0]["cameras"] == ["a", "b"]


def _with(truth: Path, row: str) -> Path:
    truth.write_text(f"{truth.read_text()}{row}\n")
    return truth


def test_a_window_and_a_color_leave_out_what_cannot_be(
    call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = write_events(tmp_path / "a", "a", [(1, [1, 0], "red@0"), (2, [0, 1], "blue@10")])
    b = write_events(tmp_path / "b", "b", [(5, [1, 0.1], "red@50"), (6, [1, 0.3], "blue@20")])

    def pairs(*options: Any) -> set[tuple[int, int]]:
        record = json.loads(call(a, b, *options, "--json")[1])
        return {(row["track_a"], row["track_b"]) for row in record["matches"]}

    assert pairs() == {(1, 5)}
    assert pairs("--window", "0,30") == {(1, 6)}  # the most alike, 50 s later, is too late
    assert pairs("--window", "-5,-1") == set()
    assert pairs("--same-color") == {(1, 5), (2, 6)}
    assert pairs("--same-color", "--window", "40,60") == {(1, 5)}
    assert pairs("--from", "5", "--until", "30") == {(2, 6)}
    assert "as if they began at one moment" in caplog.text


def test_a_window_goes_by_the_clock_where_there_is_one(
    call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = write_events(tmp_path / "a", "a", [(1, [1, 0], "red@0")], clock=0)
    b = write_events(tmp_path / "b", "b", [(5, [1, 0.1], "red@0")], clock=2)
    assert json.loads(call(a, b, "--window", "100,130", "--json")[1])["matches"]
    assert not json.loads(call(a, b, "--window", "0,60", "--json")[1])["matches"]
    late = "2026-05-31T08:01:00Z"
    code, _, err = call(a, b, "--from", late)
    assert code == 1
    assert "a/events.jsonl: the one event is outside --from and --until" in err
    assert "1 of a" not in call(b, b, "--from", late)[1]
    assert not caplog.text


def test_matched_pairs_are_drawn_side_by_side(
    call: Call, cameras: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    for folder, tracks in (("a", (1, 2, 3)), ("b", (11, 12))):  # one crop is missing
        (tmp_path / folder / "crops").mkdir()
        for track in tracks:
            picture = np.full((40, 60, 3), 20 * track, np.uint8)
            cv2.imwrite(str(tmp_path / folder / "crops" / f"{track}.jpg"), picture)
    code, _, err = call(*cameras[:2], "--truth", cameras[2], "--pictures", tmp_path / "pairs.png")
    assert code == 0
    assert f"written: {tmp_path / 'pairs.png'}" in err
    sheet = cv2.imread(str(tmp_path / "pairs.png"))
    assert sheet is not None
    assert sheet.shape[1] > 3 * 2 * 200
    middle = [sheet[87, 12 + at * 412 + side].tolist() for at in range(3) for side in (100, 300)]
    assert [value[0] for value in middle] == [20, 240, 40, 220, 60, 226]  # the last is a missing picture
    assert call(*cameras[:2], "--pictures", tmp_path / "pairs.png")[0] == 1
    _, _, err = call(*cameras[:2], "--threshold", 1, "--pictures", tmp_path / "none.png")
    assert "no pairs, so no pictures were written" in err
    assert not (tmp_path / "none.png").exists()
