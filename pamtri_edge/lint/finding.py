# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What lint says: one finding, and the edits that would make it go away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning"]
"""An error stops the pipeline or spoils its results; a warning costs time, room or clarity."""


@dataclass(frozen=True)
class Replace:
    """Puts another text in the place of a part of a line.

    Attributes:
        line: number of the line, from 1.
        start: first character that goes, from 0.
        end: the one behind the last that goes; equal to `start` where nothing goes.
        text: what comes in its place, without a line break.
    """

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Insert:
    """Puts a new line behind another.

    Attributes:
        line: number of the line before the new one; 0 for the top of the file.
        text: the new line, without a line break.
    """

    line: int
    text: str


Edit = Replace | Insert


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One mistake in one file.

    Attributes:
        path: the file, as the user or the file before it named it.
        line: number of the line, from 1.
        group: the group or node that the key stands in; "" where there is none.
        key: the key that it is about; "" where it is about a group or the file.
        severity: how bad it is.
        rule: the rule's name, a key of `rules.RULES`.
        problem: what goes wrong at run time, a sentence.
        change: what to write instead, a sentence.
        edits: what `--fix` does; empty where that takes a person.
    """

    path: Path
    line: int
    group: str = ""
    key: str = ""
    severity: Severity
    rule: str
    problem: str
    change: str
    edits: tuple[Edit, ...] = ()
