# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What pipelines stand on, in C++; each TEST of the program is a test here."""

import subprocess
from pathlib import Path

import pytest

import cpp_tests

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def ran(programs: Path) -> subprocess.CompletedProcess[str]:
    return cpp_tests.run(programs / "pipeline_tests")


@pytest.mark.parametrize("name", cpp_tests.names_in(*HERE.glob("*.cpp")))
def test_pipelines(ran: subprocess.CompletedProcess[str], name: str) -> None:
    cpp_tests.assert_passed(ran, name)


def test_nothing_is_left_in_memory(ran: subprocess.CompletedProcess[str]) -> None:
    assert ran.returncode == 0, ran.stderr
