# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element of DeepStream and its parts, in C++; each TEST of the programs is a test here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import cpp_tests

HERE = Path(__file__).parent
TESTS = cpp_tests.listed(HERE)
Ran = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def ran(programs: Path) -> Ran:
    """Return what runs the tests of a source, once, in the program that has them."""
    environment = {**os.environ, "G_SLICE": "always-malloc"}
    return cache(
        lambda source: cpp_tests.run(
            programs / f"{source.partition('_')[0]}_tests", HERE / source, environment
        )
    )


@pytest.mark.parametrize(("source", "name"), TESTS)
def test_it(ran: Ran, source: str, name: str) -> None:
    assert f"passed {name}\n" in ran(source).stdout, ran(source).stdout + ran(source).stderr


@pytest.mark.parametrize("source", sorted({source for source, _ in TESTS}))
def test_nothing_is_left_in_memory(ran: Ran, source: str) -> None:
    assert ran(source).returncode == 0, ran(source).stderr
