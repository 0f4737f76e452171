# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement has to say of the machine it was made on, and of what else ran there."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from pamtri_edge.doctor import Machine, cpu

PACKAGES = ("pamtri-edge", "numpy", "opencv-python-headless", "openvino", "torch", "onnx", "onnxruntime")
GPU_PACKAGES = ("torch", "triton", "cupy-cuda13x", "cupy-cuda12x", "tensorrt", "tensorrt-rtx")


def describe() -> dict[str, Any]:
    """Return processor, flags and versions, as they go into a result file."""
    facts = cpu.probe(Machine()).facts
    return {
        "processor": facts["model"],
        "cores": facts["cores"],
        "flags": facts["features"],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
    }


class Others:
    """Measures which share of the processors other programs took while this context was open.

    Attributes:
        share: 0 to 1 of all processors, once the context is left; None where the system does not tell.
    """

    def __init__(self) -> None:
        self.share: float | None = None

    def __enter__(self) -> Others:
        self._busy, self._own, self._start = _busy(), _own(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        busy, own, wall = _busy(), _own(), time.perf_counter() - self._start
        if busy is not None and self._busy is not None and wall > 0:
            others = (busy - self._busy) - (own - self._own)
            self.share = max(0.0, others / (wall * (os.cpu_count() or 1)))

    def warning(self) -> str | None:
        """Return a sentence if the others took enough to distort a comparison."""
        if self.share is None or self.share < 0.05:
            return None
        return (
            f"other programs took {self.share:.0%} of the processors meanwhile; that slows a program with a "
            "barrier after every operator (eager PyTorch) more than one without, so ratios come out too high."
        )


def _busy() -> float | None:
    """Return the processor seconds that all programs (and other guests of the host) have taken."""
    try:
        words = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, words[:8])
    return float(user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def gpu() -> dict[str, Any]:
    """Return the GPU's name, size and driver, and the versions of what runs on it, as CuPy sees them.

    Without CuPy, torch is asked, which knows less.

    Raises:
        RuntimeError: neither sees one.
    """
    driver = Path("/proc/driver/nvidia/version")
    versions = {name: version for name in GPU_PACKAGES if (version := _version(name))}
    about = {
        "driver": driver.read_text().splitlines()[0].strip() if driver.exists() else "unknown",
        "versions": versions,
    }
    if not any(name.startswith("cupy") for name in versions):
        return {**_gpu_of_torch(), **about}
    cuda = import_module("cupy").cuda
    runtime = cuda.runtime
    properties = runtime.getDeviceProperties(runtime.getDevice())
    return {
        "name": properties["name"].decode(),
        "compute": f"{properties['major']}.{properties['minor']}",
        "processors": properties["multiProcessorCount"],
        "memory_gib": round(properties["totalGlobalMem"] / 2**30, 1),
        "l2_mib": round(properties["l2CacheSize"] / 2**20, 1),
        "cuda": {
            "driver": runtime.driverGetVersion(),
            "runtime": runtime.runtimeGetVersion(),
            "nvrtc": _nvrtc(cuda),
        },
        **about,
    }


def _nvrtc(cuda: Any) -> Any:
    """Return the version of the runtime compiler, or why there is none: not all that is measured needs it."""
    try:
        return cuda.nvrtc.getVersion()
    except Exception as error:
        return f"missing: {error}"


def _gpu_of_torch() -> dict[str, Any]:
    import torch

    if not torch.cuda.is_available():
        raise RuntimeError("no GPU: neither CuPy nor torch sees one.")
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "compute": f"{properties.major}.{properties.minor}",
        "processors": properties.multi_processor_count,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "cuda": {"torch": torch.version.cuda},
    }
