# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The GPU tests of the operations under NVIDIA's compute-sanitizer: memory errors and races in our kernels.

`python benchmarks/gpu_sanitize.py` runs `pytest -m gpu` on `tests/ops` under memcheck, then racecheck. Only
our kernels are watched, and no pool stands between their arrays (`gpu/unpooled.py`). It fails on any
error, on a test that fails, and if no test ran; where there is no compute-sanitizer it says so and exits
with 77.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from gpu.record import RESULTS, Output, Record
from gpu.stages import environment, gpu_tests
from gpu.targets import SKIPPED_CODE, Target, exit_code
from gpu.toolkit import find_tool

from pamtri_edge import console

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("memcheck", "racecheck")
FOUND = 86
"""Exit code of the sanitizer when it found something; pytest has others."""
_KERNELS = "kns=pamtri_"
_LAST = 20
"""Lines of the output that are shown where something is wrong."""


@dataclass(frozen=True)
class Run:
    """One run under the sanitizer.

    Attributes:
        tool: "memcheck" or "racecheck".
        code: its exit code; None if it ran out of time.
        output: what it and the tests said.
    """

    tool: str
    code: int | None
    output: str

    def target(self) -> Target:
        """Return what it is held against."""
        passed = re.search(r"(\d+) passed", self.output)
        summary = re.findall(r"={3,}\s*((?:ERROR|RACECHECK) SUMMARY: .*)", self.output)
        found = {
            None: "it ran out of time",
            0: f"{passed[1]} tests passed" if passed else "no test passed",
            FOUND: "errors in our kernels",
            5: "there is no test",
        }.get(self.code, f"it ended with exit code {self.code}")
        words = "; ".join([found, *summary[-1:]])
        clean = not summary or re.search(r"SUMMARY: 0 ", summary[-1]) is not None
        return Target(f"{self.tool} finds nothing", words, self.code == 0 and passed is not None and clean)


def main(
    tests: Annotated[
        list[str] | None, typer.Argument(help="Tests to run. [default: those of the operations]")
    ] = None,
    sanitizer: Annotated[str, typer.Option(help="The program. [default: the one found]")] = "",
    minutes: Annotated[float, typer.Option(help="Time for each tool.")] = 30.0,
    output: Output = RESULTS,
) -> None:
    """Run the operations' GPU tests under memcheck and racecheck."""
    program = sanitizer or find_tool("compute-sanitizer")
    if not program:
        console.err.print("skipped: compute-sanitizer is not installed; it comes with the CUDA toolkit.")
        sys.exit(SKIPPED_CODE)
    record = Record("sanitize", output, sanitizer=program)
    for tool in TOOLS:
        run = sanitized(program, tool, tests or gpu_tests("tests/ops"), minutes=minutes)
        log = record.path.with_name(f"{record.path.stem}-{tool}.log")
        log.write_text(run.output)
        target = run.target()
        if not target.met:
            console.err.print("\n".join(run.output.splitlines()[-_LAST:]), markup=False)
        record.judge([target])
    sys.exit(exit_code(record.close()))


def command(program: str, tool: str, tests: Sequence[str]) -> list[str]:
    """Return the command line for one tool.

    What the CUDA interface answers is not reported: the tests also ask for what must be refused.
    """
    watched = [program, "--tool", tool, "--error-exitcode", str(FOUND), "--kernel-name", _KERNELS]
    if tool == "memcheck":
        watched += ["--report-api-errors", "no"]
    plugins = ["-p", "gpu.unpooled", "-p", "no:cacheprovider", "-W", "default"]
    return [*watched, sys.executable, "-m", "pytest", "-q", "-m", "gpu", *plugins, *tests]


def sanitized(program: str, tool: str, tests: Sequence[str], *, minutes: float) -> Run:
    """Run the tests under a tool; its output is shown as it comes, and returned."""
    given = {**environment(), "PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}
    console.err.print(f"{tool}: {' '.join(tests)} ...")
    try:
        done = subprocess.run(
            command(program, tool, tests),
            cwd=ROOT,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60 * minutes,
            check=False,
        )
    except subprocess.TimeoutExpired as stopped:
        return Run(tool, None, (stopped.output or b"").decode(errors="replace"))
    return Run(tool, done.returncode, done.stdout.decode(errors="replace"))


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
