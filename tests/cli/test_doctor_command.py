# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri doctor` as a person and as a script meet it."""

import json

import pytest
from typer.testing import CliRunner

from pamtri_edge import doctor
from pamtri_edge.cli import app
from pamtri_edge.doctor.findings import Ability, Finding, Report

REPORT = Report(
    "1.2.3",
    (
        Finding("openvino", "OpenVINO", "ok", "2026.4.1, CPU"),
        Finding("cuda", "NVIDIA driver", "missing", "no NVIDIA GPU"),
        Finding("pyds", "pyds (DeepStream)", "unusable", "PyPI's [pyds]", "pip uninstall pyds"),
        Finding("gstreamer", "GStreamer", "missing", "not found", "apt install gstreamer1.0-tools"),
        Finding("bundle", "Default bundle", "missing", "none", "pamtri-export --model lite"),
    ),
    (Ability("run", "pamtri run", ("openvino", "bundle"), ("bundle",)),),
)


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(doctor, "examine", lambda: REPORT)
    return lambda *arguments: CliRunner().invoke(app, ["doctor", *arguments])


def test_it_ends_well_whatever_is_missing(run):
    result = run()
    assert result.exit_code == 0
    assert "OpenVINO" in result.stdout
    assert "lacks bundle" in result.stdout


def test_it_says_how_to_get_what_is_needed_or_broken_and_nothing_else(run):
    said = run().stdout
    assert "To get Default bundle: pamtri-export --model lite" in said
    assert "To get pyds (DeepStream): pip uninstall pyds" in said
    assert "gstreamer1.0-tools" not in said
    assert "PyPI's [pyds]" in said


def test_json_is_the_whole_report_and_nothing_but_json_when_a_requirement_fails_too(run):
    result = run("--json", "--require", "cuda")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["schema"] == 1
    assert report["pamtri_edge"] == "1.2.3"
    assert [finding["name"] for finding in report["findings"]][:2] == ["openvino", "cuda"]
    assert report["findings"][2]["remedy"] == "pip uninstall pyds"
    assert report["abilities"][0] == {
        "name": "run",
        "title": "pamtri run",
        "needs": ["openvino", "bundle"],
        "lacking": ["bundle"],
        "ok": False,
    }


@pytest.mark.parametrize(
    ("required", "code", "words"),
    [
        ("openvino", 0, ""),
        ("openvino,cuda", 1, "required: cuda: no NVIDIA GPU"),
        (" openvino , run ", 1, "required: run: needs bundle"),
    ],
)
def test_require_decides_the_exit_code(run, required, code, words):
    result = run("--require", required)
    assert result.exit_code == code
    assert words in result.stderr
    assert ("required:" in result.stderr) == (code == 1)


def test_an_unknown_requirement_is_wrong_usage_and_lists_the_known(run):
    result = run("--require", "cudda")
    assert result.exit_code == 2
    assert "cudda" in result.stderr
    assert "tensorrt-rtx" in result.stderr
