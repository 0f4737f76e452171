# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What needs a GPU, in stages of nine minutes at most: `make gpu` runs them all, `gpu_bare.py` one by one.

A stage is one or more programs, run one after the other whatever becomes of each. When the stage's time is up
its program is stopped; what that has written until then stays.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gpu.targets import MISSED, PASSED, SKIPPED, SKIPPED_CODE
from pamtri_edge.files.atomic import write_atomically

ROOT: Final = Path(__file__).resolve().parents[2]
MARKER: Final = "pytest.mark.gpu"
DEADLINE: Final = 540.0
"""Seconds that a stage may take."""
CACHES: Final = ROOT / "build" / "gpu"
"""Where compilers keep what a later stage would compile again; git ignores it."""

_GRACE: Final = 5.0


@dataclass(frozen=True)
class Step:
    """One program.

    Attributes:
        name: in words.
        arguments: of Python; "{output}" stands for the folder of the result files.
        rehearsal: what runs instead where there is no GPU; None if that has nothing to run on.
        results: whether it leaves a result file, without which it has failed.
        minutes: at most for this step; what is left of the stage's time, if there is less.
    """

    name: str
    arguments: tuple[str, ...]
    rehearsal: tuple[str, ...] | None
    results: bool = True
    minutes: float = DEADLINE / 60


@dataclass(frozen=True)
class Stage:
    """What is run at a time.

    Attributes:
        name: as `--stage` takes it.
        what: what it is about.
        minutes: about how long it takes.
        steps: its programs, in order.
    """

    name: str
    what: str
    minutes: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a step.

    Attributes:
        step: its name.
        verdict: `PASSED`, `MISSED`, `SKIPPED`, or what went wrong.
        seconds: how long it took.
        files: names of the result files that it left.
    """

    step: str
    verdict: str
    seconds: float
    files: tuple[str, ...]

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


def _script(name: str, *arguments: str, rehearsal: Sequence[str] | None = ()) -> dict[str, Any]:
    """Return the arguments of one of our programs, and those of its rehearsal."""
    program = (f"benchmarks/{name}.py", "--output", "{output}")
    rehearsed = None if rehearsal is None else (*program, "--rehearse", *rehearsal)
    return {"arguments": (*program, *arguments), "rehearsal": rehearsed}


def _pytest(*arguments: str) -> tuple[str, ...]:
    # Another release of a library may warn of what ours do not: that is no failure of a kernel.
    return ("-m", "pytest", "-q", "-W", "default", "-p", "no:cacheprovider", "-p", "gpu.absent", *arguments)


def _end_to_end(batch: int) -> Stage:
    step = Step(
        f"batch {batch}",
        **_script(
            "gpu_end_to_end",
            *("--batch", str(batch), "--no-share", "--seconds", "500"),
            rehearsal=("--batch", "2", "--no-share", "--rounds", "3", "--block", "0.01"),
        ),
    )
    return Stage(f"e2e-{batch}", f"vehicles a second beside PyTorch's, batches of {batch}", 8, (step,))


_OPERATIONS: Final = gpu_tests("tests/ops")

STAGES: Final = (
    Stage(
        "probe",
        "versions, and one launch of every kernel",
        1,
        (Step("probe", **_script("gpu_probe")),),
    ),
    Stage(
        "ops",
        "the operations' tests, then under memcheck and racecheck",
        6,
        (
            Step(
                "tests",
                _pytest("-m", "gpu", *_OPERATIONS),
                _pytest("tests/ops/test_cuda_streams.py"),
                results=False,
            ),
            Step("sanitizer", **_script("gpu_sanitize", "--minutes", "2", rehearsal=None)),
        ),
    ),
    Stage(
        "kernels",
        "bandwidth of the operations beside a copy's, then what the profiler says",
        6,
        (
            Step("bandwidth", **_script("gpu_kernels", rehearsal=("--rounds", "3", "--only", "fp32"))),
            Step("profiler", **_script("gpu_ncu", rehearsal=None)),
        ),
    ),
    _end_to_end(8),
    Stage("cpp", "the library for C++ against CuPy's kernels", 2, (Step("library", **_script("gpu_cpp")),)),
    _end_to_end(1),
    _end_to_end(32),
    Stage(
        "share",
        "our kernels' share of our path",
        8,
        (
            Step(
                "share",
                **_script(
                    "gpu_end_to_end",
                    "--only-share",
                    rehearsal=("--only-share", "--rounds", "3", "--block", "0.01"),
                ),
            ),
        ),
    ),
    Stage(
        "stem",
        "the rewritten first convolution, eager and compiled",
        5,
        (
            Step("eager", **_script("stem", "--device", "cuda", rehearsal=("--rounds", "3"))),
            Step("compiled", **_script("stem", "--device", "cuda", "--compile", rehearsal=None)),
        ),
    ),
    Stage(
        "soak",
        "batches of random sizes through the SDK",
        8,
        (
            Step(
                "soak",
                **_script(
                    "gpu_soak",
                    *("--minutes", "7"),
                    rehearsal=("--minutes", "0.2", "--settled", "4"),
                ),
            ),
        ),
    ),
    Stage(
        "tests",
        "every other test that needs a GPU; wants all that the tests want",
        9,
        (
            Step(
                "tests",
                _pytest("-m", "gpu", *sorted(set(gpu_tests("tests")) - set(_OPERATIONS))),
                None,
                results=False,
            ),
        ),
    ),
)


def run_stage(
    stage: Stage,
    output: Path,
    *,
    rehearse: bool = False,
    deadline: float = DEADLINE,
    announce: Callable[[str], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Run a stage's programs in the root of the project; yield what came of each when it has ended.

    Args:
        stage: which.
        output: folder for result files.
        rehearse: run what needs no GPU.
        deadline: seconds for all of them.
        announce: is told what begins.
    """
    output.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + deadline
    for step in stage.steps:
        announce(f"{stage.name}, {step.name}: {stage.what}")
        arguments = step.rehearsal if rehearse else step.arguments
        left = min(end - time.monotonic(), 60 * step.minutes)
        if arguments is None:
            yield Outcome(step.name, SKIPPED, 0.0, ())
            continue
        before, start = set(output.iterdir()), time.monotonic()
        filled = [argument.format(output=output.resolve()) for argument in arguments]
        code = _run(filled, left, environment(rehearse=rehearse)) if left > 0 else None
        files = tuple(sorted(path.name for path in set(output.iterdir()) - before if _is_result(path)))
        seconds = round(time.monotonic() - start, 1)
        yield Outcome(step.name, judged(step, code, files), seconds, files)


def environment(*, rehearse: bool = False) -> dict[str, str]:
    """Return what the programs are given: the project's modules, and caches in an ignored folder.

    A rehearsal gets one thread: tiny networks gain nothing from more, and lose much on a busy machine.
    """
    ours = [ROOT, ROOT / "benchmarks", ROOT / "tests" / "fakes"]
    there = [*map(str, ours), *filter(None, [os.environ.get("PYTHONPATH")])]
    given = {**os.environ, "PAMTRI_REQUIRE_GPU": "1", "PYTHONPATH": os.pathsep.join(there)}
    for name, folder in (
        ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("CUPY_CACHE_DIR", "cupy"),
    ):
        given.setdefault(name, str(CACHES / folder))
    return {**given, "OMP_NUM_THREADS": "1"} if rehearse else given


def judged(step: Step, code: int | None, files: Sequence[str]) -> str:
    """Return the verdict on a step from its exit code (None: its time was up) and the files that it left."""
    if code is None:
        kept = f"; its rows until then are in {', '.join(files)}" if files else ""
        return f"stopped: its time was up{kept}"
    if code == SKIPPED_CODE:
        return SKIPPED
    if code == 0:
        return PASSED if files or not step.results else "failed: it left no result file"
    if code == 1 and step.results and files:
        return MISSED
    if code < 0:
        return f"failed: ended by signal {-code}"
    return f"failed: exit code {code}"


def _is_result(path: Path) -> bool:
    return path.suffix == ".json" and "-stage-" not in path.name


class Summary:
    """The file that says what came of a stage, written whenever a step has begun or ended.

    Args:
        stage: which.
        output: its folder.
        rehearse: it is a rehearsal, and the file's name says so.
        facts: what else goes to its head.
    """

    def __init__(self, stage: Stage, output: Path, *, rehearse: bool, **facts: Any) -> None:
        kind = "rehearsal" if rehearse else "gpu"
        self.path = (
            output / f"{kind}-stage-{stage.name}-{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}.json"
        )
        self._content: dict[str, Any] = {"stage": stage.name, "rehearsal": rehearse, **facts}
        self._content |= {"steps": [], "verdict": "unfinished"}
        output.mkdir(parents=True, exist_ok=True)
        self._write()

    def add(self, outcome: Outcome) -> None:
        """Add what came of a step."""
        self._content["steps"].append(asdict(outcome))
        self._write()

    def close(self, outcomes: Sequence[Outcome]) -> str:
        """Write and return the stage's verdict: `PASSED`, `MISSED`, or `SKIPPED` if nothing could run."""
        verdicts = {outcome.verdict for outcome in outcomes}
        good = all(outcome.good for outcome in outcomes)
        self._content["verdict"] = SKIPPED if verdicts == {SKIPPED} else PASSED if good else MISSED
        self._write()
        return str(self._content["verdict"])

    def _write(self) -> None:
        write_atomically(self.path, (json.dumps(self._content, indent=2) + "\n").encode())


def _run(arguments: Sequence[str], seconds: float, given: Mapping[str, str]) -> int | None:
    """Run Python; return its exit code, or None if it, and all that it started, had to be stopped."""
    CACHES.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=given, start_new_session=True)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:  # also when this program itself is interrupted
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
