# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri embed` and `pamtri compare` as a user meets them: files, messages, what becomes of bad pictures."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from in_process import run_in_process
from pamtri_edge import Reidentification, Reidentifier, samples
from pamtri_edge.cli import app, compare
from pamtri_edge.events.event import _embedding
from pamtri_edge.manifest_fields import Matching

Call = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.filterwarnings("ignore:.*untrained.*")


@pytest.fixture(scope="module")
def network(tiny_bundle: Path) -> Iterator[Reidentifier]:
    with Reidentifier.load(tiny_bundle, threads=1) as loaded:
        yield loaded


@pytest.fixture
def call(network: Reidentifier, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return a function that runs `pamtri` in this process, on one network for all."""
    monkeypatch.setattr(Reidentifier, "load", lambda *_, **__: nullcontext(network))
    return partial(run_in_process, app, columns=200)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Return a folder with three pictures and a file that is none."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for name, crop in zip("abc", samples.crops(3), strict=True):
        cv2.imwrite(str(folder / f"{name}.png"), crop[..., ::-1])
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_folder_becomes_a_file_that_loads_again(
    tiny_bundle: Path, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAMTRI_BUNDLE", str(tiny_bundle))
    call = partial(run_in_process, app, columns=200)
    code, out, err = call("embed", crops, crops / "a.png", "--output", tmp_path / "out.npz")
    assert code == 0, err
    assert out.splitlines() == ["4 vehicles embedded", f"written: {tmp_path / 'out.npz'}"]
    assert "4/4 pictures" in err
    found = Reidentification.load(tmp_path / "out.npz")
    assert found.names == tuple(str(crops / name) for name in ("a.png", "b.png", "c.png", "a.png"))
    assert np.array_equal(found.embeddings[0], found.embeddings[3])
    assert call("embed", crops, "--output", tmp_path / "out.npz")[0] == 1
    assert call("embed", crops, "--output", tmp_path / "out.npz", "--overwrite")[0] == 0


def test_the_other_forms_hold_the_same(call: Call, crops: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for suffix in ("npz", "jsonl", "csv", "parquet"):
        assert call("embed", crops, "--output", tmp_path / f"out.{suffix}")[0] == 0
    found = Reidentification.load(tmp_path / "out.npz")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines == found.to_dicts()
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    for at, one in enumerate(found):
        assert rows[at]["name"] == table[at]["name"] == one.name
        assert rows[at]["color"] == table[at]["color"] == one.color
        assert np.allclose(_embedding(rows[at]["embedding"]), one.embedding, atol=1e-3)
        assert np.array_equal(np.float32(table[at]["embedding"]), one.embedding)
        assert np.array_equal(np.float32(table[at]["keypoints"]), one.keypoints)  # type: ignore[arg-type]


def test_bad_pictures_stop_it_before_anything_is_done(call: Call, crops: Path, tmp_path: Path) -> None:
    (crops / "empty.jpg").write_bytes(b"")
    (crops / "page.jpg").write_text("<html>")
    code, _, err = call("embed", crops, tmp_path / "none.jpg", "--output", tmp_path / "out.npz")
    assert code == 1
    assert "empty.jpg is empty (0 bytes)" in err
    assert "page.jpg is a web page, not a picture" in err
    assert f"there is no picture {tmp_path / 'none.jpg'}" in err
    assert not (tmp_path / "out.npz").exists()


def test_bad_pictures_are_left_out_where_that_is_asked_for(
    call: Call, crops: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (crops / "empty.jpg").write_bytes(b"")
    code, out, _ = call("embed", crops, "--output", tmp_path / "out.npz", "--unreadable", "skip")
    assert code == 0
    assert "3 vehicles embedded; 1 picture left out as unreadable" in out
    assert "left out: " in caplog.text
    assert len(Reidentification.load(tmp_path / "out.npz")) == 3
    code, _, err = call("embed", crops / "empty.jpg", "--output", tmp_path / "o.npz", "--unreadable", "skip")
    assert code == 1
    assert "none of 1 picture can be read; nothing was written." in err


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        ("out.pkl", 2, "does not end in .npz or .jsonl or .csv or .parquet"),
        ("nowhere/out.npz", 1, "there is no folder"),
        ("crops", 2, "does not end in .npz"),
        ("folder.npz", 1, "is a folder; give the name of a file"),
    ],
)
def test_a_bad_output_is_refused_before_any_work(
    call: Call, crops: Path, tmp_path: Path, output: str, code: int, said: str
) -> None:
    (tmp_path / "folder.npz").mkdir()
    found, _, err = call("embed", crops, "--output", tmp_path / output, "--overwrite")
    assert found == code
    assert said in err


def test_an_input_is_never_the_output(call: Call, crops: Path) -> None:
    (crops / "old.npz").write_bytes((crops / "a.png").read_bytes())
    code, _, err = call("embed", crops / "old.npz", "--output", crops / "old.npz", "--overwrite")
    assert code == 1
    assert "is the input" in err


def test_parquet_without_pyarrow_is_told_before_any_work(
    call: Call, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = call("embed", crops, "--output", tmp_path / "out.parquet")
    assert code == 1
    assert "pip install 'pamtri-edge[parquet]', or write .npz, .jsonl or .csv." in " ".join(err.split())


def test_a_name_that_is_no_unicode_is_spelled_out(call: Call, crops: Path, tmp_path: Path) -> None:
    odd = os.fsdecode(bytes(crops) + b"/\xe9.png")
    (crops / "a.png").rename(odd)
    assert call("embed", odd, "--output", tmp_path / "out.jsonl")[0] == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["name"].endswith("\\xe9.png")
    assert call("embed", odd, "--output", tmp_path / "out.npz")[0] == 0
    assert Reidentification.load(tmp_path / "out.npz").names == (odd,)


def test_two_pictures_are_compared(call: Call, crops: Path) -> None:
    code, out, _ = call("compare", crops / "a.png", crops / "a.png")
    assert code == 0
    assert "cosine 1.000: the bundle suggests no threshold" in out
    lines = out.splitlines()
    assert lines[0].split() == ["a.png", "a.png"]
    assert [line.split()[0] for line in lines[1:4]] == ["color", "type", "quality"]
    record = json.loads(call("compare", crops / "a.png", crops / "b.png", "--json")[1])
    assert record["match"] is None
    assert record["pictures"][1]["name"] == str(crops / "b.png")
    assert -1 <= record["cosine"] <= 1


def test_a_picture_that_cannot_be_compared_is_named(call: Call, crops: Path) -> None:
    for bad, said in (
        (crops / "notes.txt", "not a picture"),
        (crops, "is a folder"),
        ("no.jpg", "there is no"),
    ):
        code, _, err = call("compare", crops / "a.png", bad)
        assert code == 1
        assert said in err


def test_the_verdict_says_what_the_threshold_is_worth() -> None:
    suggested = Matching(threshold=0.5, false_match_rate=0.01, true_match_rate=0.4, set="street")
    verdict = compare._verdict
    assert verdict(0.5, suggested) == (
        "at least the threshold 0.5 that the bundle suggests, so taken for one vehicle. On its "
        "validation set 1 % of the pairs of different vehicles reach it, and 40 % "
        "of the pairs of one vehicle."
    )
    assert "below the threshold 0.5 that the bundle suggests, so not taken" in verdict(0.499, suggested)


def test_a_damaged_picture_is_named_once_and_its_decoder_says_nothing_beside(tmp_path: Path) -> None:
    crop = samples.crops(1)[0]
    program = "import sys, typer\nfrom contextlib import suppress\nfrom pathlib import Path\n"
    program += "from pamtri_edge import console, pictures\napp = typer.Typer()\n"
    program += "@app.command()\ndef read(path: Path): pictures.read_picture(path)\n"
    program += "for name in sys.argv[1:]:\n    sys.argv = ['read', name]\n"
    program += "    with suppress(SystemExit):\n        console.run(app)"
    for name in ("a.jpg", "b.bmp"):
        content = cv2.imencode(Path(name).suffix, crop)[1].tobytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    command = [sys.executable, "-c", program, str(tmp_path / "a.jpg"), str(tmp_path / "b.bmp")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = found.stderr.splitlines()
    assert first.startswith(f"error: {tmp_path / 'a.jpg'} is a damaged JPEG")
    assert second.startswith(f"error: {tmp_path / 'b.bmp'} cannot be decoded")
