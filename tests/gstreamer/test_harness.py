# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements under GStreamer's harness, in C++; each TEST of the program is a test here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import native_builds

HERE = Path(__file__).parent
NAMES = [
    (source.name, name)
    for source in sorted(HERE.glob("*_tests.cpp"))
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("source", "name"), NAMES, ids=[name for _, name in NAMES])
def test_elements(
    built: Path,
    environment: dict[str, str],
    source: str,
    name: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    environment = environment | native_builds.leaks_looked_for(tmp_path)
    if source == "detect_tests.cpp":
        environment["PAMTRI_TEST_DETECTOR"] = str(request.getfixturevalue("red_detector"))
    analytics = "GSTREAMER_ANALYTICS_FOUND:INTERNAL=1"
    if source == "analytics_tests.cpp" and analytics not in (built / "CMakeCache.txt").read_text():
        pytest.skip("there is no GstAnalytics: GStreamer is older than 1.24")
    program = built / "tests" / "gstreamer" / "gstreamer_tests"
    # A warning of GLib's or GStreamer's is a fault of ours.
    told = {**environment, "G_DEBUG": "fatal-warnings", "GST_PLUGIN_PATH": ""}
    done = subprocess.run([program, name], env=told, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"passed {name}\n"
