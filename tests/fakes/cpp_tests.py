# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tests in C++: each TEST(a_sentence) of a source is a test here, and those of one program share a process.

Most of them take less time than a process does to start: GStreamer reads what plugins there are, and the
sanitizers go through the memory in the end.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import native_builds


def names_in(*sources: Path) -> list[str]:
    """Return the names of the tests of sources."""
    return [
        name for path in sources for name in re.findall(r"^TEST\((\w+)\)", path.read_text(), re.MULTILINE)
    ]


def run(
    program: Path, names: Iterable[str] = (), environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Let a program run its tests, or some; it says which passed, and fails where memory is left."""
    environment = {**os.environ, **native_builds.sanitizing(), **(environment or {})}
    return subprocess.run([program, *names], env=environment, capture_output=True, text=True, timeout=600)


def assert_passed(done: subprocess.CompletedProcess[str], name: str) -> None:
    """Find a test among those that passed."""
    assert f"passed {name}\n" in done.stdout, done.stdout + done.stderr
