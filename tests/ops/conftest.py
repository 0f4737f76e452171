# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the operations share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import cupy_fake
import emulated_kernels
from emulated_kernels import EmulatedKernels
from pamtri_edge import ops
from pretended_driver import pretended_driver
from simulated_gpu import Gpu


@pytest.fixture(scope="module", params=["native", "reference"])
def implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the tests that ask for it with the compiled operations, and once more with the reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAMTRI_OPS", request.param)
        ops._operations.cache_clear()
        assert ops.implementation() == request.param
        yield request.param
    ops._operations.cache_clear()


@pytest.fixture
def thread_setting() -> Iterator[None]:
    """Put the number of threads back to every core when the test is done."""
    yield
    ops.set_threads(None)


@pytest.fixture
def emulated(compiled_kernels: EmulatedKernels) -> Iterator[EmulatedKernels]:
    """Return the CUDA kernels on the CPU; a test may choose the order of their threads."""
    yield compiled_kernels
    compiled_kernels.order = emulated_kernels.FORWARD


@pytest.fixture
def fake_driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let there be a driver, as far as the operations look, and nothing remembered of another one."""
    with pretended_driver(monkeypatch):
        yield


@pytest.fixture
def simulated_gpu(emulated: EmulatedKernels, fake_driver: None, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """Return a simulated GPU: `import cupy` gives the fake one, whose modules run the real kernels."""
    gpu = cupy_fake.install(monkeypatch, Gpu(), Gpu())
    emulated.connect(cupy_fake)
    return gpu
