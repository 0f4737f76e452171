# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""YAML files, as a tree of nodes that know their lines. Aliases are not followed, and depth has an end."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.lint.document import Document, Entry, Group
from pamtri_edge.lint.finding import Finding

DEEPEST: Final = 32
"""Levels that a file may have; those of DeepStream have five."""


@dataclass
class Node:
    """A node of YAML.

    Attributes:
        line: number of the line that it begins on, from 1.
        at: first character and the one behind its last, from 0; None where it is not a text on one line.
        text: of a scalar; None for others.
        pairs: keys and values of a mapping.
        items: of a sequence.
        kind: "scalar", "mapping" or "sequence".
        flow: whether it is written in braces or brackets.
    """

    line: int
    kind: str
    at: tuple[int, int] | None = None
    text: str | None = None
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    flow: bool = False

    def get(self, key: str) -> Node | None:
        """Return the value under a key of a mapping, or None."""
        return next((value for name, value in reversed(self.pairs) if name.text == key), None)


def read_tree(path: Path, lines: Sequence[str]) -> Node | Finding:
    """Return the root of a YAML file, or what is wrong with its syntax.

    Raises:
        InputError: it is nested deeper than `DEEPEST`.
        MissingDependencyError: PyYAML is not installed.
    """
    try:
        yaml = importlib.import_module("yaml")
    except ImportError as error:
        raise MissingDependencyError(
            f"reading {path} needs PyYAML, which is not installed: pip install 'pamtri-edge[lint]'"
        ) from error
    # NVIDIA's files begin with OpenCV's %YAML:1.0, which yaml-cpp passes over and PyYAML does not.
    text = "\n".join("" if line.startswith("%YAML") else line for line in lines)
    try:
        return _tree(path, yaml, yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or "it cannot be read"
        return Finding(
            path=path,
            line=1 if mark is None else min(mark.line + 1, max(len(lines), 1)),
            severity="error",
            rule="syntax",
            problem=f"this is not YAML: {said}. The file is refused as a whole.",
            change="Correct the line, or the one before it: indentation, tabs, colons and quotes.",
        )


def _tree(path: Path, yaml: Any, events: Iterator[Any]) -> Node:
    root = Node(1, "mapping")
    open_nodes: list[tuple[Node, list[Node]]] = []
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
            node = Node(event.start_mark.line + 1, kind, flow=bool(event.flow_style))
            open_nodes.append((node, []))
            if len(open_nodes) > DEEPEST:
                raise InputError(
                    f"{path}:{event.start_mark.line + 1} is nested deeper than {DEEPEST} levels; "
                    "is it a DeepStream configuration?"
                )
            continue
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            node, children = open_nodes.pop()
            node.items = children if node.kind == "sequence" else []
            if node.kind == "mapping":
                node.pairs = list(zip(children[::2], children[1::2], strict=True))
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            node = _scalar(event)
        else:
            continue
        if open_nodes:
            open_nodes[-1][1].append(node)
        elif documents == 1:  # what yaml-cpp loads is the first document
            root = node
    return root


def _scalar(event: Any) -> Node:
    start, end = event.start_mark, event.end_mark
    text = getattr(event, "value", None)
    quoted = getattr(event, "style", None) in ("'", '"')
    inside = (start.column + quoted, end.column - quoted) if start.line == end.line else None
    return Node(start.line + 1, "scalar", inside, "*" + event.anchor if text is None else text)


def groups_of(path: Path, root: Node) -> Document:
    """Return a YAML file of mappings as groups of keys, as NVIDIA's key files have them in YAML."""
    groups = [_group(path, name, node) for name, node in root.pairs if name.text is not None]
    twice = [
        earlier.finding(
            "twice",
            f"{entry.key} is given again on line {entry.line}.",
            "Keep one of the two.",
            severity="warning",
        )
        for group in groups
        for at, entry in enumerate(group.entries)
        for earlier in group.entries[:at]
        if earlier.key == entry.key and earlier.value != entry.value
    ]
    return Document(path, "yaml", tuple(groups), tuple(twice))


def _group(path: Path, name: Node, node: Node) -> Group:
    first = node.pairs[0][0].at if node.pairs and node.pairs[0][0].line > name.line else None
    text = name.text or ""
    return Group(
        path,
        text,
        name.line,
        name.at or (0, 0),
        entries_of(path, text, node),
        indent="  " if first is None else " " * first[0],
        syntax="yaml",
        open=not node.flow,
    )


def entries_of(path: Path, group: str, node: Node) -> list[Entry]:
    """Return the keys of a mapping; lists come out as key files write them, with semicolons between."""
    found = []
    for key, value in node.pairs:
        if key.text is None:
            continue
        text = value.text
        if text is None:
            text = ";".join(item.text or "" for item in value.items)
        at = value.at if value.kind == "scalar" and value.line == key.line else None
        found.append(
            Entry(path, group, key.text, text.strip(), key.line, key.at or (0, 0), at, not node.flow)
        )
    return found
