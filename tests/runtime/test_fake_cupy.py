# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fake CuPy catches what a GPU would punish: work that is read too early, memory freed too early."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import cupy_fake as cupy
from cupy_fake_memory import OutOfMemoryError
from simulated_gpu import CudaError, Gpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    return cupy.install(monkeypatch)


def test_it_is_what_import_cupy_gives(gpu: Gpu) -> None:
    import cupy as imported
    import cupyx

    assert imported is cupy
    assert cupyx.empty_pinned((2, 3), np.float32).shape == (2, 3)


def test_arrays_go_there_and_come_back(gpu: Gpu, rng: np.random.Generator) -> None:
    host = rng.normal(size=(3, 4, 5)).astype(np.float32)
    there = cupy.asarray(host)
    np.testing.assert_array_equal(there.get(), host)
    np.testing.assert_array_equal(there[1:, 2].get(), host[1:, 2])
    np.testing.assert_array_equal(there.transpose(2, 0, 1).get(), host.transpose(2, 0, 1))
    np.testing.assert_array_equal((there.reshape(3, -1) - np.float32(0.5)).get(), host.reshape(3, -1) - 0.5)
    np.testing.assert_array_equal(there.argmax(1).get(), host.argmax(1))
    assert there.__cuda_array_interface__["shape"] == (3, 4, 5)
    assert there[:, 1].__cuda_array_interface__["strides"] == host[:, 1].strides
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(there)


def test_new_memory_holds_nan(gpu: Gpu) -> None:
    assert np.isnan(cupy.empty(4, np.float32).get()).all()


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


def test_page_locked_memory_that_is_overwritten_before_its_copy_ran_spoils_the_copy(gpu: Gpu) -> None:
    pinned = cupy.empty_pinned(2, np.float32)
    pinned[:] = 1
    there = cupy.empty(2, np.float32)
    there.set(pinned)
    pinned[:] = 2
    assert there.get().tolist() == [2, 2]
    plain = np.ones(2, np.float32)
    there.set(plain)
    plain[:] = 2
    assert there.get().tolist() == [1, 1]


def test_a_stream_waits_for_an_event_of_another(gpu: Gpu) -> None:
    first, second = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Stream(non_blocking=True)
    here = cupy.empty_pinned(2, np.float32)
    with first:
        there = cupy.zeros(2, np.float32)
        second.wait_event(first.record())
    there.get(stream=second, out=here)
    assert not here.any()


def test_a_captured_graph_runs_only_when_it_is_launched_and_on_the_memory_it_was_captured_with(
    gpu: Gpu,
) -> None:
    cupy.kernels["double"] = lambda grid, block, source, target: np.multiply(source, 2, out=target)
    double = cupy.RawModule(code="").get_function("double")
    source, target = cupy.zeros(2, np.float32), cupy.zeros(2, np.float32)
    cupy.cuda.runtime.deviceSynchronize()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        double((1,), (1,), (source, target))
        graph = stream.end_capture()
        stream.synchronize()
        assert target.get().tolist() == [0, 0]
        for value in (3, 4):
            source.set(np.full(2, value, np.float32))
            graph.launch()
            assert target.get().tolist() == [2 * value] * 2


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda stream, array: stream.synchronize(),
        lambda stream, array: array.get(),
        lambda stream, array: array.set(np.zeros(2, np.float32)),
        lambda stream, array: cupy.zeros(2, np.float32).get(stream=cupy.cuda.Stream.null),
    ],
)
def test_what_cuda_forbids_during_a_capture_spoils_it(gpu: Gpu, forbidden: object) -> None:
    array = cupy.zeros(2, np.float32)
    cupy.cuda.runtime.deviceSynchronize()
    stream = cupy.cuda.Stream()
    with stream:
        stream.begin_capture()
        with pytest.raises(RuntimeError, match="captur"):
            forbidden(stream, array)  # type: ignore[operator]
        with pytest.raises(CudaError, match="CaptureInvalidated"):
            stream.end_capture()


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


def test_page_locked_memory_goes_to_a_pool_with_its_last_array_and_is_spoiled(gpu: Gpu) -> None:
    there = cupy.empty(8, np.float32)
    pinned = cupy.empty_pinned((2, 4), np.float32)
    part = pinned[1]
    del pinned
    assert gpu.pinned == 32
    there[:4].set(part)
    del part
    gc.collect()
    assert np.isnan(there[:4].get()).all(), "the copy had not run"
    assert gpu.pinned == 32
    there[:4].set(cupy.empty_pinned(4, np.float32))
    gc.collect()
    cupy.get_default_pinned_memory_pool().free_all_blocks()
    assert gpu.pinned == 0
    with pytest.raises(CudaError, match=r"page-locked memory .* was given back"):
        cupy.cuda.Stream.null.synchronize()


def test_memory_runs_out(gpu: Gpu) -> None:
    gpu.fail_allocations = 2
    with pytest.raises(OutOfMemoryError):
        cupy.empty(4)
    cupy.empty(4)
    with pytest.raises(OutOfMemoryError):
        cupy.empty(2 * gpu.total, np.uint8)


def test_a_stream_that_is_gone_cannot_be_used(gpu: Gpu) -> None:
    stream = cupy.cuda.Stream()
    handle = stream.ptr
    del stream
    gc.collect()
    with pytest.raises(CudaError, match="InvalidResourceHandle"):
        cupy.cuda.ExternalStream(handle).synchronize()


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
