# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements under GStreamer's harness, in C++; each TEST of the program is a test here."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import cpp_tests
import native_builds

HERE = Path(__file__).parent
TESTS = cpp_tests.listed(HERE)
Ran = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ran(built: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> Ran:
    """Return what runs the tests of a source, once."""
    # A warning of GLib's or GStreamer's is a fault of ours.
    strict = {
        "G_DEBUG": "fatal-warnings",
        "G_SLICE": "always-malloc",
        **native_builds.sanitizing("detect_leaks=1"),
    }

    @cache
    def run(source: str) -> subprocess.CompletedProcess[str]:
        told = {**environment, **strict, "GST_PLUGIN_PATH": ""}
        if source == "detect_tests.cpp":
            told["PAMTRI_TEST_DETECTOR"] = str(request.getfixturevalue("red_detector"))
        analytics = "GSTREAMER_ANALYTICS_FOUND:INTERNAL=1"
        if source == "analytics_tests.cpp" and analytics not in (built / "CMakeCache.txt").read_text():
            pytest.skip("there is no GstAnalytics: GStreamer is older than 1.24")
        return cpp_tests.run(built / "tests" / "gstreamer" / "gstreamer_tests", HERE / source, told)

    return run


@pytest.mark.parametrize(("source", "name"), TESTS, ids=[name for _, name in TESTS])
def test_elements(ran: Ran, source: str, name: str) -> None:
    assert f"passed {name}\n" in ran(source).stdout, ran(source).stdout + ran(source).stderr


@pytest.mark.parametrize("source", sorted({source for source, _ in TESTS}))
def test_nothing_is_left_in_memory(ran: Ran, source: str) -> None:
    assert ran(source).returncode == 0, ran(source).stderr
