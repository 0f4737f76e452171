# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a key may be called and what its value may be: the form of the tables of keys, and their checks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["int", "float", "bool", "ints", "floats", "text", "file", "files", "place"]
"""Of a value; "file" must be there, "place" is a path that need not be."""

_LONGEST: Final = 64  # characters of a name that may be misspelled
_INT: Final = re.compile(r"[+-]?\d+")
_FLOAT: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?f?")
_WORDS: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "0 or 1",
    "ints": "whole numbers with semicolons between",
    "floats": "numbers with semicolons between",
}


@dataclass(frozen=True)
class Key:
    """What a key takes.

    Attributes:
        kind: of its value.
        choices: the whole numbers that are accepted; () for all.
        least: the least whole number that is accepted; None for all.
        count: how many numbers a list must have; None for any.
    """

    kind: Kind
    choices: tuple[int, ...] = ()
    least: int | None = None
    count: int | None = None


_KEYS: Final[Mapping[str, Key]] = {
    "ints": Key("int"),
    "counts": Key("int", least=0),
    "ones": Key("int", least=1),
    "flags": Key("bool"),
    "floats": Key("float"),
    "lists": Key("ints"),
    "colors": Key("floats", count=4),
    "texts": Key("text"),
    "files": Key("file"),
    "places": Key("place"),
}


def table(**kinds: str) -> dict[str, Key]:
    """Return what keys take, by their names, which are given by kind: in one text with blanks between.

    Args:
        kinds: see `_KEYS`; counts are from 0, ones from 1.
    """
    return {name: _KEYS[kind] for kind, names in kinds.items() for name in names.split()}


def unfit(key: Key, value: str) -> str | None:
    """Return what the key accepts where the value is something else, or None.

    Args:
        key: what it takes.
        value: as the file has it.
    """
    if key.kind in ("text", "file", "files", "place"):
        return None if value or key.kind == "place" else "a text, and not nothing"
    test = _TESTS[key.kind]
    if not test(value):
        return _WORDS[key.kind]
    if key.choices and int(value) not in key.choices:
        return "one of " + ", ".join(map(str, key.choices))
    if key.least is not None and int(value) < key.least:
        return f"{key.least} or more"
    if key.count is not None and len(parts(value)) != key.count:
        return f"{key.count} numbers with semicolons between"
    return None


def parts(value: str) -> list[str]:
    """Return the members of a list, as GLib parts them: by semicolons, one at the end allowed."""
    return [part.strip() for part in value.rstrip("; ").split(";")] if value.strip("; ") else []


def number(value: str) -> float | None:
    """Return a number, or None where it is none."""
    return float(value.rstrip("f")) if _FLOAT.fullmatch(value) else None


def integer(value: str) -> int | None:
    """Return a whole number, or None where it is none; the words of YAML for 0 and 1 count as such."""
    if _INT.fullmatch(value):
        return int(value) if len(value) < 19 else None
    return {"true": 1, "yes": 1, "on": 1, "false": 0, "no": 0, "off": 0}.get(value.lower())


def without_comment(value: str) -> str | None:
    """Return the value before a comment behind it, or None where there is no comment."""
    found = re.fullmatch(r"(.*?)\s+(?:#|;|//).*|(.*?)#.*", value)
    return None if found is None else (found[1] or found[2] or "").strip()


def nearest(name: str, known: Iterable[str], *, least: float = 0.82) -> str | None:
    """Return the known name that was probably meant, or None where none is near.

    Args:
        name: what was written.
        known: what may have been meant.
        least: how alike the two must be, 0 to 1.
    """
    if len(name) > _LONGEST:
        return None
    plain = {_plain(one): one for one in sorted(known)}
    if (same := plain.get(_plain(name))) is not None:
        return same
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=least)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(" ", "")


def _all(test: Callable[[str], object]) -> Callable[[str], bool]:
    return lambda value: bool(parts(value)) and all(test(part) for part in parts(value))


_TESTS: Final[Mapping[str, Callable[[str], object]]] = {
    "int": lambda value: integer(value) is not None,
    "float": _FLOAT.fullmatch,
    "bool": lambda value: value.lower() in ("0", "1", "true", "false", "yes", "no", "on", "off"),
    "ints": _all(_INT.fullmatch),
    "floats": _all(_FLOAT.fullmatch),
}
