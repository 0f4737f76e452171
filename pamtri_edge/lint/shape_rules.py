# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules that hold for every file of groups: known names, values of the right type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pamtri_edge.lint.document import Entry, Group
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.vocabulary import Key, nearest, unfit, without_comment
from pamtri_edge.printable import printable

_PAST_BLANKS: Final = ("int", "ints")
"""Kinds of values that GLib reads up to a blank."""
MOST_COMPARED: Final = 50
"""Unknown keys of a group that are compared with known ones; a group with more is of something else."""


def check_keys(
    group: Group, key_of: Callable[[str], Key | None], known: Iterable[str], reader: str
) -> Iterator[Finding]:
    """Give findings about the names and the values of a group's keys.

    Args:
        group: the group.
        key_of: what a key takes; None where there is no such key.
        known: names that a misspelled one may have meant.
        reader: who reads the group, as a sentence begins.
    """
    names = tuple(known)
    strange = 0
    for entry in group.entries:
        key = key_of(entry.key)
        if key is None:
            strange += 1
            yield _unknown(group, entry, names if strange <= MOST_COMPARED else (), reader)
        elif group.get(entry.key) is not entry:
            continue
        elif (wanted := unfit(key, entry.value)) is not None:
            yield _unfit(group, entry, key, wanted, reader)
        elif (entry.behind.strip() if key.kind == "bool" else entry.behind) and key.kind not in _PAST_BLANKS:
            yield _behind(entry, key, reader)


def _unknown(group: Group, entry: Entry, known: tuple[str, ...], reader: str) -> Finding:
    near = nearest(entry.key, known)
    problem = (
        f"{reader} knows no key {printable(entry.key)!r} here and passes over it, so that it has no effect."
    )
    if near is None:
        return entry.finding(
            "unknown-key",
            problem,
            "Remove it, or look its name up.",
            severity="warning",
            edits=entry.commented_out(),
        )
    taken = group.get(near) is not None
    change = f"{near} is given as well: remove this one." if taken else f"Write {near}."
    return entry.finding(
        "unknown-key", problem, change, edits=entry.commented_out() if taken else entry.renamed(near)
    )


def _behind(entry: Entry, key: Key, reader: str) -> Finding:
    """Tell of blanks or words behind a value that is right without them."""
    what = "words" if entry.behind.strip() else "blanks"
    effect = (
        f"{reader} looks for a name that ends with them"
        if key.kind in ("text", "file", "files", "place")
        else f"{reader} does not start"
    )
    return entry.finding(
        "value",
        f"{what} stand behind the value of {entry.key}, and in a key file they are a part of it: {effect}.",
        "Take them away; comments have lines of their own.",
        edits=entry.bare(),
    )


def _unfit(group: Group, entry: Entry, key: Key, wanted: str, reader: str) -> Finding:
    shown = printable(entry.value[:60])
    bare = without_comment(entry.value)
    if group.syntax == "keyfile" and bare and unfit(key, bare) is None:
        return entry.finding(
            "value",
            f"the value is {shown!r} with the words behind it: key files have comments on lines of their own "
            f"only, and {entry.key} takes {wanted}. {reader} does not start.",
            f"Write {entry.key}={printable(bare)}, and the comment on a line above.",
            edits=entry.with_value(bare),
        )
    said = "is empty" if not entry.value else f"is {shown!r}"
    return entry.finding(
        "value", f"{entry.key} {said}; {reader} takes {wanted} and does not start.", f"Write {wanted}."
    )
