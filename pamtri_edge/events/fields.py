# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fields of an event's JSON: each read as what it must be, or refused in words."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

from pamtri_edge.errors import InputError
from pamtri_edge.printable import printable

T = TypeVar("T")


def typed(record: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a field that is of a kind, or refuse it."""
    value = record.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{name} is {brief(value)}; expected {_WORDS[kind]}.")
    if kind is str:
        require_text(str(value), name)
    return value


def require_text(value: str, name: str) -> None:
    """Refuse halves of surrogate pairs, which JSON can write and UTF-8 cannot."""
    # Messages are made where they are needed alone: this is asked of every label of every event.
    if not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value):
        raise InputError(f"{name} is {brief(value)}; expected text without halves of surrogate pairs.")


def optional(record: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    """Return a field that is of a kind or null, or refuse it."""
    return None if record[name] is None else typed(record, name, kind)


def count(frames: Mapping[str, Any], name: str) -> int:
    """Return one of the numbers of frames, or refuse it."""
    value = typed(frames, name, int)
    if not 0 <= value < 2**63:
        raise InputError(f"frames.{name} is {brief(value)}; expected 0 or more.")
    return value


def number(value: Any, name: str) -> float:
    """Return a finite number, or refuse it."""
    try:
        if not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number beyond every float
        pass
    raise InputError(f"{name} is {brief(value)}; expected a finite number.")


def numbers(value: Any, name: str) -> tuple[float, ...]:
    """Return a list of finite numbers, or refuse it."""
    if not isinstance(value, list):
        raise InputError(f"{name} is {brief(value)}; expected a list of numbers.")
    return tuple(value) if are_finite(value) else tuple(number(item, name) for item in value)


def are_finite(values: Collection[Any]) -> bool:
    """Tell quickly whether all are floats and finite; what is not may hold numbers all the same."""
    return set(map(type, values)) == {float} and all(map(math.isfinite, values))


def brief(value: Any) -> str:
    """Return what was found, short enough for a message."""
    try:
        text = "missing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # more digits than Python writes, or too deep
        text = f"a {type(value).__name__} too large to show"
    text = printable(text)
    return text if len(text) <= 60 else f"{text[:57]}..."


_WORDS: Final[dict[type, str]] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    dict: "an object",
}
