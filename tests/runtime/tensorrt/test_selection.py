# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""When "auto" takes TensorRT, and what it says when it does not."""

from __future__ import annotations

import importlib.util
import logging
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from pamtri_edge.errors import EngineError, InputError
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lacks(monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """Let these packages count as not installed, and the faked ones as installed."""
    find = importlib.util.find_spec

    def found(name: str, package: str | None = None) -> ModuleSpec | None:
        if name in absent:
            return None
        return ModuleSpec(name, None) if name in ("cupy", "tensorrt") else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", found)


def test_auto_stays_on_the_cpu_where_that_is_asked_for(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks(monkeypatch)
    assert create_backend(bundle, device="cpu").name == "openvino"
    assert machine.trt.record.builds == 0


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        (("cupy",), "TensorRT is not used: CuPy is not installed (pip install 'pamtri-edge[cuda]')"),
        (
            ("tensorrt", "tensorrt_rtx"),
            "TensorRT is not used: it is not installed (pip install 'pamtri-edge[tensorrt]')",
        ),
    ],
)
def test_auto_goes_on_without_what_is_not_installed_and_says_so(
    machine: Any,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    absent: tuple[str, ...],
    said: str,
) -> None:
    lacks(monkeypatch, *absent)
    assert create_backend(bundle).name == "openvino"
    (record,) = [record for record in caplog.records if record.name == "pamtri_edge.runtime"]
    assert (record.getMessage(), record.levelno) == (said, logging.INFO)


def test_auto_goes_on_without_a_driver_and_says_so_quietly(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lacks(monkeypatch)
    monkeypatch.setattr("pamtri_edge.libcuda.LIBCUDA", "libcuda-that-is-not-there.so.1")
    assert create_backend(bundle).name == "openvino"
    assert "TensorRT is not used: TensorRT needs an NVIDIA driver" in caplog.text
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_auto_goes_on_where_the_engine_cannot_be_built_and_warns(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lacks(monkeypatch)
    machine.trt.record.refuse_build = "Error Code 10: Internal Error (no implementation for node Conv_0)"
    assert create_backend(bundle).name == "openvino"
    record = [record for record in caplog.records if record.name == "pamtri_edge.runtime"][-1]
    assert record.levelno == logging.WARNING
    assert "TensorRT is not used: TensorRT 10.16.0.72 cannot build" in record.getMessage()
    assert "no implementation for node Conv_0" in record.getMessage()
    with pytest.raises(EngineError, match="no implementation for node"):
        create_backend(bundle, backend="tensorrt")


@pytest.mark.parametrize("backend", ["auto", "tensorrt"])
def test_building_that_was_not_allowed_is_refused_by_auto_too(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    lacks(monkeypatch)
    with pytest.raises(NoEngineError, match=r"no engine of model\.onnx for this machine.*--no-build"):
        create_backend(bundle, backend=backend, build=False)
    assert machine.trt.record.builds == 0


def test_a_gpu_that_is_not_there_is_told_by_auto_too(
    machine: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks(monkeypatch)
    with pytest.raises(InputError, match="'cuda:3' is not there; this process sees 1 GPU, cuda:0"):
        create_backend(bundle, device="cuda:3")


def test_tensorrt_does_not_run_on_the_cpu(machine: Any, bundle: Path) -> None:
    with pytest.raises(InputError, match="'tensorrt' runs on an NVIDIA GPU, not on 'cpu'"):
        create_backend(bundle, backend="tensorrt", device="cpu")
