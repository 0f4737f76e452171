# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""JSON of unknown origin: what JSON alone may hold, in sizes that a computer can hold.

Python's reader also takes NaN, numbers of any length, one key twice and halves of characters, and fails in
ways of its own where a text is nested too deep. Here each of these is one `ValueError` with a sentence.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

_DIGITS: Final = 18
"""Digits of the longest whole number: every such number fits 64 bits."""


def read_json(text: str) -> Any:
    """Return what a JSON text says.

    Args:
        text: the text; its length is the caller's to bound.

    Raises:
        ValueError: it is not JSON, a number is not finite or has more than 18 digits, an object has one key
            twice, a string holds half a character, or it is nested too deep. The message says which.
    """
    try:
        value = json.loads(
            text,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
        # Halves of surrogate pairs come in by escapes; nothing can write or show such a string.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise ValueError("a string holds half of a surrogate pair, which is no character") from None
    return value


def _constant(word: str) -> float:
    raise ValueError(f"it holds {word}, which is no number of JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {_shortened(digits)} is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _DIGITS:
        raise ValueError(f"the number {_shortened(digits)} has more than {_DIGITS} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key[:40]!r} occurs more than once in an object")
            seen.add(key)
    return record


def _shortened(digits: str) -> str:
    return digits if len(digits) <= 12 else f"{digits[:12]}..."
