# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The plugin as GStreamer finds it: what it tells of itself, and that it stands beside the other of ours."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import native_builds

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def environment(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment in which GStreamer finds both plugins, on networks for tests."""
    gstreamer = programs.parent / "gstreamer" / "fake_plugin"
    return {
        **os.environ,
        **native_builds.sanitizers_loaded(),
        "GST_PLUGIN_PATH": f"{programs / 'fake_plugin'}{os.pathsep}{gstreamer}",
        "GST_REGISTRY": str(tmp_path_factory.mktemp("registry") / "registry.bin"),
        "GST_REGISTRY_FORK": "no",
        "GST_DEBUG_NO_COLOR": "1",
    }


@pytest.fixture(scope="module")
def properties(environment: dict[str, str]) -> dict[str, str]:
    told = subprocess.run(["gst-inspect-1.0", "nvpamtri"], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "video/x-raw(memory:NVMM)" in told.stdout
    listed = told.stdout.partition("Element Properties")[2]
    found = dict(re.findall(r"^  ([a-z-]+) +: (.+)$", listed, re.MULTILINE))
    return {name: text for name, text in found.items() if name not in ("name", "parent", "qos")}


def test_gst_inspect_reads_like_documentation(properties: dict[str, str]) -> None:
    assert {"bundle", "gpu-id", "reid-meta", "messages", "config-file", "sync", "stats"} <= set(properties)
    assert not {"device", "threads", "attach-to"} & set(properties)
    for name, text in properties.items():
        assert len(text) > 20, f"{name} says too little: {text}"


def test_every_property_is_documented(properties: dict[str, str]) -> None:
    page = (ROOT / "docs" / "deepstream.md").read_text()
    section = page.partition("## The element nvpamtri")[2].partition("\n## ")[0]
    assert {name for name in properties if f"`{name}`" not in section} == set()


def test_it_stands_beside_the_plugin_of_gstreamer(environment: dict[str, str]) -> None:
    line = "fakesrc num-buffers=1 ! pamtri fakesrc num-buffers=1 ! nvpamtri bundle=fake ! fakesink"
    done = subprocess.run(
        ["gst-launch-1.0", *line.split()], env=environment, capture_output=True, text=True, timeout=60
    )
    assert "pamtri" in done.stdout + done.stderr
    for word in ("CRITICAL", "cannot register existing type", "no element"):
        assert word not in done.stderr, done.stderr
