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
    """Build the test program; return the folder that it lies in."""
    return native_builds.sanitized(tmp_path_factory, "pipeline_tests") / "tests" / "pipelines"


ENVIRONMENT = {**os.environ, **native_builds.sanitizing()}


def answering(*command):
    """Yield what gives a running program a line and returns the line that it answers."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT) as program:

        def ask(line):
            program.stdin.write(line if isinstance(line, bytes) else str(line).encode())
            program.stdin.write(b"\n")
            program.stdin.flush()
            return program.stdout.readline().decode().removesuffix("\n")

        yield ask
        program.stdin.close()
        assert program.wait(timeout=60) == 0  # and nothing is left in memory


@pytest.fixture(scope="session")
def opened(programs):
    """Return what opens a bundle in C++, by its path: "ok NAME" or "refused SENTENCE"."""
    yield from answering(programs / "pipeline_tests", "probe", "open")


@pytest.fixture(scope="session")
def read_json_in_cpp(programs):
    """Return what reads a line of JSON in C++: "ok VALUE" or "error WHY"."""
    yield from answering(programs / "pipeline_tests", "probe", "json")


@pytest.fixture
def probe(programs):
    """Return what runs probe.cpp with arguments and lines of input, and gives the lines that it tells."""

    def probe(*arguments, lines=""):
        done = subprocess.run(
            [programs / "pipeline_tests", "probe", *map(str, arguments)],
            input=lines.encode(),
            capture_output=True,
            env=ENVIRONMENT,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
        return done.stdout.decode().splitlines()

    return probe
