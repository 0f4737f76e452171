# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Writing the changes into a file: whole or not at all, every other character as it was."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import staged_file
from pamtri_edge.files.regular import open_regular
from pamtri_edge.lint.check import Options, Report, lint_files
from pamtri_edge.lint.finding import Edit, Finding, Insert, Replace
from pamtri_edge.lint.reading import YAML
from pamtri_edge.lint.yamlfile import Node, read_tree

_LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_MARK: Final = "\ufeff"
_MOST_ROUNDS: Final = 8


def fix_file(path: Path, findings: Iterable[Finding]) -> int:
    """Write the edits of findings into their file; return of how many findings.

    Comments, order and line ends stay. Of edits that touch each other the first is made; what is left shows
    when the file is examined again. A symbolic link stays one, and so do the file's rights.

    Args:
        path: the file.
        findings: those about it; others are passed over.

    Raises:
        InputError: the file cannot be read or written.
    """
    target = Path(os.path.realpath(path))
    chosen = _apart([one for one in findings if one.path == path and one.edits])
    if not chosen:
        return 0
    with open_regular(target, error=InputError) as file:
        text = file.read().decode("utf-8")
    chosen = _readable(path, text, chosen)
    if not chosen:
        return 0
    edits = [edit for finding in chosen for edit in finding.edits]
    try:
        with staged_file(target) as temporary:
            temporary.write_bytes(edited(text, edits).encode("utf-8"))
            shutil.copymode(target, temporary)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; it is as it was.") from error
    return len(chosen)


def _readable(path: Path, text: str, findings: list[Finding]) -> list[Finding]:
    """Return the findings whose edits leave a file that can be read: a line of YAML may hold others up."""

    def reads(kept: list[Finding]) -> bool:
        lines = edited(text, [edit for finding in kept for edit in finding.edits]).splitlines()
        return path.suffix.lower() not in YAML or isinstance(read_tree(path, lines), Node)

    if reads(findings):
        return findings
    kept: list[Finding] = []
    for finding in findings:
        if reads([*kept, finding]):
            kept.append(finding)
    return kept


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made; they do not touch each other.

    Args:
        text: the whole file.
        edits: lines count from 1, characters from 0 (a byte order mark does not count).
    """
    mark = _MARK if text.startswith(_MARK) else ""
    lines = [line for line in _LINES.findall(text[len(mark) :]) if line]
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    wanted = list(edits)
    for edit in sorted((one for one in wanted if isinstance(one, Replace)), key=_place, reverse=True):
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.start] + edit.text + line[edit.end :]
    for insert in sorted(
        (one for one in wanted if isinstance(one, Insert)), key=lambda i: i.line, reverse=True
    ):
        before = lines[insert.line - 1] if insert.line else end
        if not before.endswith(("\n", "\r")):
            lines[insert.line - 1] = before + end
        lines.insert(insert.line, insert.text + end)
    return mark + "".join(lines)


def _place(edit: Replace) -> tuple[int, int]:
    return edit.line, edit.start


def _apart(findings: list[Finding]) -> list[Finding]:
    """Return the findings whose edits do not touch those of an earlier one."""
    chosen: list[Finding] = []
    taken: list[Edit] = []
    for finding in findings:
        if not any(_touch(edit, other) for edit in finding.edits for other in taken):
            chosen.append(finding)
            taken += finding.edits
    return chosen


def _touch(edit: Edit, other: Edit) -> bool:
    if isinstance(edit, Insert) or isinstance(other, Insert):
        return edit == other
    if edit.line != other.line:
        return False
    whole = edit.start == edit.end or other.start == other.end  # a line that becomes a comment
    return whole or (edit.start < other.end and other.start < edit.end)


def fix_all(paths: Iterable[Path], options: Options, report: Report) -> tuple[Report, dict[Path, int]]:
    """Fix what can be fixed in the named files; return what is left, and how many findings went by file.

    Fixing one thing may bring another to light, so that files are examined and fixed again until they are
    as they were.

    Args:
        paths: the files that may be written.
        options: how they are examined.
        report: what was found in them.
    """
    named = list(dict.fromkeys(paths))
    fixed: dict[Path, int] = {}
    for _ in range(_MOST_ROUNDS):
        counts = {path: fix_file(path, report.findings) for path in named}
        if not any(counts.values()):
            break
        for path, count in counts.items():
            if count:
                fixed[path] = fixed.get(path, 0) + count
        report = lint_files(named, options)
    return report, fixed
