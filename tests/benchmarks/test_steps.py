# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The run of all steps: it goes on after a failure, says what came of each, and fails if any did."""

from __future__ import annotations

import ctypes
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpu_all
import pytest
import typer
from gpu import presence, steps
from gpu.steps import STEPS, Step, judged, run_steps
from gpu.targets import SKIPPED_CODE, Target, exit_code, verdict

from pamtri_edge.errors import InputError, MissingDependencyError

ROOT = Path(__file__).resolve().parents[2]


def program(name: str, code: int, *, leaves: bool = True, results: bool = True) -> Step:
    """Return a step that leaves a file, if it shall, and ends with a code."""
    script = "import os, pathlib, sys; folder = pathlib.Path(sys.argv[1]); "
    if leaves:
        script += f"(folder / '{name}.json').write_text(os.environ['PAMTRI_REQUIRE_GPU']); "
    return Step(name, ("-c", f"{script}sys.exit({code})", "{output}"), "a test", results=results)


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
    outcomes = {one.step.name: one for one in run_steps(several, tmp_path / "new", announce=told.append)}
    assert {name: one.verdict for name, one in outcomes.items()} == {
        "broken": "failed: exit code 2",
        "missed": "missed",
        "absent": "skipped",
        "silent": "failed: it left no result file",
        "tests": "passed",
        "sound": "passed",
    }
    assert [name for name, one in outcomes.items() if one.good] == ["absent", "tests", "sound"]
    assert [path.name for path in outcomes["sound"].files] == ["sound.json"]
    assert outcomes["sound"].files[0].read_text() == "1"
    assert told == [f"{step.name}: a test" for step in several]


def test_a_crash_is_no_missed_target(tmp_path: Path) -> None:
    assert judged(program("a", 1), 1, ()) == "failed: exit code 1"
    assert judged(program("a", 1), -11, (tmp_path,)) == "failed: ended by signal 11"


def test_only_files_with_tests_for_a_gpu_are_loaded() -> None:
    found = steps.gpu_tests("tests")
    assert "tests/ops/test_cuda_on_gpu.py" in found
    assert "tests/ops/test_native_module.py" not in found
    assert set(found) < set(STEPS[0].arguments)


@pytest.mark.parametrize("step", [step for step in STEPS if step.results], ids=lambda step: step.name)
def test_every_step_is_a_program_that_takes_what_it_is_given(step: Step) -> None:
    program = Path(step.arguments[0])
    assert (ROOT / program).is_file()
    app = typer.Typer()
    app.command()(importlib.import_module(program.stem).main)
    known = {name for one in typer.main.get_command(app).params for name in one.opts}
    assert {word for word in step.arguments if word.startswith("--")} <= known
    assert step.arguments[-2:] == ("--output", "{output}")


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


class TestAll:
    @pytest.fixture
    def on_a_gpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gpu_all, "absence", lambda: ("", 13000))
        monkeypatch.setattr(gpu_all, "gpu", lambda: {"name": "A GPU", "driver": "580"})

    def run(self, output: Path, monkeypatch: pytest.MonkeyPatch, *several: Step) -> tuple[int, Any]:
        monkeypatch.setattr(gpu_all, "STEPS", several)
        with pytest.raises(SystemExit) as ended:
            gpu_all.main(only=None, output=output)
        (path,) = output.glob("gpu-summary-*.json")
        return int(ended.value.code or 0), json.loads(path.read_text())

    @pytest.mark.usefixtures("on_a_gpu")
    def test_one_table_and_one_verdict(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, summary = self.run(tmp_path, monkeypatch, program("first", 1), program("second", 0))
        assert code == 1
        assert [row["verdict"] for row in summary["steps"]] == ["missed", "passed"]
        assert summary["steps"][1]["files"] == ["second.json"]
        shown = capsys.readouterr().out
        assert "A GPU, driver: 580" in shown
        assert "missed" in shown
        assert "second.json" in shown

    @pytest.mark.usefixtures("on_a_gpu")
    def test_a_skipped_step_does_not_fail_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        code, _ = self.run(tmp_path, monkeypatch, program("absent", SKIPPED_CODE, leaves=False))
        assert code == 0

    def test_without_a_gpu_it_is_one_sentence(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(gpu_all, "absence", lambda: ("there is no NVIDIA driver here", 0))
        with pytest.raises(MissingDependencyError, match="need an NVIDIA GPU, and there is no NVIDIA driver"):
            gpu_all.main(only=None, output=tmp_path)
        assert not list(tmp_path.iterdir())

    def test_libraries_that_do_not_suit_the_gpu_are_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gpu_all, "absence", lambda: ("", 13000))

        def refuse() -> Any:
            raise RuntimeError("no GPU: neither CuPy nor torch sees one.")

        monkeypatch.setattr(gpu_all, "gpu", refuse)
        with pytest.raises(MissingDependencyError, match="make distclean gpu"):
            gpu_all.main(only=None, output=tmp_path)

    def test_single_steps_run_in_their_order(self) -> None:
        assert [step.name for step in gpu_all.chosen(["soak", "tests"])] == ["tests", "soak"]
        assert gpu_all.chosen([]) == list(steps.STEPS)
        with pytest.raises(InputError, match="there is no step 'sauna'; accepted: tests, sanitize"):
            gpu_all.chosen(["sauna"])


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
    assert [exit_code(word) for word in ("passed", "missed", "skipped")] == [0, 1, SKIPPED_CODE]
