# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The stages: they go on after a failure, end at their deadline, and keep what was measured."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from gpu import presence
from gpu.stages import STAGES, Stage, Step, run_stage
from gpu.targets import SKIPPED_CODE, Target, exit_code, verdict

ROOT = Path(__file__).resolve().parents[2]

# What a machine for measuring may lack: it has numpy, cv2, torch, onnx, cupy, typer, rich, safetensors,
# pytest and hypothesis.


def program(name: str, code: int, *, leaves: bool = True, results: bool = True, more: str = "") -> Step:
    """Return a step that leaves a file, if it shall, and ends with a code."""
    script = "import os, pathlib, sys, time; folder = pathlib.Path(sys.argv[1]); "
    if leaves:
        script += f"(folder / '{name}.json').write_text(os.environ['PAMTRI_REQUIRE_GPU']); "
    arguments = ("-c", f"{script}{more}sys.exit({code})", "{output}")
    return Step(name, arguments, None, results=results)


def stage(*steps: Step) -> Stage:
    return Stage("several", "a test", 1, steps)


def test_every_step_runs_whatever_became_of_the_one_before(tmp_path: Path) -> None:
    several = [
        program("broken", 2),
        program("missed", 1),
        program("absent", SKIPPED_CODE, leaves=False),
        program("silent", 0, leaves=False),
        program("tests", 0, leaves=False, results=False),
        program("sound", 0),
    ]
    told: list[str] = []
    outcomes = {one.step: one for one in run_stage(stage(*several), tmp_path / "new", announce=told.append)}
    assert {name: one.verdict for name, one in outcomes.items()} == {
        "broken": "failed: exit code 2",
        "missed": "missed",
        "absent": "skipped",
        "silent": "failed: it left no result file",
        "tests": "passed",
        "sound": "passed",
    }
    assert [name for name, one in outcomes.items() if one.good] == ["absent", "tests", "sound"]
    assert outcomes["sound"].files == ("sound.json",)
    assert (tmp_path / "new" / "sound.json").read_text() == "1"
    assert told == [f"several, {step.name}: a test" for step in several]


def test_at_its_deadline_a_stage_stops_with_all_that_it_started_and_keeps_the_rows(tmp_path: Path) -> None:
    child = "import subprocess; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    child += "(folder / 'child').write_text(str(c.pid)); time.sleep(60); "
    start = time.monotonic()
    first, second = run_stage(
        stage(program("endless", 0, more=child), program("late", 0)), tmp_path, deadline=4.0
    )
    assert time.monotonic() - start < 30
    assert first.verdict == "stopped: its time was up; its rows until then are in endless.json"
    assert second.verdict == "stopped: its time was up"
    with pytest.raises(ProcessLookupError):
        _wait_until_gone(int((tmp_path / "child").read_text()))


def _wait_until_gone(pid: int) -> None:
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            raise ProcessLookupError  # ended; nobody has asked how
        os.kill(pid, 0)
        time.sleep(0.05)


STEPS = [(one.name, step) for one in STAGES for step in one.steps if step.results]


@pytest.mark.parametrize("step", [step for _, step in STEPS], ids=[f"{a}-{b.name}" for a, b in STEPS])
def test_every_step_is_a_program_that_takes_what_it_is_given(step: Step) -> None:
    program = Path(step.arguments[0])
    assert (ROOT / program).is_file()
    app = typer.Typer()
    app.command()(importlib.import_module(program.stem).main)
    known = {name for one in typer.main.get_command(app).params for name in (*one.opts, *one.secondary_opts)}
    for arguments in (step.arguments, step.rehearsal or ()):
        assert {word for word in arguments if word.startswith("--")} <= known
    assert step.arguments[1:3] == ("--output", "{output}")


def test_make_gpu_says_in_one_sentence_that_there_is_no_gpu() -> None:
    if not presence.absence()[0]:
        pytest.skip("there is a GPU, on which 'make gpu' would measure for an hour")
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")
    done = subprocess.run(
        [make, "--no-print-directory", "gpu", f"PYTHON={sys.executable}", "VENV=/nowhere"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first.startswith("The GPU measurements need an NVIDIA GPU, and ")
    assert all(line.startswith("make") for line in rest)


def test_a_stage_can_be_rehearsed_as_it_is_called(tmp_path: Path) -> None:
    """Without PYTHONPATH, from elsewhere; the other programs are rehearsed in their own tests."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, ROOT / "benchmarks" / "gpu_bare.py", "--stage", "probe", "--rehearse"]
    done = subprocess.run(
        [*command, "--output", tmp_path / "out"],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (summary,) = (tmp_path / "out").glob("rehearsal-stage-probe-*.json")
    (step,) = json.loads(summary.read_text())["steps"]
    result = json.loads((tmp_path / "out" / step["files"][0]).read_text())
    assert (result["rehearsal"], result["verdict"]) == (True, "passed")
    assert len(result["rows"]) >= 7


def test_what_was_not_judged_is_not_met() -> None:
    met, open_, missed = (Target("a", "b", met) for met in (True, None, False))
    assert verdict([met]) == "passed"
    assert verdict([met, open_]) == verdict([met, missed]) == verdict([]) == "missed"
    assert verdict([met, Target("fast", "b", False, timed=True)], rehearsal=True) == "passed"
    assert [exit_code(word) for word in ("passed", "missed", "skipped")] == [0, 1, SKIPPED_CODE]
