# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements under GStreamer's harness, in C++; each TEST of the program is a test here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMES = [
    name
    for source in sorted(HERE.glob("*_tests.cpp"))
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("name", NAMES)
def test_elements(built: Path, environment: dict[str, str], name: str) -> None:
    program = built / "tests" / "gstreamer" / "gstreamer_tests"
    # A warning of GLib's or GStreamer's is a fault of ours.
    told = {**environment, "G_DEBUG": "fatal-warnings", "GST_PLUGIN_PATH": ""}
    done = subprocess.run([program, name], env=told, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"passed {name}\n"
