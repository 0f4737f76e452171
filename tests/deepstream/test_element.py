# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The element of DeepStream and its parts, in C++; each TEST of the programs is a test here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = [
    (f"{source.stem.partition('_')[0]}_tests", name)
    for source in sorted(HERE.glob("*_tests.cpp"))
    for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("program", "name"), TESTS)
def test_it(programs: Path, program: str, name: str) -> None:
    done = subprocess.run([programs / program, name], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"passed {name}\n"
