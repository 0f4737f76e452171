# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What pipelines stand on, in C++; each TEST of the programs is a test here."""

import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def named_in(pattern):
    return [
        name
        for source in sorted(HERE.glob(pattern))
        for name in re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)
    ]


def passes(program, name):
    done = subprocess.run([program, name], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"passed {name}\n"


@pytest.mark.parametrize("name", named_in("engine_*.cpp"))
def test_tensorrt_engine(programs, name):
    passes(programs / "engine_tests", name)


@pytest.mark.parametrize("name", named_in("core_*.cpp"))
def test_core(programs, name):
    passes(programs / "core_tests", name)
