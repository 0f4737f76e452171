# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Result files: written as the measurement goes, and never a rehearsal that passes for a GPU's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gpu_kernels
import machine
import pytest
from gpu.record import Record
from gpu.targets import Target

import cupy_fake
from simulated_gpu import Gpu


def content(record: Record) -> Any:
    return json.loads(record.path.read_text())


def test_what_is_known_is_in_the_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.record.gpu", lambda: {"name": "A GPU", "driver": "580"})
    record = Record("kernels", tmp_path / "new", seed=7)
    assert record.path.name.startswith("gpu-kernels-")
    assert content(record)["verdict"] == "unfinished"
    assert content(record)["gpu"]["name"] == "A GPU"
    assert content(record)["versions"]["numpy"]
    record.note(rows=[1])
    record.note(rows=[1, 2])
    record.judge([Target("fast", "1 s", True)])
    assert content(record)["rows"] == [1, 2]
    assert content(record)["verdict"] == "unfinished"
    record.judge([Target("small", "unknown", None)])
    assert record.close() == "missed"
    assert content(record)["verdict"] == "missed"
    assert [target["met"] for target in content(record)["targets"]] == [True, None]
    assert [path.suffix for path in record.path.parent.iterdir()] == [".json"]


def test_a_rehearsal_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = Record("soak", tmp_path, rehearsal=True)
    assert record.path.name.startswith("rehearsal-soak-")
    assert content(record)["rehearsal"] is True
    assert content(record)["gpu"] is None
    record.close()
    assert "none of these figures is one of a GPU" in capsys.readouterr().out


def test_a_program_can_be_rehearsed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        gpu_kernels.main(only="segments 64", rounds=3, block=0.0, seed=5, output=tmp_path, rehearse=True)
    (path,) = tmp_path.iterdir()
    written = json.loads(path.read_text())
    assert ended.value.code == 0
    assert [row["case"] for row in written["rows"]] == ["segments 64 to fp32"]
    assert written["rows"][0]["off"] == 0
    assert written["seed"] == 5
    assert written["targets"][0]["met"] is True


def test_the_gpu_is_described_as_cupy_sees_it(monkeypatch: pytest.MonkeyPatch, bare_gpu: Gpu) -> None:
    monkeypatch.setattr(machine, "_version", {"cupy-cuda13x": "14.2.0", "torch": "2.13.0"}.get)
    runtime = cupy_fake.cuda.runtime
    plain = runtime.getDeviceProperties
    monkeypatch.setattr(
        runtime, "getDeviceProperties", lambda device: {**plain(device), "multiProcessorCount": 16}
    )
    monkeypatch.setattr(
        cupy_fake.cuda, "nvrtc", type("nvrtc", (), {"getVersion": lambda: (13, 0)}), raising=False
    )
    about = machine.gpu()
    assert about["name"] == "Simulated GPU"
    assert about["compute"] == "8.7"
    assert about["cuda"] == {"driver": 13000, "runtime": 13000, "nvrtc": (13, 0)}
    assert about["versions"] == {"cupy-cuda13x": "14.2.0", "torch": "2.13.0"}


def test_without_a_gpu_there_is_nothing_to_describe(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(machine, "_version", lambda name: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="neither CuPy nor torch sees one"):
        machine.gpu()
