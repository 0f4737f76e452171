# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What this process holds in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")


def resident_bytes(status: Path = _STATUS) -> int | None:
    """Return the bytes that are in memory now; None where the system does not tell."""
    return _field(status, "VmRSS:")


def peak_bytes(status: Path = _STATUS) -> int | None:
    """Return the most bytes that were in memory at once so far; None where the system does not tell."""
    return _field(status, "VmHWM:")


def _field(status: Path, name: str) -> int | None:
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return None
