# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The stages: they go on after a failure, end at their deadline, and keep what was measured."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpu_bare
import pytest
import typer
from gpu import presence, stages
from gpu.stages import STAGES, Outcome, Stage, Step, judged, run_stage
from gpu.targets import SKIPPED_CODE, Target, exit_code, verdict
from gpu.toolkit import find_tool

from pamtri_edge.errors import InputError

ROOT = Path(__file__).resolve().parents[2]

# What a machine for measuring may lack: it has numpy, cv2, torch, onnx, cupy, typer, rich, safetensors,
# pytest and hypothesis.
LACKING = (
    "openvino",
    "onnxruntime",
    "onnxscript",
    "av",
    "norfair",
    "pyarrow",
    "trimesh",
    "matplotlib",
    "numba",
)


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


def test_a_crash_is_no_missed_target() -> None:
    assert judged(program("a", 1), 1, ()) == "failed: exit code 1"
    assert judged(program("a", 1), -11, ("a.json",)) == "failed: ended by signal 11"


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


def test_no_stage_may_take_longer_than_its_deadline() -> None:
    assert stages.DEADLINE == 540
    assert all(stage.minutes * 60 <= stages.DEADLINE for stage in STAGES)
    assert [stage.name for stage in STAGES][:4] == ["probe", "ops", "kernels", "e2e-8"]
    assert {stage.name for stage in STAGES} >= {"cpp", "e2e-1", "e2e-32", "stem", "soak"}


def test_only_files_with_tests_for_a_gpu_are_loaded() -> None:
    found = stages.gpu_tests("tests")
    assert "tests/ops/test_cuda_on_gpu.py" in found
    assert "tests/ops/test_native_module.py" not in found


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


def test_the_programs_need_no_more_than_a_bare_machine_has() -> None:
    names = sorted({Path(step.arguments[0]).stem for _, step in STEPS} | {"gpu_bare"})
    script = f"import sys; sys.modules.update(dict.fromkeys({LACKING!r})); import {', '.join(names)}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**stages.environment(), "PYTHONPATH": stages.environment()["PYTHONPATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_caches_lie_in_a_folder_that_git_ignores() -> None:
    found = stages.environment()
    for name in ("TORCHINDUCTOR_CACHE_DIR", "CUPY_CACHE_DIR", "TRITON_CACHE_DIR"):
        assert Path(found[name]).is_relative_to(ROOT / "build")
    assert "build/" in (ROOT / ".gitignore").read_text().split()


def test_where_every_test_was_skipped_the_step_is_skipped(tmp_path: Path) -> None:
    for name, body, code in (
        ("absent", "pytest.skip('no TensorRT')", SKIPPED_CODE),
        ("there", "pass", 0),
        ("wrong", "assert False", 1),
    ):
        path = tmp_path / f"test_{name}.py"
        path.write_text(f"import pytest\ndef test_it():\n    {body}\n")
        command = [sys.executable, *stages._pytest("-c", os.devnull, str(path))]
        done = subprocess.run(
            command, env=stages.environment(), cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode == code, done.stdout


def test_a_tool_is_found_on_the_path_and_in_the_toolkit(tmp_path: Path) -> None:
    tool = tmp_path / "bin" / "ncu"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert find_tool("ncu", {"PATH": str(tool.parent)}) == str(tool)
    assert find_tool("ncu", {"PATH": "/nonexistent", "CUDA_HOME": str(tmp_path)}) == str(tool)
    assert find_tool("no-such-tool", {"PATH": "/nonexistent"}) == ""


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


class TestBare:
    def run(self, output: Path, monkeypatch: pytest.MonkeyPatch, *several: Step) -> tuple[int, Any]:
        monkeypatch.setattr(gpu_bare, "absence", lambda: ("", 13000))
        monkeypatch.setattr(gpu_bare, "STAGES", (stage(*several),))
        with pytest.raises(SystemExit) as ended:
            gpu_bare.main(stage=None, output=output, rehearse=False)
        (path,) = output.glob("gpu-stage-several-*.json")
        return int(ended.value.code or 0), json.loads(path.read_text())

    def test_one_table_and_one_verdict(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, summary = self.run(tmp_path, monkeypatch, program("first", 1), program("second", 0))
        assert code == 1
        assert summary["verdict"] == "missed"
        assert [row["verdict"] for row in summary["steps"]] == ["missed", "passed"]
        assert summary["steps"][1]["files"] == ["second.json"]
        assert "second.json" in capsys.readouterr().out

    @pytest.mark.parametrize(("other", "code"), [(0, 0), (SKIPPED_CODE, SKIPPED_CODE)])
    def test_what_is_absent_fails_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: int, code: int
    ) -> None:
        absent = program("absent", SKIPPED_CODE, leaves=False)
        assert self.run(tmp_path, monkeypatch, absent, program("other", other))[0] == code

    def test_without_a_gpu_it_is_skipped_in_one_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(gpu_bare, "absence", lambda: ("there is no NVIDIA driver here", 0))
        with pytest.raises(SystemExit) as ended:
            gpu_bare.main(stage=["probe"], output=tmp_path, rehearse=False)
        assert ended.value.code == SKIPPED_CODE
        assert "need an NVIDIA GPU, and there is no NVIDIA driver here" in capsys.readouterr().err
        assert not list(tmp_path.iterdir())

    def test_what_a_stage_has_done_is_in_its_file_before_it_ends(self, tmp_path: Path) -> None:
        summary = stages.Summary(stage(), tmp_path, rehearse=True)
        summary.add(Outcome("first", "passed", 1.0, ("a.json",)))
        written = json.loads(summary.path.read_text())
        assert (written["verdict"], written["steps"][0]["files"]) == ("unfinished", ["a.json"])
        assert summary.path.name.startswith("rehearsal-stage-")

    def test_single_stages_run_in_their_order(self) -> None:
        assert [stage.name for stage in gpu_bare.chosen(["soak", "probe"])] == ["probe", "soak"]
        assert gpu_bare.chosen([]) == list(STAGES)
        with pytest.raises(InputError, match="there is no stage 'sauna'; accepted: probe, ops"):
            gpu_bare.chosen(["sauna"])

    @pytest.mark.parametrize("name", ["probe", "cpp"])
    def test_a_stage_can_be_rehearsed_as_it_is_called(self, tmp_path: Path, name: str) -> None:
        """Without PYTHONPATH, from elsewhere; the other programs are rehearsed in their own tests."""
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [sys.executable, ROOT / "benchmarks" / "gpu_bare.py", "--stage", name, "--rehearse"]
        done = subprocess.run(
            [*command, "--output", tmp_path / "out"],
            cwd=tmp_path,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (summary,) = (tmp_path / "out").glob(f"rehearsal-stage-{name}-*.json")
        (step,) = json.loads(summary.read_text())["steps"]
        result = json.loads((tmp_path / "out" / step["files"][0]).read_text())
        assert (result["rehearsal"], result["verdict"]) == (True, "passed")
        assert len(result["rows"]) >= 7


class TestPresence:
    """The driver is a library that a test makes; nothing of NVIDIA's is loaded."""

    def driver(
        self, monkeypatch: pytest.MonkeyPatch, *, code: int = 0, devices: int = 1, version: int = 13010
    ) -> None:
        def give(value: int) -> Any:
            def fill(place: Any) -> int:
                place._obj.value = value
                return 0

            return fill

        library = SimpleNamespace(
            cuInit=lambda flags: code,
            cuDeviceGetCount=give(devices),
            cuDriverGetVersion=give(version),
        )
        monkeypatch.setattr(ctypes, "CDLL", lambda name: library)

    @pytest.mark.parametrize(
        ("version", "package"), [(12060, "cupy-cuda12x"), (13010, "cupy-cuda13x"), (14000, "cupy-cuda13x")]
    )
    def test_the_cupy_for_the_driver(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        version: int,
        package: str,
    ) -> None:
        self.driver(monkeypatch, version=version)
        assert presence.main() == 0
        assert capsys.readouterr().out.strip() == package

    @pytest.mark.parametrize(
        ("made", "words"),
        [
            ({"code": 100}, "cuInit gives error 100"),
            ({"devices": 0}, "reports no GPU"),
            ({"version": 11040}, "the driver is for CUDA 11, and CuPy needs one for 12 or later"),
        ],
        ids=["no device", "none", "old"],
    )
    def test_what_is_missing_is_one_sentence(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        made: dict[str, int],
        words: str,
    ) -> None:
        self.driver(monkeypatch, **made)
        assert presence.main() == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert words in said.err
        assert said.err.count("\n") == 1

    def test_no_driver_at_all(self) -> None:
        why, version = presence.absence("libnosuchdriver.so.1")
        assert why.startswith("there is no NVIDIA driver here")
        assert version == 0


def test_what_was_not_judged_is_not_met() -> None:
    met, open_, missed = (Target("a", "b", met) for met in (True, None, False))
    assert verdict([met]) == "passed"
    assert verdict([met, open_]) == verdict([met, missed]) == verdict([]) == "missed"
    assert verdict([met, Target("fast", "b", False, timed=True)], rehearsal=True) == "passed"
    assert [exit_code(word) for word in ("passed", "missed", "skipped")] == [0, 1, SKIPPED_CODE]
