# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tests in C++: each TEST(a_sentence) of a source is a test here, and those of one source share a process.

Most of them take less time than a process does to start: GStreamer reads what plugins there are, and the
sanitizers go through the memory in the end.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import native_builds


def names_in(source: Path) -> list[str]:
    """Return the names of a source's tests."""
    return re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)


def listed(folder: Path, pattern: str = "*_tests.cpp") -> list[tuple[str, str]]:
    """Return the sources of a folder by name, each with each of its tests."""
    return [(source.name, name) for source in sorted(folder.glob(pattern)) for name in names_in(source)]


def run(
    program: Path, source: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Let a program run the tests of a source; it says which passed, and fails where memory is left."""
    command = [program, *names_in(source)]
    environment = environment or {**os.environ, **native_builds.sanitizing()}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
