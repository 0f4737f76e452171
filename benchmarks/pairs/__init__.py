# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the gate watches: a file for each operation and stage, each with its plain program in `reference/`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Final

from gate import Pair

NAMES: Final = (
    *("decode", "segments", "stack", "crop", "sharpness"),
    *("pose", "reidentification", "fused", "sdk"),
    *("video", "core", "sinks", "match", "synthesis"),
)


def open_pair(name: str, folder: Path) -> AbstractContextManager[Pair]:
    """Return a program and its plain one, ready to be called, after both gave the same.

    Args:
        name: one of `NAMES`.
        folder: an empty folder for what they need on disk; networks in it are used again.
    """
    pair: Callable[[Path], AbstractContextManager[Pair]] = import_module(f"pairs.{name}").pair
    return pair(folder)
