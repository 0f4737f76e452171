# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CuPy catches what a GPU would punish: work that is read too early, memory freed too early."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import cupy_fake as cupy
from simulated_gpu import CudaError, Gpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    return cupy.install(monkeypatch)


def test_page_locked_memory_that_is_read_before_its_copy_ran_is_still_nan(gpu: Gpu) -> None:
    there = cupy.zeros(3, np.float32)
    here = cupy.empty_pinned(3, np.float32)
    stream = cupy.cuda.Stream(non_blocking=True)
    there.get(stream=stream, out=here, blocking=False)
    assert np.isnan(here).all()
    stream.synchronize()  # without waiting for the default stream, on which the zeros are written
    assert np.isnan(here).all()
    cupy.cuda.Stream.null.synchronize()
    there.get(stream=stream, out=here)
    assert not here.any()


def test_memory_that_was_freed_is_reused_on_its_stream_and_illegal_once_the_pool_gave_it_back(
    gpu: Gpu,
) -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        array = cupy.zeros(100, np.float32)
        address = array.data.ptr
        del array
        assert cupy.empty(100, np.float32).data.ptr == address
    del stream
    gc.collect()
    cupy.get_default_memory_pool().free_all_blocks()
    assert gpu.used == 0
    with pytest.raises(CudaError, match="IllegalAddress"):
        gpu.view(address, 4)


def test_no_name_of_its_is_missing_in_the_real_one() -> None:
    real = pytest.importorskip("cupy")
    pairs = {
        (cupy.ndarray, real.ndarray): {"place"},
        (cupy.cuda, real.cuda): set(),
        (cupy.cuda.runtime, real.cuda.runtime): set(),
        (cupy.cuda.Stream, real.cuda.Stream): set(),
        (cupy.cuda.Event, real.cuda.Event): set(),
        (cupy.cuda.Graph, real.cuda.Graph): set(),
        (cupy.cuda.MemoryPool, real.cuda.MemoryPool): set(),
        (cupy.cuda.MemoryPointer, real.cuda.MemoryPointer): set(),
    }
    for (fake, meant), own in pairs.items():
        names = {name for name in dir(fake) if not name.startswith("_")}
        assert names - set(dir(meant)) == own, fake
