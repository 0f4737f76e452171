# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many instructions the compiled operations and the core take: a gate without a clock.

callgrind counts what `instructions/counted.cpp` does, on one thread and one input. The counts of a compiler
stand in `baselines/instructions.json`; with another compiler, or without valgrind, there is nothing to
compare with, and that is said. valgrind knows AVX2 and not AVX-512, so what is counted is the form for AVX2.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
BASELINE: Final = Path(__file__).parent / "baselines" / "instructions.json"
FOLDER: Final = ROOT / "build" / "instructions"
OPERATIONS: Final = ("decode", "segments", "stack", "crop", "sharpness", "core")
TOLERANCE: Final = 0.02


def complaint(name: str, count: int, before: int) -> str | None:
    """Return a sentence if a count lies above the settled one by more than the tolerance."""
    if count <= before * (1 + TOLERANCE):
        return None
    return (
        f"{name} takes {count:,} instructions, {count / before - 1:+.1%}; settled: {before:,}, accepted: "
        f"{TOLERANCE:.0%} more. If that is meant: pytest benchmarks/test_instructions.py --settle"
    )


def counted(program: Path, name: str, folder: Path) -> tuple[int, str]:
    """Return the instructions of an operation, and what the program says of its result."""
    output = folder / f"callgrind.{name}"
    words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", "--toggle-collect=counted"]
    done = subprocess.run([*words, program, name], check=True, capture_output=True, text=True)
    found = re.search(r"^(?:summary|totals): (\d+)", output.read_text(), re.MULTILINE)
    assert found, f"{output} has no sum"
    return int(found[1]), done.stdout


@pytest.fixture(scope="module")
def program() -> Path:
    """Build the program that is counted, as a release is built; the folder is kept."""
    for needed in ("valgrind", "cmake", "ninja"):
        if shutil.which(needed) is None:
            pytest.skip(f"there is no {needed}; counting instructions needs valgrind, CMake and Ninja")
    configure = ["cmake", "-S", str(ROOT), "-B", str(FOLDER), "-G", "Ninja", "-DPAMTRI_PYTHON=OFF"]
    configure += ["-DPAMTRI_BENCHMARKS=ON", "-DCMAKE_BUILD_TYPE=Release"]
    for command in (configure, ["cmake", "--build", str(FOLDER), "--target", "pamtri_counted"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return FOLDER / "benchmarks" / "instructions" / "pamtri_counted"


@pytest.fixture(scope="module")
def compiler(program: Path) -> str:
    """Return what the program was compiled by, and for what."""
    lines = (FOLDER / "CMakeCache.txt").read_text().splitlines()
    path = next(line.partition("=")[2] for line in lines if line.startswith("CMAKE_CXX_COMPILER:"))
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return f"{said.splitlines()[0]}, {platform.machine()}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_more_instructions_than_settled(
    program: Path, compiler: str, name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    baselines: dict[str, Any] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    settling = request.config.getoption("settle")
    if not settling and name not in baselines.get(compiler, {}):
        known = "; ".join(sorted(baselines)) or "none"
        pytest.skip(f"no counts of {name} by {compiler} (there are: {known}); add them with --settle")
    count, _ = counted(program, name, tmp_path)
    print(f"\n{name}: {count:,} instructions")
    if settling:
        baselines.setdefault(compiler, {})[name] = count
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(baselines, indent=2, sort_keys=True) + "\n")
        return
    told = complaint(name, count, baselines[compiler][name])
    assert told is None, told


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_counted_gives_what_this_processor_gives(program: Path, name: str, tmp_path: Path) -> None:
    """The form for AVX2 and the fastest one here, which may be another, agree to the last digit shown."""
    here = subprocess.run([program, name], check=True, capture_output=True, text=True).stdout
    count, under_valgrind = counted(program, name, tmp_path)
    assert under_valgrind == here
    assert count > 10_000, "the whole operation was counted"
    assert abs(counted(program, name, tmp_path)[0] - count) <= 0.001 * count, "and takes as many again"


def test_more_than_the_tolerance_is_told() -> None:
    assert complaint("stack", 1020, 1000) is None
    assert complaint("stack", 10, 1000) is None
    told = complaint("stack", 1021, 1000)
    assert told is not None
    assert "stack takes 1,021 instructions, +2.1%; settled: 1,000" in told
