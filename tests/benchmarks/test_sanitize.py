# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The sanitizer's step, with a program in the sanitizer's place: what it is told, and what follows."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import gpu_sanitize
import pytest
from gpu.targets import SKIPPED_CODE
from gpu_sanitize import FOUND, Run

CLEAN = "========= ERROR SUMMARY: 0 errors"
RACES = "========= RACECHECK SUMMARY: 2 hazards displayed (2 errors, 0 warnings)"


@pytest.mark.parametrize(
    ("code", "output", "met", "words"),
    [
        (0, f"41 passed in 9s\n{CLEAN}", True, "41 tests passed; ERROR SUMMARY: 0 errors"),
        (0, "41 passed, 3 deselected", True, "41 tests passed"),
        (FOUND, f"41 passed in 9s\n{RACES}", False, "errors in our kernels; RACECHECK SUMMARY: 2 hazards"),
        (0, f"41 passed in 9s\n{RACES}", False, "RACECHECK SUMMARY: 2 hazards"),
        (1, f"1 failed, 40 passed\n{CLEAN}", False, "exit code 1"),
        (5, f"no tests ran\n{CLEAN}", False, "there is no test"),
        (0, CLEAN, False, "no test passed"),
        (None, "", False, "ran out of time"),
    ],
)
def test_only_tests_that_passed_without_a_finding_are_clean(
    code: int | None, output: str, met: bool, words: str
) -> None:
    target = Run("memcheck", code, output).target()
    assert target.met is met
    assert words in target.found


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a program that notes how it was called and ends as `CODE` says."""
    program = tmp_path / "bin" / "compute-sanitizer"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        f"with open({str(tmp_path / 'calls')!r}, 'a') as calls:\n"
        "    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=calls)\n"
        "print('7 passed in 1s')\nsys.exit(int(os.environ['CODE']))\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("gpu.record.gpu", lambda: {"name": "A GPU"})
    return program


def run(**options: Any) -> int:
    with pytest.raises(SystemExit) as ended:
        gpu_sanitize.main(**{"tests": None, "sanitizer": "", "minutes": 1.0, **options})
    return int(ended.value.code or 0)


def test_both_tools_watch_our_kernels_in_tests_whose_arrays_have_memory_of_their_own(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "0")
    assert run(sanitizer=str(stand_in), output=tmp_path / "out") == 0
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    for (arguments, environment), tool in zip(calls, ("memcheck", "racecheck"), strict=True):
        assert arguments[:6] == ["--tool", tool, "--error-exitcode", "86", "--kernel-name", "kns=pamtri_"]
        tests = arguments[arguments.index("pytest") + 1 :]
        assert tests[tests.index("-m") + 1] == "gpu"
        assert "gpu.unpooled" in tests
        assert tests[-1].startswith("tests/ops/test_")
        assert environment["PAMTRI_REQUIRE_GPU"] == "1"
        assert environment["PYTORCH_NO_CUDA_MEMORY_CACHING"] == "1"
        assert str(gpu_sanitize.ROOT / "benchmarks") in environment["PYTHONPATH"].split(os.pathsep)
    (record,) = (tmp_path / "out").glob("gpu-sanitize-*.json")
    assert json.loads(record.read_text())["verdict"] == "passed"
    assert len(list((tmp_path / "out").glob("*.log"))) == 2


def test_a_finding_fails_the_step(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE", str(FOUND))
    assert run(sanitizer=str(stand_in), output=tmp_path / "out") == 1


def test_without_the_program_the_step_is_skipped_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_sanitize, "find_tool", lambda _: "")
    assert run(output=tmp_path) == SKIPPED_CODE
    assert "compute-sanitizer is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_plugin_switches_the_pool_off(monkeypatch: pytest.MonkeyPatch, bare_gpu: Any) -> None:
    from gpu import unpooled

    import cupy_fake

    chosen: list[Any] = []
    monkeypatch.setattr(cupy_fake.cuda, "set_allocator", chosen.append, raising=False)
    unpooled.pytest_configure()
    assert chosen == [None]
    monkeypatch.setitem(sys.modules, "cupy", None)
    unpooled.pytest_configure()  # without CuPy there is nothing to switch off
