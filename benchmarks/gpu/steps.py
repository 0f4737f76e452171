# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The steps that need a GPU, run one after the other whatever becomes of each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gpu.targets import MISSED, PASSED, SKIPPED, SKIPPED_CODE

ROOT = Path(__file__).resolve().parents[2]
MARKER = "pytest.mark.gpu"


@dataclass(frozen=True)
class Step:
    """One program.

    Attributes:
        name: as the table and `--only` call it.
        arguments: of Python; "{output}" stands for the folder of the result files.
        what: what it is about.
        results: whether it leaves a result file, without which it has failed.
    """

    name: str
    arguments: tuple[str, ...]
    what: str
    results: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of a step.

    Attributes:
        step: which.
        verdict: `PASSED`, `MISSED`, `SKIPPED`, or what went wrong.
        seconds: how long it took.
        files: the result files that it left.
    """

    step: Step
    verdict: str
    seconds: float
    files: tuple[Path, ...]

    @property
    def good(self) -> bool:
        """Whether nothing went wrong: a step that had nothing to run on did not fail."""
        return self.verdict in (PASSED, SKIPPED)


def gpu_tests(folder: str) -> list[str]:
    """Return the test files of a folder of the project in which a test needs a GPU.

    The others are not even loaded: they may want what a machine for measuring does not have.
    """
    marked = (path for path in (ROOT / folder).rglob("test_*.py") if MARKER in path.read_text("utf-8"))
    return sorted(path.relative_to(ROOT).as_posix() for path in marked)


def _script(name: str, *arguments: str) -> tuple[str, ...]:
    return (f"benchmarks/{name}.py", *arguments, "--output", "{output}")


STEPS = (
    Step(
        "tests",
        ("-m", "pytest", "-q", "-m", "gpu", *gpu_tests("tests")),
        "every test that needs a GPU",
        results=False,
    ),
    Step("sanitize", _script("gpu_sanitize"), "memory errors and races in our kernels"),
    Step("kernels", _script("gpu_kernels"), "bandwidth of the operations beside a copy's"),
    Step("end-to-end", _script("gpu_end_to_end"), "vehicles a second beside PyTorch's"),
    Step("stem", _script("stem", "--device", "cuda"), "the rewritten first convolution, eager"),
    Step(
        "stem-compiled",
        _script("stem", "--device", "cuda", "--compile"),
        "the rewritten first convolution, compiled",
    ),
    Step("soak", _script("gpu_soak"), "ten thousand batches of random sizes"),
)


def run_steps(
    steps: Sequence[Step], output: Path, *, announce: Callable[[str], None] = lambda _: None
) -> Iterator[Outcome]:
    """Run steps in the root of the project; yield what came of each when it has ended.

    Args:
        steps: which.
        output: folder for result files.
        announce: is told what begins.
    """
    output.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PAMTRI_REQUIRE_GPU": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    for step in steps:
        announce(f"{step.name}: {step.what}")
        before = set(output.iterdir())
        start = time.monotonic()
        arguments = [argument.format(output=output.resolve()) for argument in step.arguments]
        code = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=False).returncode
        seconds = time.monotonic() - start
        files = tuple(sorted(path for path in set(output.iterdir()) - before if path.suffix == ".json"))
        yield Outcome(step, judged(step, code, files), seconds, files)


def judged(step: Step, code: int, files: Sequence[Path]) -> str:
    """Return the verdict on a step from its exit code and the files that it left."""
    if code == SKIPPED_CODE:
        return SKIPPED
    if code == 0:
        return PASSED if files or not step.results else "failed: it left no result file"
    if code == 1 and step.results and files:
        return MISSED
    if code < 0:
        return f"failed: ended by signal {-code}"
    return f"failed: exit code {code}"
