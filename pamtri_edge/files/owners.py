# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which process something on disk belongs to, and whether that process is still there."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOKEN: Final = r"(\d+)-(\d+)-([0-9a-f]{6})"
"""A regular expression for `Owner.token`."""

_START: Final = 19  # of the fields behind the name in /proc/PID/stat: when the process began
_DEAD: Final = ("Z", "X")


@dataclass(frozen=True)
class Owner:
    """A process, for good: a number is given again, the same number at the same moment is not.

    Attributes:
        pid: its number.
        start: when it began, in clock ticks since the machine did; 0 where the system does not say.
        place: a short hash of the machine, its boot and its namespace of process numbers.
    """

    pid: int
    start: int
    place: str

    @property
    def token(self) -> str:
        """The owner in a few characters that may stand in the name of a file."""
        return f"{self.pid}-{self.start}-{self.place}"

    @property
    def elsewhere(self) -> bool:
        """Whether the process is one of another machine or container, about which nothing is known here."""
        return self.place != _place()

    @property
    def gone(self) -> bool:
        """Whether the process is known to be over."""
        return not self.elsewhere and not _runs(self.pid, self.start)


def this_process() -> Owner:
    """Return the present process as an owner."""
    pid = os.getpid()
    facts = _facts(pid)
    return Owner(pid, facts[1] if facts else 0, _place())


def from_token(token: str) -> Owner | None:
    """Return the owner that a token names; None for another text."""
    match = re.fullmatch(TOKEN, token)
    return Owner(int(match[1]), int(match[2]), match[3]) if match else None


def _runs(pid: int, start: int) -> bool:
    facts = _facts(pid)
    if facts is not None:
        return facts[0] not in _DEAD and (start == 0 or facts[1] == start)
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _facts(pid: int) -> tuple[str, int] | None:
    """Return state and start of a process; None where there is none, or where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0].decode("ascii"), int(fields[_START])
    except (OSError, ValueError, IndexError):
        return None


@functools.cache
def _place() -> str:
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - no path of a file
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:6]
