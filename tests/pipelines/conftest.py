# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ tests of pipelines: built once, with the fakes of CUDA and TensorRT, and run one by one."""

import os
import subprocess

import pytest

import native_builds
from small_bundle import bundle_path, golden, manifest, write  # noqa: F401


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Build the test programs; return the folder that they lie in."""
    targets = ("engine_tests", "core_tests", "core_probe", "bundle_probe")
    return native_builds.sanitized(tmp_path_factory, *targets) / "tests" / "pipelines"


@pytest.fixture
def probe(programs):
    """Return what runs bundle_probe with arguments and lines of input, and gives the lines that it tells."""

    def probe(*arguments, lines=""):
        # oneTBB opens its own parts in a way that sanitizers refuse, unless it is told.
        done = subprocess.run(
            [programs / "bundle_probe", *map(str, arguments)],
            input=lines.encode(),
            capture_output=True,
            env={**os.environ, "TBB_ENABLE_SANITIZERS": "1"},
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        return done.stdout.decode().splitlines()

    return probe
