# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""GstAnalytics, which GStreamer before 1.24 lacks: our code compiles with its headers, where there are some.

    PAMTRI_GST_ANALYTICS_INCLUDE=gstreamer-1.24/subprojects/gst-plugins-bad/gst-libs \
        pytest tests/gstreamer/test_analytics_headers.py

names folders that hold gst/analytics/analytics.h, several as PATH does; all other
headers are the system's.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import native_builds

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PIPELINES = ROOT / "pipelines"
SOURCES = (PIPELINES / "gstreamer" / "analytics.cpp", HERE / "analytics_tests.cpp")
OURS = (
    PIPELINES / "core",
    PIPELINES / "engines",
    PIPELINES / "gstreamer",
    ROOT / "tests" / "pipelines",
    HERE,
)


def folders() -> list[Path]:
    named = os.environ.get("PAMTRI_GST_ANALYTICS_INCLUDE", "")
    return [Path(place) for place in named.split(os.pathsep) if place]


@pytest.mark.parametrize("folder", folders() or [None], ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_it_compiles_with_the_headers_of_gst_analytics(source: Path, folder: Path | None) -> None:
    if folder is None:
        pytest.skip("name folders of headers with PAMTRI_GST_ANALYTICS_INCLUDE")
    assert (folder / "gst" / "analytics" / "analytics.h").exists(), (
        f"{folder} has no gst/analytics/analytics.h"
    )
    packages = ["pkg-config", "--cflags", "gstreamer-video-1.0", "gstreamer-check-1.0"]
    found = subprocess.run(packages, capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("there is no GStreamer 1.22 or later; .ci/gstreamer installs it")
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    flags += ["-DPAMTRI_ANALYTICS", "-DGST_USE_UNSTABLE_API", "-isystem", str(folder)]
    flags += [f"-I{place}" for place in OURS]
    native_builds.run(native_builds.compiler(), *flags, *found.stdout.split(), source)
