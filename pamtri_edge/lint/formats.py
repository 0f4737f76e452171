# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reports for programs: JSON of our own, and SARIF 2.1.0 for what shows findings beside the code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pamtri_edge.lint.check import Report
from pamtri_edge.lint.finding import Edit, Finding, Insert
from pamtri_edge.lint.rules import RULES
from pamtri_edge.printable import printable
from pamtri_edge.version import VERSION

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def json_report(report: Report, fixed: Mapping[Path, int]) -> str:
    """Return a report as a JSON object with the lists findings, examined, passed_over and unreadable.

    Args:
        report: what was found.
        fixed: findings that were fixed, by file.
    """
    content = {
        "schema": 1,
        "findings": [
            {
                "file": printable(one.path),
                "line": one.line,
                "group": one.group,
                "key": one.key,
                "severity": one.severity,
                "rule": one.rule,
                "problem": one.problem,
                "change": one.change,
                "fixable": bool(one.edits),
            }
            for one in report.findings
        ],
        "examined": [printable(path) for path in report.examined],
        "passed_over": [{"file": printable(p), "kind": k} for p, k in report.passed_over.items()],
        "unreadable": [{"file": printable(p), "reason": r} for p, r in report.unreadable.items()],
        "fixed": [{"file": printable(p), "findings": n} for p, n in fixed.items()],
    }
    return json.dumps(content, indent=2)


def sarif_report(report: Report) -> str:
    """Return a report as SARIF 2.1.0, with the changes as fixes."""
    used = sorted({finding.rule for finding in report.findings})
    driver = {
        "name": "pamtri lint",
        "version": VERSION,
        "rules": [{"id": name, "shortDescription": {"text": RULES[name]}} for name in used],
    }
    notes = [
        {"level": "error", "message": {"text": reason}, "locations": [_place(path, None)]}
        for path, reason in report.unreadable.items()
    ]
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not report.unreadable, "toolExecutionNotifications": notes}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, used) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": finding.severity,
        "message": {"text": f"{finding.problem} {finding.change}"},
        "locations": [_place(finding.path, finding.line)],
    }
    if finding.edits:
        replacements = [_replacement(edit) for edit in finding.edits]
        change = {"artifactLocation": {"uri": _uri(finding.path)}, "replacements": replacements}
        result["fixes"] = [{"description": {"text": finding.change}, "artifactChanges": [change]}]
    return result


def _replacement(edit: Edit) -> dict[str, Any]:
    if isinstance(edit, Insert):
        region = {"startLine": edit.line + 1, "startColumn": 1, "endLine": edit.line + 1, "endColumn": 1}
        return {"deletedRegion": region, "insertedContent": {"text": edit.text + "\n"}}
    region = {
        "startLine": edit.line,
        "startColumn": edit.start + 1,
        "endLine": edit.line,
        "endColumn": edit.end + 1,
    }
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}


def _place(path: Path, line: int | None) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if line is not None:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}


def _uri(path: Path) -> str:
    """Return a path as SARIF has it: relative ones stay relative."""
    text = quote(str(path), safe="/", encoding="utf-8", errors="surrogateescape")
    return f"file://{text}" if path.is_absolute() else text
