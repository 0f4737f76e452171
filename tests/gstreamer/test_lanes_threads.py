# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The thread that embeds for the elements has no race that the thread sanitizer sees."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBE = Path(__file__).with_name("lanes_probe.cpp")
FOLDERS = ("pipelines/gstreamer", "pipelines/core", "pipelines/engines", "kernels/include", "kernels/cpu")


@pytest.mark.slow
def test_batches_are_embedded_beside_frames_without_a_race(tmp_path):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++, whose thread sanitizer is used")
    command = [compiler, "-std=c++17", "-g1", "-fsanitize=thread", "-pthread"]
    command += [f"-I{ROOT / folder}" for folder in FOLDERS]
    command += [
        "-include",
        str(ROOT / "pipelines/gstreamer/lanes.cpp"),
        str(PROBE),
    ]  # read with the same headers
    built = subprocess.run([*command, "-o", tmp_path / "probe"], capture_output=True, text=True)
    if "tsan" in built.stderr and built.returncode:
        pytest.skip("g++ has no thread sanitizer here: libtsan")
    assert built.returncode == 0, built.stderr
    done = subprocess.run([tmp_path / "probe"], capture_output=True, text=True, timeout=120)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not run on this kernel")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING: ThreadSanitizer" not in done.stderr
