# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for pipelines of Service Maker: nodes, their properties, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pamtri_edge.lint.document import Entry, Group
from pamtri_edge.lint.elements import FILES, LIBRARIES, PROPERTIES
from pamtri_edge.lint.file_rules import is_there, missing
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.vocabulary import nearest
from pamtri_edge.lint.yamlfile import Node, entries_of
from pamtri_edge.printable import printable

_NODE_KEYS: Final = ("type", "name", "properties")


@dataclass(frozen=True)
class Element:
    """A node of a pipeline.

    Attributes:
        kind: its type, such as "nvinfer".
        group: its properties, under its name.
    """

    kind: str
    group: Group


def elements_of(path: Path, root: Node) -> list[Element]:
    """Return the nodes of a pipeline that have a type and a name."""
    found = []
    for node in _nodes(root):
        kind, name, properties = node.get("type"), node.get("name"), node.get("properties")
        if kind is None or name is None or kind.text is None or name.text is None:
            continue
        entries = [] if properties is None else entries_of(path, name.text, properties)
        at = properties.pairs[0][0].at if properties is not None and properties.pairs else None
        line = name.line if properties is None else max(properties.line - 1, node.line)
        group = Group(path, name.text, line, name.at or (0, 0), entries, " " * at[0] if at else "", "yaml")
        found.append(Element(kind.text, group))
    return found


def check_pipeline(path: Path, root: Node, *, look: bool) -> Iterator[Finding]:
    """Give findings about a pipeline of Service Maker.

    Args:
        path: the file.
        root: its root.
        look: whether files are looked for.
    """
    yield from _check_nodes(path, root)
    elements = elements_of(path, root)
    for element in elements:
        yield from _properties(element)
        if look:
            yield from _files(element)
    yield from _edges(path, root, {element.group.name for element in elements})


def _top(root: Node) -> Node:
    return root.get("deepstream") or root


def _nodes(root: Node) -> list[Node]:
    nodes = _top(root).get("nodes")
    return [] if nodes is None else [node for node in nodes.items if node.kind == "mapping"]


def _check_nodes(path: Path, root: Node) -> Iterator[Finding]:
    nodes = _nodes(root)
    if not nodes:
        yield _finding(
            path,
            _top(root).line,
            ("", "nodes"),
            "there are no nodes: the pipeline is empty.",
            "Put the elements under nodes, each with type and name.",
        )
    seen: dict[str, int] = {}
    for node in nodes:
        name = node.get("name")
        shown = "" if name is None or name.text is None else name.text
        yield from _keys(path, node, shown)
        if name is None or not shown:
            continue
        if shown in seen:
            yield _finding(
                path,
                name.line,
                (shown, "name"),
                f"the node on line {seen[shown]} has the name {printable(shown)!r} too: the pipeline is not "
                "built.",
                "Give it a name of its own.",
            )
        seen.setdefault(shown, name.line)


def _keys(path: Path, node: Node, shown: str) -> Iterator[Finding]:
    """Look at what a node is made of: its type, its name and its properties."""
    meant = set()
    for key, _ in node.pairs:
        name = key.text or ""
        near = name if name in _NODE_KEYS else nearest(name, _NODE_KEYS, least=0.75)
        meant.add(near)
        if near is not None and near != name:
            entry = Entry(path, shown, name, "", key.line, key.at or (0, 0), None)
            yield entry.finding(
                "unknown-key",
                f"a node has no key {printable(name)!r}, so that what stands there has no effect.",
                f"Write {near}.",
                edits=entry.renamed(near),
            )
    for required in ("type", "name"):
        if required not in meant:
            yield _finding(
                path,
                node.line,
                (shown, required),
                f"a node without {required}: the pipeline is not built.",
                f"Add {required}: to the node.",
            )


def _properties(element: Element) -> Iterator[Finding]:
    known = PROPERTIES.get(element.kind)
    if known is None:
        return
    for entry in element.group.entries:
        if entry.key in known:
            continue
        near = nearest(entry.key, known)
        problem = (
            f"{element.kind} has no property {printable(entry.key)!r}: it has no effect, or ends the program."
        )
        if near is None:
            yield entry.finding(
                "unknown-key",
                problem,
                "Remove it; keys of nvinfer's file that are no properties stay in that file.",
                severity="warning",
                edits=entry.commented_out(),
            )
        else:
            yield entry.finding("unknown-key", problem, f"Write {near}.", edits=entry.renamed(near))
    named = any(nearest(entry.key, ["config-file-path"]) for entry in element.group.entries)
    if element.kind == "nvinfer" and not named:
        yield element.group.finding(
            "missing-key",
            "nvinfer without config-file-path does not start.",
            "Add config-file-path: FILE under properties.",
            key="config-file-path",
        )


def _files(element: Element) -> Iterator[Finding]:
    for key, sign in ((FILES.get(element.kind), ""), (LIBRARIES.get(element.kind), "/")):
        entry = None if key is None else element.group.get(key)
        if entry is not None and entry.value and sign in entry.value and named_file(entry) is None:
            yield missing(entry, entry.named_path)


def named_file(entry: Entry) -> Path | None:
    """Return the file that a property names, or None where there is none.

    Elements look in the folder that the program is started in; the file's own folder is taken for it first.
    """
    for path in (entry.named_path, Path(entry.value)):
        if is_there(path):
            return path
    return None


def _edges(path: Path, root: Node, names: set[str]) -> Iterator[Finding]:
    edges = _top(root).get("edges") or root.get("edges")
    if edges is None:
        if len(names) > 1:
            yield _finding(
                path,
                _top(root).line,
                ("", "edges"),
                "there are no edges: no element is linked to another.",
                "Add edges: with source: target.",
            )
        return
    for source, target in edges.pairs:
        for end in (source, *(target.items if target.kind == "sequence" else [target])):
            if end.text is None:
                continue
            name, dot, pad = end.text.partition(".")
            if name in names or end.text in names:
                continue
            near = nearest(name, names)
            entry = Entry(path, "edges", end.text, end.text, end.line, end.at or (0, 0), end.at)
            yield entry.finding(
                "edges",
                f"there is no node {printable(name)!r}: the pipeline is not built.",
                "Name a node that there is." if near is None else f"Write {near}{dot}{pad}.",
                edits=() if near is None else entry.with_value(f"{near}{dot}{pad}"),
            )


def _finding(path: Path, line: int, place: tuple[str, str], problem: str, change: str) -> Finding:
    return Finding(
        path=path,
        line=line,
        group=place[0],
        key=place[1],
        severity="error",
        rule="edges" if place[1] == "edges" else "node",
        problem=problem,
        change=change,
    )
