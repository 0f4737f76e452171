# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A configuration of nvinfer with what surrounds it: what the application sets, and the network's bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pamtri_edge.lint.document import Document, Entry, Group
from pamtri_edge.lint.finding import Finding, Insert, Replace, Severity
from pamtri_edge.lint.nvinfer_keys import PROPERTY_KEYS
from pamtri_edge.lint.shape_rules import MOST_COMPARED
from pamtri_edge.lint.target import Target
from pamtri_edge.lint.vocabulary import integer, nearest, number


@dataclass(frozen=True)
class Subject:
    """What the rules for nvinfer look at.

    Attributes:
        document: the file.
        group: its `[property]`.
        set_outside: keys that the application or a property of the element replaces, with where that stands.
        target: the network.
        look: whether files are looked for.
        secondary: whether what runs it makes it a secondary engine, whatever the file says.
    """

    document: Document
    group: Group
    set_outside: Mapping[str, Entry] = field(default_factory=dict)
    target: Target = field(default_factory=Target)
    look: bool = True
    secondary: bool = False

    def get(self, key: str) -> Entry | None:
        """Return the entry of a key that counts, or None."""
        return self.set_outside.get(key) or self.group.get(key)

    def is_misspelled(self, key: str) -> bool:
        """Tell whether a key is not there because its name is misspelled, which another rule says."""
        strange = [entry.key for entry in self.group.entries if entry.key not in PROPERTY_KEYS]
        few = strange[:MOST_COMPARED]
        return self.get(key) is None and any(nearest(name, PROPERTY_KEYS) == key for name in few)

    def text(self, key: str, default: str = "") -> str:
        """Return the value of a key, or what nvinfer takes without it."""
        entry = self.get(key)
        return default if entry is None else entry.value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return whether a flag is set."""
        return self.integer(key, int(default)) != 0

    def integer(self, key: str, default: int) -> int:
        """Return a whole number, or the default where there is none or it is none."""
        entry = self.get(key)
        value = None if entry is None else integer(entry.value)
        return default if value is None else value

    def number(self, key: str, default: float) -> float:
        """Return a number, or the default where there is none or it is none."""
        entry = self.get(key)
        value = None if entry is None else number(entry.value)
        return default if value is None else value

    def finding(
        self,
        rule: str,
        key: str,
        problem: str,
        change: str,
        *,
        severity: Severity = "error",
        value: str | None = None,
    ) -> Finding:
        """Return a finding about a key that is there, or about one that is not.

        Args:
            rule: its name.
            key: the key.
            problem: what goes wrong.
            change: what to write.
            severity: how bad it is.
            value: what the key should be, where that is certain; the edits follow from it.
        """
        entry = self.get(key)
        edits: tuple[Replace | Insert, ...] = ()
        if value is not None:
            edits = self.group.with_key(key, value) if entry is None else entry.with_value(value)
        return (entry or self.group).finding(rule, problem, change, key=key, severity=severity, edits=edits)
