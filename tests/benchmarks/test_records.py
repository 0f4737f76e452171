# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Result files: written as the measurement goes, and never a rehearsal that passes for a GPU's."""

from __future__ import annotations

import json
from pathlib import Path

import gpu_cpp
import gpu_kernels
import pytest

from emulated_kernels import EmulatedKernels


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


def test_the_comparison_with_the_library_for_cpp_can_be_rehearsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled_kernels: EmulatedKernels
) -> None:
    monkeypatch.setattr(gpu_cpp, "compiled_for_the_cpu", lambda _: compiled_kernels.library)
    with pytest.raises(SystemExit) as ended:
        gpu_cpp.main(output=tmp_path, rehearse=True)
    (path,) = tmp_path.iterdir()
    written = json.loads(path.read_text())
    assert ended.value.code == 0
    assert len(written["rows"]) >= 7
    assert all(row["different"] == 0 for row in written["rows"])
