# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The soak as it is called, through the SDK and the TensorRT backend, on a GPU that is simulated."""

from __future__ import annotations

import gc
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gpu_soak
import numpy as np
import pytest

import tensorrt_fake
from pamtri_edge import samples
from pamtri_edge.runtime.tensorrt import device
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from simulated_gpu import Gpu

pytestmark = [
    pytest.mark.filterwarnings("default:.*untrained.*"),
    pytest.mark.usefixtures("one_thread"),
]


@pytest.fixture
def gpu(simulated_gpu: Gpu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpu]:
    """Return the GPU, with TensorRT on it, and a soak that is small enough for it."""
    tensorrt_fake.install(monkeypatch)
    monkeypatch.setattr(device, "RELEASE_FILE", tmp_path / "no_tegra_release")
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAMTRI_TENSORRT", raising=False)
    monkeypatch.setattr("gpu.record.gpu", lambda: {"name": "Simulated GPU"})
    monkeypatch.setattr("gpu.soak.LARGEST", 3)
    monkeypatch.setattr(gpu_soak, "_CANDIDATES", 20)
    monkeypatch.setattr(gpu_soak, "_STARVED_RESULTS", 1 << 16)
    yield simulated_gpu
    gc.collect()


def soak(bundle: Path, tmp_path: Path) -> tuple[int, Any]:
    """Run the program on a copy of a bundle; return its exit code and what it wrote."""
    copied = Path(shutil.copytree(bundle, tmp_path / "tiny.pamtri"))
    with pytest.raises(SystemExit) as ended:
        gpu_soak.main(
            bundle=copied,
            backend="tensorrt",
            batches=24,
            settled=16,
            minutes=math.inf,
            seed=3,
            output=tmp_path / "out",
            rehearse=False,
        )
    (path,) = (tmp_path / "out").iterdir()
    return int(ended.value.code or 0), json.loads(path.read_text())


@pytest.fixture
def many_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the crops be noise, which even networks that have learned nothing tell apart."""
    rng = np.random.default_rng(8)
    crops = [rng.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(20)]
    monkeypatch.setattr(samples, "crops", lambda count, *, seed: crops[:count])
    monkeypatch.setattr("gpu.marks.OTHERS", 0.9999)
    monkeypatch.setattr("gpu.marks.SAME", 0.99999)


@pytest.mark.usefixtures("many_faces")
def test_a_sound_backend_passes_every_way(gpu: Gpu, tiny_bundle: Path, tmp_path: Path) -> None:
    code, written = soak(tiny_bundle, tmp_path)
    assert {target["what"]: target["met"] for target in written["targets"]} == {
        "no result is lost, doubled or another's": True,
        "memory after 16 batches and at the end is equal within 1 MiB": True,
        "without memory a batch fails in words": True,
        "after an out-of-memory error the next batch is right": True,
        "and as much memory is taken as before, within 1 MiB": True,
    }
    assert code == 0
    assert written["backend"] == ["tensorrt", "cuda:0", "fp32"]
    assert written["ways"] == ["host to host", "host to device", "device to host", "device to device"]
    assert "ran out" in written["targets"][2]["found"]


@pytest.mark.usefixtures("many_faces", "gpu")
def test_a_backend_that_gives_an_old_result_once_is_caught(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []
    real = TensorRtBackend.run_on_device

    def stale(self: Any, batches: Any, count: int) -> Any:
        kept.append({name: array.copy() for name, array in real(self, batches, count).items()})
        return kept[-2] if len(kept) == 2 else kept[-1]

    monkeypatch.setattr(TensorRtBackend, "run_on_device", stale)
    code, written = soak(tiny_bundle, tmp_path)
    assert code == 1
    assert written["targets"][0]["met"] is False
    assert "host to device" in written["targets"][0]["found"]
    assert written["soaked"]["wrong"] == 1
