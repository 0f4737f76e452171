# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The engines that run a bundle, behind one small interface.

`create_backend` is the door. Engines are imported when they are asked for, never with this package.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Final

from pamtri_edge.arrays import check_choice
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.runtime.backend import Backend

__all__ = ["BACKENDS", "Backend", "create_backend"]

BACKENDS: Final = ("auto", "openvino", "torch")
_INSTALL: Final = {"openvino": "pip install openvino", "torch": "pip install 'pamtri-edge[torch]'"}


def create_backend(
    model: Path, *, backend: str = "auto", device: str = "auto", threads: int | None = None
) -> Backend:
    """Load a network into an engine.

    Args:
        model: an ONNX file that keeps to the export rules.
        backend: "openvino" (CPU), "torch" (CPU or CUDA), or "auto": OpenVINO on the CPU where it is
            installed, else torch; torch for a CUDA device.
        device: "cpu", "cuda", "cuda:N" (torch alone), or "auto", which means the CPU.
        threads: CPU threads; None for all that the process may use.

    Raises:
        InputError: an unknown backend or device, or a pair that does not go together.
        MissingDependencyError: the engine is not installed.
        BundleError: the engine cannot read the file.
    """
    check_choice(backend, BACKENDS, "backend")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise InputError(f"device is {device!r}; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'.")
    if threads is not None and threads < 1:
        raise InputError(f"threads is {threads}; expected at least 1, or None for all.")
    chosen = _choose(device) if backend == "auto" else backend
    if chosen == "openvino":
        if device not in ("auto", "cpu"):
            raise InputError(f"backend 'openvino' runs on the CPU, not on {device!r}; use backend='torch'.")
        _require(chosen)
        from pamtri_edge.runtime.openvino import OpenVinoBackend

        return OpenVinoBackend(model, threads=threads)
    _require(chosen)
    from pamtri_edge.runtime.torch import TorchBackend

    return TorchBackend(model, device="cpu" if device == "auto" else device, threads=threads)


def _choose(device: str) -> str:
    if device.startswith("cuda"):
        return "torch"
    found = [name for name in _INSTALL if _installed(name)]
    if not found:
        raise MissingDependencyError(f"no engine is installed; install one: {' or '.join(_INSTALL.values())}")
    return found[0]


def _require(name: str) -> None:
    if not _installed(name):
        others = [other for other in _INSTALL if other != name and _installed(other)]
        there = f" (installed: {', '.join(others)})" if others else ""
        raise MissingDependencyError(
            f"backend {name!r} is not installed{there}; install it: {_INSTALL[name]}"
        )


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # an import hook that refuses it, or a module without a spec
        return False
