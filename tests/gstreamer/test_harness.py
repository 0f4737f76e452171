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
DETECTING = cpp_tests.names_in(HERE / "detect_tests.cpp")
OF_ANALYTICS = cpp_tests.names_in(HERE / "analytics_tests.cpp")
ALL = cpp_tests.names_in(*HERE.glob("*_tests.cpp"))
Ran = Callable[[bool], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ran(built: Path, environment: dict[str, str], request: pytest.FixtureRequest) -> Ran:
    """Return what runs the tests that detect, or all others, once."""
    # A warning of GLib's or GStreamer's is a fault of ours.
    strict = {
        "G_DEBUG": "fatal-warnings",
        "G_SLICE": "always-malloc",
        "GST_PLUGIN_PATH": "",
        **native_builds.sanitizing("detect_leaks=1"),
    }

    @cache
    def run(detecting: bool) -> subprocess.CompletedProcess[str]:
        told = {**environment, **strict}
        if detecting:
            told["PAMTRI_TEST_DETECTOR"] = str(request.getfixturevalue("red_detector"))
        names = DETECTING if detecting else [name for name in ALL if name not in DETECTING]
        return cpp_tests.run(built / "tests" / "gstreamer" / "gstreamer_tests", names, told)

    return run


@pytest.mark.parametrize("name", ALL)
def test_elements(built: Path, ran: Ran, name: str) -> None:
    analytics = "GSTREAMER_ANALYTICS_FOUND:INTERNAL=1"
    if name in OF_ANALYTICS and analytics not in (built / "CMakeCache.txt").read_text():
        pytest.skip("there is no GstAnalytics: GStreamer is older than 1.24")
    cpp_tests.assert_passed(ran(name in DETECTING), name)


@pytest.mark.parametrize("detecting", [False, True])
def test_nothing_is_left_in_memory(ran: Ran, detecting: bool) -> None:
    assert ran(detecting).returncode == 0, ran(detecting).stderr
