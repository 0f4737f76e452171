# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri bench` as a person and as a script meet it."""

import importlib
import json

import cv2
import pytest
from typer.testing import CliRunner

from pamtri_edge.cli import app
from pamtri_edge.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:.*untrained weights")


@pytest.fixture
def run(tiny_bundle):
    def go(*arguments, bundle=tiny_bundle):
        given = ["bench", "--bundle", str(bundle), "--seconds", "0.1", *map(str, arguments)]
        return CliRunner().invoke(app, given, env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})

    return go


def test_json_is_all_of_it_and_nothing_but_json_each_number_of_threads_in_a_row(run, monkeypatch):
    monkeypatch.setattr(importlib.import_module("pamtri_edge.cli.bench"), "available_processors", lambda: 2)
    asked = ("--batch", 2, "--batch", 2, "--threads", 1, "--threads", 2, "--minutes", "0.005")
    report = json.loads(run(*asked, "--format", "json").stdout)
    assert [(row["threads"], row["batch"], row["pad_waste"]) for row in report["speeds"]] == [
        (1, 2, 0),
        (2, 2, 0),
    ]
    assert all(row["vehicles_per_s"] > 0 for row in report["speeds"])
    assert report["sustained"]["pace"] in ("kept", "throttled", "disturbed")
    assert sum(window["vehicles_per_s"] > 0 for window in report["sustained"]["windows"]) >= 1
    assert report["device"]["backend"] == "openvino"


def test_a_row_a_batch_size_the_best_of_them_and_a_picture_that_is_not_replaced_unasked(run, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "speed.png"
    result = run("--batch", 1, "--batch", 3, "--png", path)
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [row[0] for row in rows if row and row[0] in ("1", "3")] == ["1", "3"]
    assert "most vehicles a second" in result.stdout
    assert "padding" not in result.stdout  # OpenVINO pads nothing
    assert cv2.imread(str(path)).shape[1] > 600
    before = path.read_bytes()
    again = run("--batch", 1, "--png", path)
    assert isinstance(again.exception, InputError)
    assert "--overwrite" in str(again.exception)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["speed.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch", 0], "greater than or equal to 1"),
        (["--batch", "many"], "valid integer"),
        (["--threads", 0], "greater than or equal to 1"),
        (["--threads", 4096], "4096 threads are too many"),
        (["--threads", 1, "--device", "cuda"], "leave --threads out"),
        (["--seconds", 0], "greater than or equal to 0.1"),
        (["--minutes", -1], "greater than or equal to 0"),
        (["--format", "xml"], "xml"),
        (["--png", "speed.jpg"], "does not end in .png"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(run, arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_without_a_bundle_or_a_folder_it_says_what_is_missing(run, tmp_path):
    assert "nothing.pamtri" in str(run(bundle=tmp_path / "nothing.pamtri").exception)
    assert "no folder" in str(run("--png", tmp_path / "none" / "speed.png").exception)
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in str(run("--png", tmp_path / "folder.png").exception)
