# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The measuring programs as modules, and a GPU that is none: CuPy's fake with the real kernels on the CPU."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import cupy_fake
from emulated_kernels import EmulatedKernels
from pretended_driver import pretended_driver
from simulated_gpu import Gpu

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))  # the programs there import one another by name


@pytest.fixture(autouse=True)
def _loggers_level() -> Iterator[None]:
    """Programs that measure quieten the package's logger; the next test shall hear it again."""
    logger = logging.getLogger("pamtri_edge")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def bare_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpu]:
    """Return a simulated GPU with the fake CuPy, and what the programs use of it beyond the package."""
    with pretended_driver(monkeypatch):
        monkeypatch.setattr("gpu.clocks._LEAST_SCRATCH", 1 << 12)
        gpu = cupy_fake.install(monkeypatch, Gpu())
        runtime = cupy_fake.cuda.runtime
        plain = runtime.getDeviceProperties
        monkeypatch.setattr(
            runtime, "getDeviceProperties", lambda device: {**plain(device), "l2CacheSize": 512}
        )
        monkeypatch.setattr(runtime, "malloc", gpu.allocate, raising=False)
        monkeypatch.setattr(runtime, "free", gpu.free, raising=False)
        monkeypatch.setattr(cupy_fake, "isnan", lambda array: np.isnan(array.get()), raising=False)
        yield gpu


@pytest.fixture
def simulated_gpu(bare_gpu: Gpu, compiled_kernels: EmulatedKernels) -> Gpu:
    """Return the simulated GPU with our kernels on it."""
    compiled_kernels.connect(cupy_fake)
    return bare_gpu
