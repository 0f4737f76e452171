# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The engines that run a bundle, behind one small interface.

`create_backend` is the door. Engines are imported when they are asked for, never with this package.
"""

from __future__ import annotations

import logging
import re
from numbers import Integral
from pathlib import Path
from typing import Final

from pamtri_edge.arrays import check_choice
from pamtri_edge.errors import EngineError, InputError, MissingDependencyError
from pamtri_edge.runtime.backend import Backend, is_installed
from pamtri_edge.runtime.network_file import Content

__all__ = ["BACKENDS", "Backend", "create_backend"]

BACKENDS: Final = ("auto", "openvino", "tensorrt", "torch")
_INSTALL: Final = {"openvino": "pip install openvino", "torch": "pip install 'pamtri-edge[torch]'"}

_log = logging.getLogger(__name__)


def create_backend(
    model: Path,
    *,
    backend: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    staged: tuple[Path, Path] | None = None,
    build: bool = True,
    content: Content | None = None,
    keep: bool = False,
) -> Backend:
    """Load a network into an engine.

    "auto" takes TensorRT where an NVIDIA driver, CuPy and TensorRT are there, and says in the log why it
    does not where they are not.

    Args:
        model: an ONNX file that keeps to the export rules.
        backend: "tensorrt" (CUDA), "openvino" (CPU), "torch" (CPU or CUDA), or "auto": TensorRT where it can
            run and the CPU was not asked for; else OpenVINO on the CPU where it is installed, else torch;
            torch for a CUDA device.
        device: "cpu", "cuda", "cuda:N" (TensorRT and torch), or "auto".
        threads: CPU threads; None for all that the process may use.
        staged: the same network as two files, pose and re-identification; TensorRT takes whichever form it
            measures to be quicker.
        build: whether TensorRT may build an engine that it has not in its cache, which takes minutes.
        content: gives the bytes of `model`, such as `Bundle.network`; None reads the file. TensorRT reads
            the files itself.
        keep: let OpenVINO take what it compiles from the user's cache, or put it there: for a network that
            will be loaded again. TensorRT always keeps its engines.

    Raises:
        InputError: an unknown backend or device, or a pair that does not go together.
        MissingDependencyError: the engine is not installed, or TensorRT has no driver.
        EngineError: TensorRT refuses the file or the device, or building was not allowed.
        BundleError: the engine cannot read the file.
    """
    check_choice(backend, BACKENDS, "backend")
    if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise InputError(f"device is {device!r}; accepted: 'auto', 'cpu', 'cuda', 'cuda:N'.")
    if threads is not None and (not isinstance(threads, Integral) or threads < 1):
        raise InputError(f"threads is {threads!r}; expected a whole number from 1 on, or None for all.")
    if backend == "tensorrt" or (backend == "auto" and device != "cpu"):
        if device == "cpu":
            raise InputError(
                "backend 'tensorrt' runs on an NVIDIA GPU, not on 'cpu'; use backend='openvino'."
            )
        found = _tensorrt(model, device, staged, build, wanted=backend == "tensorrt")
        if found is not None:
            return found
    if backend == "auto" and device.startswith("cuda"):
        return _torch_instead(model, device, threads, content)
    chosen = _choose() if backend == "auto" else backend
    if chosen == "torch":
        return _torch(model, "cpu" if device == "auto" else device, threads, content)
    if device not in ("auto", "cpu"):
        raise InputError(
            f"backend 'openvino' runs on the CPU, not on {device!r}; use device='cpu', or backend='tensorrt'."
        )
    _require("openvino")
    from pamtri_edge.runtime.openvino import OpenVinoBackend

    return OpenVinoBackend(model, threads=threads, content=content, keep=keep)


def _torch(model: Path, device: str, threads: int | None, content: Content | None) -> Backend:
    _require("torch")
    from pamtri_edge.runtime.torch.backend import TorchBackend

    return TorchBackend(model, device=device, threads=threads, content=content)


def _torch_instead(model: Path, device: str, threads: int | None, content: Content | None) -> Backend:
    """Return torch's backend on a GPU where TensorRT cannot be used; say what both lack if neither can."""
    try:
        return _torch(model, device, threads, content)
    except (InputError, MissingDependencyError) as error:
        if (reason := _without_tensorrt()) is None:
            raise
        raise type(error)(
            f"device {device!r} runs on TensorRT, which cannot be used here: {reason.rstrip('.')}. PyTorch, "
            f"the other way, cannot be used either: {error}"
        ) from error


def _tensorrt(
    model: Path, device: str, staged: tuple[Path, Path] | None, build: bool, *, wanted: bool
) -> Backend | None:
    """Return TensorRT's backend; where it was not asked for by name, None if it cannot be used here."""
    if not wanted and (reason := _without_tensorrt()):
        _log.info("TensorRT is not used: %s", reason)
        return None
    from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
    from pamtri_edge.runtime.tensorrt.engine_cache import NoEngineError

    try:
        return TensorRtBackend(
            model, staged=staged, device="cuda" if device == "auto" else device, build=build
        )
    except NoEngineError:
        raise
    except (EngineError, MissingDependencyError) as error:
        if wanted:
            raise
        _log.warning("TensorRT is not used: %s", error)
        return None


def _without_tensorrt() -> str | None:
    """Say what TensorRT lacks here, without importing anything of NVIDIA's; None if it seems to be there."""
    from pamtri_edge.runtime.tensorrt.device import check_driver
    from pamtri_edge.runtime.tensorrt.library import installed_flavours

    try:
        check_driver()
    except MissingDependencyError as error:
        return str(error)
    if not is_installed("cupy"):
        return "CuPy is not installed (pip install 'pamtri-edge[cuda]')"
    if not installed_flavours():
        return "it is not installed (pip install 'pamtri-edge[tensorrt]')"
    return None


def _choose() -> str:
    found = [name for name in _INSTALL if is_installed(name)]
    if not found:
        raise MissingDependencyError(f"no engine is installed; install one: {' or '.join(_INSTALL.values())}")
    return found[0]


def _require(name: str) -> None:
    if not is_installed(name):
        others = [other for other in _INSTALL if other != name and is_installed(other)]
        there = f" (installed: {', '.join(others)})" if others else ""
        raise MissingDependencyError(
            f"backend {name!r} is not installed{there}; install it: {_INSTALL[name]}"
        )
