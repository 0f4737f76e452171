# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Text that came from elsewhere (names of files, labels, metadata), as it may stand in a message."""

from __future__ import annotations

import os
from typing import Final

_STRAY_BYTES: Final = range(0xDC80, 0xDD00)
"""Where Python keeps the bytes of a file name that are not UTF-8."""


def printable(value: object, *, keep: str = "") -> str:
    r"""Return text in which everything that a terminal does not print is spelled out.

    Control characters, such as the escape that begins a terminal's commands, become `\x1b`; marks that
    turn the direction of writing `\u202e`; a byte of a file name that is not UTF-8 `\xe9`. The result can
    be encoded as UTF-8.

    Args:
        value: a text, a path, or anything else with a `str()`.
        keep: characters that may stay as they are, such as line breaks of our own texts.
    """
    text = os.fsdecode(value) if isinstance(value, bytes) else str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _spelled(one) for one in text)


def counted(number: int, noun: str, several: str | None = None) -> str:
    """Return a number and what it counts: "1 track", "2 tracks", "2 matches".

    Args:
        number: how many, 0 or more.
        noun: what one is called.
        several: what others are called; None adds an s.
    """
    return f"{number} {noun if number == 1 else several or noun + 's'}"


def _spelled(character: str) -> str:
    code = ord(character)
    if code in _STRAY_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if 0x7F <= code <= 0xFF:  # as JSON has it, for what is printed may be JSON
        return f"\\u{code:04x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
