# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The profiler's step, with a program in ncu's place: what it is told, what is read of its table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import gpu_ncu
import pytest
from gpu.targets import SKIPPED_CODE

TABLE = """==PROF== Connected to process 7
"ID","Process ID","Kernel Name","Grid Size","Section Name","Metric Name","Metric Unit","Metric Value"
"0","7","pamtri_decode_float","(2304, 1, 1)","","gpu__time_duration.sum","us","12.5"
"0","7","pamtri_decode_float","(2304, 1, 1)","","dram__bytes_read.sum","Mbyte","37.7"
"1","7","pamtri_stack_half","(10, 1, 1)","","gpu__time_duration.sum","us","80"
"""


@pytest.fixture(autouse=True)
def _on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.record.gpu", lambda: {"name": "A GPU"})


def stand_in(folder: Path, table: str, said: str = "") -> Path:
    """Return a program that writes a table where ncu shall, and notes how it was called."""
    program = folder / "ncu"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        f"pathlib.Path({str(folder / 'call')!r}).write_text(' '.join(sys.argv[1:]))\n"
        f"pathlib.Path(sys.argv[sys.argv.index('--log-file') + 1]).write_text({table!r})\nprint({said!r})\n"
    )
    program.chmod(0o755)
    return program


def run(folder: Path, program: str) -> tuple[int, list[Any]]:
    with pytest.raises(SystemExit) as ended:
        gpu_ncu.main(vehicles=3, profiler=program, minutes=1.0, output=folder / "out")
    written = [json.loads(path.read_text()) for path in (folder / "out").glob("gpu-ncu-*.json")]
    return int(ended.value.code or 0), written


def test_each_launch_becomes_a_row(tmp_path: Path) -> None:
    code, (written,) = run(tmp_path, str(stand_in(tmp_path, TABLE)))
    assert code == 0
    assert [row["kernel"] for row in written["rows"]] == ["pamtri_decode_float", "pamtri_stack_half"]
    assert written["rows"][0]["dram__bytes_read.sum"] == "37.7 Mbyte"
    assert (tmp_path / "out" / written["table"]).read_text() == TABLE
    called = (tmp_path / "call").read_text()
    assert "--kernel-name regex:^pamtri_" in called
    assert "gpu_probe.py --vehicles 3" in called


def test_a_table_without_a_launch_is_a_failure(tmp_path: Path) -> None:
    assert run(tmp_path, str(stand_in(tmp_path, "==PROF== nothing")))[0] == 1


def test_counters_that_may_not_be_read_are_absent(tmp_path: Path) -> None:
    said = "==ERROR== ERR_NVGPUCTRPERM - The user does not have permission"
    code, (written,) = run(tmp_path, str(stand_in(tmp_path, "", said)))
    assert (code, written["verdict"]) == (SKIPPED_CODE, "skipped")


def test_without_the_program_the_step_is_skipped_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu_ncu, "find_tool", lambda _: "")
    assert run(tmp_path, "") == (SKIPPED_CODE, [])
    assert "there is no ncu" in capsys.readouterr().err
