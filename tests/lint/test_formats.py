# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reports for programs, and what the command prints."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from deepstream_files import APP, found
from in_process import run_in_process
from pamtri_edge.cli import app
from pamtri_edge.lint.finding import Replace
from pamtri_edge.lint.fixing import edited
from pamtri_edge.lint.rules import RULES

ROOM = Path(__file__).resolve().parents[2] / "pamtri_edge" / "lint"


@pytest.fixture
def wrong(write, right):
    text = right.replace("model-color-format=0", "model-color-format=1")
    text = text.replace("network-mode=2", "network-mode=0")
    return write(text, "a b.txt")


def test_a_finding_is_two_lines_of_text(wrong):
    code, out, err = run_in_process(app, "lint", wrong, columns=80)
    assert code == 1
    assert err == ""
    lines = out.splitlines()
    assert re.fullmatch(r".*a b\.txt:\d+: warning: network-mode: .*\. \[precision\]", lines[0])
    assert lines[1] == "    Write network-mode=2."
    assert lines[-1] == "1 file examined: 2 findings"


def test_files_that_were_followed_are_named(write):
    code, out, _ = run_in_process(app, "lint", write(APP), columns=80)
    assert code == 0
    examined, followed = out.splitlines()
    assert examined == "2 files examined: nothing found"
    assert re.fullmatch(r"Named by another file: .*nvinfer\.txt", followed)


def test_the_report_in_json_has_every_field(wrong):
    code, out, _ = run_in_process(app, "lint", "--format", "json", wrong, "none.txt", columns=80)
    assert code == 2
    report = json.loads(out)
    assert report["schema"] == 1
    assert report["examined"] == [str(wrong)]
    assert [one["file"] for one in report["unreadable"]] == ["none.txt"]
    (precision, color) = report["findings"]
    assert (precision["rule"], color["rule"]) == ("precision", "color-format")
    assert set(color) == {
        *("file", "line", "group", "key", "severity", "rule", "problem", "change", "fixable"),
    }
    assert (color["group"], color["key"], color["severity"]) == ("property", "model-color-format", "error")
    assert color["fixable"] is True


def sarif(*arguments):
    code, out, _ = run_in_process(app, "lint", "--format", "sarif", *arguments, columns=80)
    return code, json.loads(out)


def test_sarif_has_what_its_schema_requires(wrong):
    code, log = sarif(wrong)
    assert code == 1
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "pamtri lint"
    assert all(rule["id"] and rule["shortDescription"]["text"] for rule in driver["rules"])
    assert len(run["results"]) == 2
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in ("error", "warning")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert unquote(urlparse(place["artifactLocation"]["uri"]).path) == str(wrong)
        for fix in result["fixes"]:
            for change in fix["artifactChanges"]:
                assert change["artifactLocation"]["uri"]
                assert all("deletedRegion" in one for one in change["replacements"])


def test_the_fixes_of_sarif_are_those_of_fix(wrong, right):
    _, log = sarif(wrong)
    edits = [
        Replace(
            region["startLine"],
            region["startColumn"] - 1,
            region["endColumn"] - 1,
            replacement["insertedContent"]["text"],
        )
        for result in log["runs"][0]["results"]
        for fix in result["fixes"]
        for replacement in fix["artifactChanges"][0]["replacements"]
        for region in [replacement["deletedRegion"]]
    ]
    assert edited(wrong.read_text(), edits) == right


def test_sarif_of_nothing_has_no_results_and_of_unreadable_files_says_so(write, right):
    code, log = sarif(write(right))
    assert (code, log["runs"][0]["results"]) == (0, [])
    code, log = sarif("none.txt")
    assert code == 2
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "none.txt" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_every_rule_that_is_used_is_described_and_every_one_described_is_used():
    code = "".join(path.read_text() for path in sorted(ROOM.glob("*.py")) if path.name != "rules.py")
    assert [name for name in RULES if f'"{name}"' not in code] == []


def test_the_exit_codes_are_in_the_help():
    code, out, _ = run_in_process(app, "lint", "--help", columns=200)
    assert code == 0
    for line in ("0  nothing was found", "1  there are findings", "2  a file or the bundle cannot be read"):
        assert line in out


def test_a_configuration_is_examined_against_the_bundle_that_is_named(write, small_bundle, tmp_path):
    text = "[property]\nprocess-mode=2\nnetwork-type=1\nonnx-file=/there/model.onnx\nnetwork-mode=0\n"
    path = write(text)
    assert "precision" in [one.rule for one in found(path)]
    assert "precision" not in [
        one.rule for one in found(path, bundle=small_bundle(tmp_path / "small.pamtri"))
    ]


def test_the_documents_name_every_rule_in_its_words():
    page = (ROOM.parents[1] / "docs" / "deepstream.md").read_text()
    section = page.partition("## What is wrong in a configuration\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", section, re.MULTILINE)
    assert rows == list(RULES.items())
