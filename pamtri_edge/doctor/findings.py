# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an examination of a machine says: findings, what they allow, and the report of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Status = Literal["ok", "missing", "unusable", "skipped"]
"""ok: works. missing: not here. unusable: broken, too old or the wrong thing. skipped: not applicable."""

REPORT_SCHEMA: Final = 1


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        name: the word for it in `--require` and in JSON.
        title: how a person calls it.
        status: how it was found.
        summary: one line: version and kind where it works, the reason where it does not.
        remedy: the command, or the act, that changes this; empty where nothing is to be done.
        facts: what was measured, for programs.
    """

    name: str
    title: str
    status: Status
    summary: str
    remedy: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Tell whether it is here and works."""
        return self.status == "ok"


@dataclass(frozen=True)
class Ability:
    """Something that pamtri-edge can do on a machine that has what it needs.

    Attributes:
        name: the word for it in `--require` and in JSON.
        title: what it is.
        needs: names of the findings that must be ok.
        lacking: those of them that are not.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether this machine can do it."""
        return not self.lacking


@dataclass(frozen=True)
class Report:
    """Everything that was found, and what it allows."""

    version: str
    findings: tuple[Finding, ...]
    abilities: tuple[Ability, ...]

    def __getitem__(self, name: str) -> Finding | Ability:
        """Return the finding or ability of that name; KeyError where there is none."""
        return self._entries[name]

    @property
    def _entries(self) -> dict[str, Finding | Ability]:
        entries: list[Finding | Ability] = [*self.findings, *self.abilities]
        return {entry.name: entry for entry in entries}

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "schema": REPORT_SCHEMA,
            "pamtri_edge": self.version,
            "findings": [asdict(finding) for finding in self.findings],
            "abilities": [{**asdict(ability), "ok": ability.ok} for ability in self.abilities],
        }


def first_line(text: str) -> str:
    """Return the first line of a message that says something, for a one-line summary."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def joined(parts: Sequence[str]) -> str:
    """Join the parts of a summary that are not empty."""
    return ", ".join(part for part in parts if part)
