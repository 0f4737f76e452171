# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A configuration as lint sees it: groups of keys with their places, whichever syntax it is written in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pamtri_edge.lint.finding import Finding, Insert, Replace, Severity

Syntax = Literal["keyfile", "yaml"]


class _Place(ABC):
    """What a finding can be about."""

    path: Path
    line: int

    @abstractmethod
    def _names(self) -> tuple[str, str]:
        """Return the names of its group and of its key, "" for none."""

    def finding(
        self,
        rule: str,
        problem: str,
        change: str,
        *,
        key: str | None = None,
        severity: Severity = "error",
        edits: tuple[Replace | Insert, ...] = (),
    ) -> Finding:
        """Return a finding about this place, or about a key that the group lacks, which `key` names."""
        group, own = self._names()
        return Finding(
            path=self.path,
            line=self.line,
            group=group,
            key=own if key is None else key,
            severity=severity,
            rule=rule,
            problem=problem,
            change=change,
            edits=edits,
        )


@dataclass(frozen=True)
class Entry(_Place):
    """One key with its value.

    Attributes:
        path: the file that it stands in.
        group: the group that it stands in.
        key: its name.
        value: its value as text, without the quotes of YAML.
        line: number of its line, from 1.
        key_at: first character of the key, and the one behind its last, from 0.
        value_at: the same of the value; None where it is not a text on one line.
        alone: whether nothing else stands on the line.
        behind: what stands behind the value in a key file, where it is a part of it: blanks, or behind whole
            numbers also words, which are passed over there.
    """

    path: Path
    group: str
    key: str
    value: str
    line: int
    key_at: tuple[int, int]
    value_at: tuple[int, int] | None
    alone: bool = True
    behind: str = ""

    @property
    def named_path(self) -> Path:
        """Where a path that is its value leads: paths are relative to the file that they stand in."""
        return self.path.parent / self.value

    def bare(self) -> tuple[Replace, ...]:
        """Return the edit that takes away what stands behind the value."""
        if self.value_at is None:
            return ()
        end = self.value_at[1]
        return (Replace(self.line, end, end + len(self.behind), ""),)

    def with_value(self, text: str) -> tuple[Replace, ...]:
        """Return the edit that gives the key another value; none where the value is not on one line."""
        return () if self.value_at is None else (Replace(self.line, *self.value_at, text),)

    def renamed(self, key: str) -> tuple[Replace, ...]:
        """Return the edit that gives the key another name."""
        return (Replace(self.line, *self.key_at, key),)

    def commented_out(self) -> tuple[Replace, ...]:
        """Return the edit that makes a comment of the line; none where that would take more than the key."""
        return () if self.value_at is None or not self.alone else (Replace(self.line, 0, 0, "# "),)

    def _names(self) -> tuple[str, str]:
        return self.group, self.key


@dataclass(frozen=True)
class Group(_Place):
    """A group of keys: `[name]` of a key file, a mapping of YAML.

    Attributes:
        path: the file that it stands in.
        name: its name.
        line: number of the line that names it, from 1.
        name_at: first character of the name, and the one behind its last, from 0.
        entries: its keys in the file's order; one that is given twice stands here twice.
        indent: the blanks in front of its keys.
        syntax: of the file.
        open: whether a line behind its name is a key of it.
    """

    path: Path
    name: str
    line: int
    name_at: tuple[int, int]
    entries: list[Entry] = field(default_factory=list)
    indent: str = ""
    syntax: Syntax = "keyfile"
    open: bool = True

    def get(self, key: str) -> Entry | None:
        """Return the last entry of that name, which is the one that counts, or None."""
        return next((entry for entry in reversed(self.entries) if entry.key == key), None)

    def with_key(self, key: str, value: str) -> tuple[Insert, ...]:
        """Return the edit that adds a key at the top of the group; none where there is no line for it."""
        if not self.open:
            return ()
        sign = "=" if self.syntax == "keyfile" else ": "
        return (Insert(self.line, f"{self.indent}{key}{sign}{value}"),)

    def renamed(self, name: str) -> tuple[Replace, ...]:
        """Return the edit that gives the group another name."""
        return (Replace(self.line, *self.name_at, name),)

    def _names(self) -> tuple[str, str]:
        return self.name, ""


@dataclass(frozen=True)
class Document:
    """A file of groups.

    Attributes:
        path: the file.
        syntax: how it is written.
        groups: in the file's order, each name once.
        findings: what was wrong with the syntax itself.
    """

    path: Path
    syntax: Syntax
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...] = ()

    def group(self, name: str) -> Group | None:
        """Return the group of that name, or None."""
        return next((group for group in self.groups if group.name == name), None)

    def entries(self) -> Iterator[Entry]:
        """Give every key of every group."""
        for group in self.groups:
            yield from group.entries
