# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Key files, as GLib reads them: `[group]`, `key=value`, `#` at the beginning of a line.

GLib knows no comment behind a value: it is a part of it, and so are blanks. It reads whole numbers up to the
first blank, which hides that. It refuses the whole file over one line that is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pamtri_edge.lint.document import Document, Entry, Group
from pamtri_edge.lint.finding import Finding, Replace
from pamtri_edge.printable import printable

_WHOLE_NUMBERS: Final = re.compile(r"[+-]?\d+(;[+-]?\d+)*;?(?=\s+(#|;|//))")
"""With a comment behind them, which GLib passes over."""
_GROUP: Final = re.compile(r"(\s*)\[([^\[\]]*)\]\s*")


def read_key_file(path: Path, lines: Sequence[str], *, marked: bool = False) -> Document:
    """Return the groups of a key file.

    Args:
        path: the file.
        lines: its text, without the line breaks.
        marked: whether a byte order mark stands before the first line.
    """
    groups: dict[str, Group] = {}
    findings = [_mark(path)] if marked else []
    group: Group | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if match := _GROUP.fullmatch(line):
            at = (match.start(2), match.end(2))
            group = groups.setdefault(match[2], Group(path, match[2], number, at))
            continue
        key, sign, value = line.partition("=")
        if not sign or not key.strip():
            findings.append(_stray(path, number, line, "is neither [group], key=value nor a comment (#)"))
        elif group is None:
            findings.append(_stray(path, number, line, "stands before the first [group]"))
        else:
            entry = _entry(group, number, key, value)
            if (earlier := group.get(entry.key)) is not None and earlier.value != entry.value:
                findings.append(_twice(earlier, entry))
            group.entries.append(entry)
    return Document(path, "keyfile", tuple(groups.values()), tuple(findings))


def _entry(group: Group, number: int, key: str, value: str) -> Entry:
    key_start = len(key) - len(key.lstrip())
    value_start = len(key) + 1 + len(value) - len(value.lstrip())
    name, text = key.strip(), value.strip()
    key_at = (key_start, key_start + len(name))
    if match := _WHOLE_NUMBERS.match(text):
        text = match[0]
    # GLib takes the return of Windows' line ends away, and nothing else.
    behind = value.lstrip().removesuffix("\r")[len(text) :] if text else ""
    value_at = (value_start, value_start + len(text))
    return Entry(group.path, group.name, name, text, number, key_at, value_at, behind=behind)


def _stray(path: Path, number: int, line: str, what: str) -> Finding:
    return Finding(
        path=path,
        line=number,
        severity="error",
        rule="syntax",
        problem=f"the line {printable(line.strip()[:40])!r} {what}: GLib refuses the whole file over it.",
        change="Write key=value in a group, or begin the line with #.",
        edits=(Replace(number, 0, 0, "# "),) if line.lstrip().startswith((";", "//")) else (),
    )


def _mark(path: Path) -> Finding:
    return Finding(
        path=path,
        line=1,
        severity="error",
        rule="syntax",
        problem="a byte order mark stands before the first line: GLib refuses the whole file over it.",
        change=r"Save the file as UTF-8 without one: sed -i '1s/^\xEF\xBB\xBF//' FILE.",
    )


def _twice(earlier: Entry, entry: Entry) -> Finding:
    return earlier.finding(
        "twice",
        f"{entry.key} is given again on line {entry.line}, which alone counts.",
        "Keep one of the two.",
        severity="warning",
    )
