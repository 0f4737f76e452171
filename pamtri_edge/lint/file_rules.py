# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the files that a configuration names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pamtri_edge.lint.document import Entry
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.vocabulary import parts, without_comment
from pamtri_edge.printable import printable

DEEPSTREAM: Final = "/opt/nvidia/deepstream"
"""Where DeepStream is installed; what lies there is looked for only where it is."""
_LARGEST_MAKEFILE: Final = 1 << 20


def check_file(entry: Entry, *, several: bool = False) -> Iterator[Finding]:
    """Give a finding for each file of an entry that is not there.

    Args:
        entry: its value is a path, relative to the file that it stands in.
        several: whether the value is a list of them.
    """
    for name in parts(entry.value) if several else [entry.value]:
        path = entry.path.parent / name.removeprefix("file://")
        if name and not is_there(path):
            yield missing(entry, path)


def missing(entry: Entry, path: Path) -> Finding:
    """Return the finding that a file is not there."""
    bare = without_comment(entry.value)
    if bare and is_there(entry.path.parent / bare):
        return entry.finding(
            "value",
            f"the path is {printable(entry.value[:80])!r} with the words behind it: key files have comments "
            "on lines of their own only, and no file has this name.",
            f"Write {entry.key}={printable(bare)}, and the comment on a line above.",
            edits=entry.with_value(bare),
        )
    relative = "" if Path(entry.value).is_absolute() else f" (relative to {printable(entry.path.name)})"
    return entry.finding(
        "missing-file",
        f"{printable(path)} is not there, so that what reads it does not start.",
        f"Correct the path{relative}, or put the file there.",
    )


def is_there(path: Path) -> bool:
    """Tell whether a file is there; what belongs to a DeepStream that is not installed counts as there."""
    text = str(path)
    if text.startswith(DEEPSTREAM + "/") and not Path(DEEPSTREAM).exists():
        return True
    try:
        return path.exists() or _is_made(path)
    except (OSError, ValueError):
        return False


def _is_made(path: Path) -> bool:
    """Tell whether a library is one that the Makefile beside it makes, on the device that runs it."""
    makefile = path.with_name("Makefile")
    if path.suffix != ".so" or not makefile.is_file() or makefile.stat().st_size > _LARGEST_MAKEFILE:
        return False
    return path.name in makefile.read_text(encoding="utf-8", errors="replace").split()
