# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What pipelines stand on, in C++; each TEST of the program is a test here."""

from functools import cache
from pathlib import Path

import pytest

import cpp_tests

HERE = Path(__file__).parent
TESTS = cpp_tests.listed(HERE, "*.cpp")


@pytest.fixture(scope="module")
def ran(programs):
    """Return what runs the tests of a source, once."""
    return cache(lambda source: cpp_tests.run(programs / "pipeline_tests", HERE / source))


@pytest.mark.parametrize(("source", "name"), TESTS)
def test_pipelines(ran, source, name):
    assert f"passed {name}\n" in ran(source).stdout, ran(source).stdout + ran(source).stderr


@pytest.mark.parametrize("source", sorted({source for source, _ in TESTS}))
def test_nothing_is_left_in_memory(ran, source):
    assert ran(source).returncode == 0, ran(source).stderr
