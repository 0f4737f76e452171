# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
import torch

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.runtime import create_backend


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function after which only the named engines count as installed."""
    find = importlib.util.find_spec

    def only(*names: str) -> None:
        def found(name: str, package: str | None = None) -> ModuleSpec | None:
            return None if name in ("openvino", "torch") and name not in names else find(name, package)

        monkeypatch.setattr(importlib.util, "find_spec", found)

    return only


def test_auto_takes_openvino_on_the_cpu(models: dict[str, Path]) -> None:
    for device in ("auto", "cpu"):
        assert create_backend(models["fp32"], device=device).name == "openvino"


def test_auto_takes_torch_where_openvino_is_not_installed(
    models: dict[str, Path], installed: Callable[..., None]
) -> None:
    installed("torch")
    backend = create_backend(models["fp32"])
    assert (backend.name, backend.device) == ("torch", "cpu")


def test_without_any_engine_the_error_says_what_to_install(
    models: dict[str, Path], installed: Callable[..., None]
) -> None:
    installed()
    with pytest.raises(
        MissingDependencyError, match=r"pip install openvino or pip install 'pamtri-edge\[torch\]'"
    ):
        create_backend(models["fp32"])


@pytest.mark.parametrize(
    ("wanted", "there", "said"),
    [
        ("openvino", "torch", r"'openvino' is not installed \(installed: torch\).*pip install openvino"),
        ("torch", "openvino", r"'torch' is not installed \(installed: openvino\).*'pamtri-edge\[torch\]'"),
    ],
)
def test_an_engine_that_is_not_installed_is_named_with_those_that_are(
    models: dict[str, Path], installed: Callable[..., None], wanted: str, there: str, said: str
) -> None:
    installed(there)
    with pytest.raises(MissingDependencyError, match=said):
        create_backend(models["fp32"], backend=wanted)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"backend": "tensorrtx"},
            "backend is 'tensorrtx'; accepted: 'auto', 'openvino', 'tensorrt', 'torch'",
        ),
        ({"device": "gpu"}, "device is 'gpu'; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'"),
        ({"device": "cuda:"}, "device is 'cuda:'"),
        ({"backend": "openvino", "device": "cuda"}, "'openvino' runs on the CPU.*backend='tensorrt'"),
        ({"device": 0}, "device is 0; accepted: 'auto', 'cpu'"),
        ({"threads": 1.5}, r"threads is 1\.5; expected a whole number"),
        ({"threads": 0}, "threads is 0; expected a whole number from 1 on, or None for all"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    models: dict[str, Path], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        create_backend(models["fp32"], **options)


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_cuda_that_is_not_there_is_told(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"'cuda' needs CUDA.*sees none") as caught:
        create_backend(models["fp32"], backend=backend, device="cuda")
    assert ("device 'cuda' runs on TensorRT, which cannot" in str(caught.value)) == (backend == "auto")


def test_a_cuda_device_that_is_not_there_is_told(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(InputError, match="'cuda:1' is not there; torch sees 1"):
        create_backend(models["fp32"], device="cuda:1")


@pytest.mark.parametrize(
    ("backend", "absent", "said"),
    [
        ("torch", "onnx", r"needs the onnx package.*pip install 'pamtri-edge\[torch\]'"),
        ("openvino", "openvino", r"OpenVINO cannot be imported.*pip install openvino"),
    ],
)
def test_an_engine_that_cannot_be_imported_says_what_to_install(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, backend: str, absent: str, said: str
) -> None:
    for module in ("torch.backend", "torch.graph", "openvino"):
        monkeypatch.delitem(sys.modules, f"pamtri_edge.runtime.{module}", raising=False)
    monkeypatch.setattr("pamtri_edge.runtime.is_installed", lambda name: True)
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingDependencyError, match=said):
        create_backend(models["fp32"], backend=backend)
