# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Has this processor half arithmetic of its own?"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "amx_fp16": "AMX fp16",
    "avx512_fp16": "AVX-512 fp16",
    "asimdhp": "Arm fp16",
}
"""Words of /proc/cpuinfo and what they stand for, the quickest first."""


def half_arithmetic(cpuinfo: Path = Path("/proc/cpuinfo")) -> str | None:
    """Return what multiplies halves here, such as "AVX-512 fp16"; None where float32 stands in for it."""
    if platform.system() == "Darwin":
        return "Arm fp16" if platform.machine() == "arm64" else None  # every Apple processor has it
    try:
        words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return None
    return next((name for word, name in _WORDS.items() if word in words), None)
