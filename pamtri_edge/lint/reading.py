# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Reading a configuration: text of a sane size, as a file of groups or as a pipeline of Service Maker."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.files.regular import open_regular
from pamtri_edge.files.text import text_lines
from pamtri_edge.lint.document import Document
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.keyfile import read_key_file
from pamtri_edge.lint.kinds import is_inference_server, kind_of
from pamtri_edge.lint.yamlfile import Node, groups_of, read_tree

LARGEST: Final = 1 << 20
"""Bytes that a configuration may have; NVIDIA's largest has 30 thousand."""
_LONGEST_LINE: Final = 16384
_MOST_LINES: Final = 4000
YAML: Final = (".yml", ".yaml")
"""How the names of YAML files end; DeepStream tells them by it too."""
_KNOWN: Final = (
    "a configuration of nvinfer, nvdspostprocess, deepstream-app or deepstream-test5, or a YAML file of "
    "Service Maker"
)


@dataclass(frozen=True)
class Configuration:
    """A file that was read.

    Attributes:
        path: the file.
        kind: see `kinds.kind_of`, and "service-maker".
        document: its groups; empty for Service Maker.
        tree: its root, for Service Maker alone.
    """

    path: Path
    kind: str
    document: Document
    tree: Node | None = None


def read_configuration(path: Path) -> Configuration | Finding:
    """Read a configuration and tell its kind.

    Returns:
        The configuration; or a finding where its syntax is so wrong that nothing more can be said.

    Raises:
        InputError: it is not there, no text in UTF-8, too large, or none of the kinds that lint knows.
        MissingDependencyError: it is YAML, and PyYAML is not installed.
    """
    lines = _lines(path)
    if is_inference_server(lines):
        empty = Document(path, "keyfile", ())
        return Configuration(path, "a configuration of nvinferserver", empty)
    if path.suffix.lower() not in YAML:
        return _told(path, read_key_file(path, lines, marked=_is_marked(path)))
    root = read_tree(path, lines)
    if isinstance(root, Finding):
        return root
    names = {name.text for name, _ in root.pairs}
    empty = Document(path, "yaml", ())
    if "deepstream" in names:
        return Configuration(path, "service-maker", empty, root)
    if names & {"source-list", "camera-list"} and not names & {"streammux", "primary-gie", "property"}:
        return Configuration(path, "a list of sources for Service Maker", empty, root)
    return _told(path, groups_of(path, root))


def _told(path: Path, document: Document) -> Configuration:
    kind = kind_of(document)
    if kind is None:
        raise InputError(f"{path} is not {_KNOWN}: no group of theirs is in it.")
    return Configuration(path, kind, document)


def _is_marked(path: Path) -> bool:
    with open_regular(path, error=InputError) as file:
        return file.read(len(BOM_UTF8)) == BOM_UTF8


def _lines(path: Path) -> tuple[str, ...]:
    lines: list[str] = []
    size = 0
    for _, line in text_lines(
        path, expected="a configuration of DeepStream", longest=_LONGEST_LINE, error=InputError
    ):
        size += len(line)
        if len(lines) == _MOST_LINES:
            raise InputError(f"{path} has more than {_MOST_LINES} lines; is it a configuration?")
        if size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST >> 20} MiB; is it a configuration?")
        lines.append(line.rstrip("\r\n"))
    return tuple(lines)
