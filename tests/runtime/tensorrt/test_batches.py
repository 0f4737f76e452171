# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches through the backend: every item once, with constant memory, whatever their sizes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper

import cupy_fake
from onnx_oracle import under_onnxruntime
from pamtri_edge.errors import EngineError, InputError
from pamtri_edge.runtime import create_backend
from pamtri_edge.runtime.tensorrt.backend import TensorRtBackend
from pamtri_edge.runtime.tensorrt.build import Profile
from simulated_gpu import CudaError

Load = Callable[..., TensorRtBackend]
Array = NDArray[np.float32]


@pytest.fixture
def expected(bundle: Path) -> Callable[[Array], Array]:
    """Return a function that computes the small network's output with ONNX Runtime."""
    return lambda images: under_onnxruntime(bundle, {"images": images})["embedding"]


def images(count: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(count, 3, 16, 16)).astype(np.float32)


def free_all() -> None:
    cupy_fake.get_default_memory_pool().free_all_blocks()
    cupy_fake.get_default_pinned_memory_pool().free_all_blocks()


def test_create_backend_makes_it(machine: Any, bundle: Path) -> None:
    for options in ({"backend": "tensorrt"}, {"device": "cuda"}, {"device": "cuda:0"}, {}):
        backend = create_backend(bundle, **options)
        assert (backend.name, backend.device, backend.arithmetic) == ("tensorrt", "cuda:0", "fp32")
        backend.close()


@pytest.mark.parametrize("schedule", ["lazy", "random"])
@pytest.mark.parametrize("count", [0, 1, 31, 70])
def test_any_batch_size_runs(
    load: Load, machine: Any, expected: Callable[[Array], Array], count: int, schedule: str
) -> None:
    machine.gpu.schedule = schedule
    given = images(count)
    backend = load()
    for _ in range(2):  # captured, then replayed
        found = backend.run({"images": given})
        assert list(found) == ["embedding"]
        assert found["embedding"].shape == (count, 8)
        np.testing.assert_allclose(found["embedding"], expected(given), atol=1e-5)


@pytest.mark.parametrize("graphs", [True, False])
def test_many_batches_of_random_sizes_lose_nothing_and_leak_nothing(
    load: Load, machine: Any, save: Callable[..., Path], graphs: bool
) -> None:
    machine.gpu.schedule = "random"
    rng = np.random.default_rng(5)
    double = helper.make_node("Add", ["images", "images"], ["embedding"])
    backend = load(save([double], {"images": ["n", 2]}, {"embedding": ["n", 2]}, {}), graphs=graphs)
    pool = rng.normal(size=(70, 2)).astype(np.float32)
    known = 2 * pool
    used = None
    for turn in range(300 if graphs else 100):
        chosen = rng.integers(0, len(pool), int(rng.integers(0, 71)))
        found = backend.run({"images": pool[chosen]})["embedding"]
        np.testing.assert_allclose(found, known[chosen], atol=1e-5)
        if turn == 99:
            gc.collect()
            used = machine.gpu.used, machine.gpu.pinned, cupy_fake.get_default_memory_pool().used_bytes()
    gc.collect()
    assert used == (machine.gpu.used, machine.gpu.pinned, cupy_fake.get_default_memory_pool().used_bytes())


def test_every_size_is_captured_once_after_a_run_and_then_replayed(load: Load, machine: Any) -> None:
    backend = load()
    captures = []
    begin = cupy_fake.Stream.begin_capture

    def counted(stream: Any, mode: Any = None) -> None:
        captures.append(len(machine.runs()))
        begin(stream, mode)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cupy_fake.Stream, "begin_capture", counted)
        for _ in range(3):
            for count in (8, 16, 32):
                backend.run({"images": images(count)})
    assert captures == [1, 2, 3], "each capture follows the first run of its size, which has finished"
    assert len(machine.runs()) == 9
    contexts = [context() for context in machine.trt.record.contexts]
    assert [context.active_optimization_profile for context in contexts] == [1, 2, 3]


def test_a_network_that_cannot_be_captured_runs_without_a_graph_and_says_so(
    load: Load, machine: Any, expected: Callable[[Array], Array], caplog: pytest.LogCaptureFixture
) -> None:
    machine.trt.record.refuse_capture = True
    backend = load()
    for seed in range(3):
        given = images(9, seed)
        np.testing.assert_allclose(backend.run({"images": given})["embedding"], expected(given), atol=1e-5)
    said = [record.getMessage() for record in caplog.records if "captured" in record.getMessage()]
    assert len(said) == 2, "one for each size"
    assert "cannot be captured as a CUDA graph at batch size 8" in said[0]
    assert "runs without one" in said[0]


def test_inputs_and_results_are_the_callers_as_soon_as_run_returns(
    load: Load, expected: Callable[[Array], Array]
) -> None:
    backend = load()
    given = images(4)
    meant = expected(given)
    found = backend.run({"images": given})["embedding"]
    given[:] = np.nan
    backend.run({"images": images(4, 1)})
    np.testing.assert_allclose(found, meant, atol=1e-5)
    found[:] = 0
    with pytest.raises(InputError, match="input 'images' is missing"):
        backend.run({})


def test_several_threads_may_run_at_once(
    load: Load, machine: Any, expected: Callable[[Array], Array]
) -> None:
    machine.gpu.schedule = "random"
    backend = load()
    batches = [images(1 + 7 * seed % 40, seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda batch: backend.run({"images": batch})["embedding"], batches))
    for batch, one in zip(batches, found, strict=True):
        np.testing.assert_allclose(one, expected(batch), atol=1e-5)


@pytest.mark.parametrize("allocations", [1, 3, 5, 7])
def test_running_out_of_memory_while_a_size_is_prepared_is_told_and_survived(
    load: Load, machine: Any, expected: Callable[[Array], Array], allocations: int
) -> None:
    backend = load()
    given = images(35)
    known = expected(given)
    backend.run({"images": given[:1]})
    machine.gpu.fail_allocations = allocations
    with pytest.raises(EngineError, match=r"too little GPU memory to run .* at batch size 32"):
        backend.run({"images": given})
    machine.gpu.fail_allocations = 0
    np.testing.assert_allclose(backend.run({"images": given})["embedding"], known, atol=1e-5)


def test_running_out_of_memory_for_results_on_the_device_is_told_and_survived(
    load: Load, machine: Any, expected: Callable[[Array], Array]
) -> None:
    backend = load()
    given = images(3)
    batches = [{"images": given}]
    backend.run_on_device(batches, 3)
    machine.gpu.fail_allocations = 2
    with pytest.raises(EngineError, match=r"memory of cuda:0 \(Simulated GPU\) ran out.*Close other"):
        backend.run_on_device([{"images": images(40)}], 40)
    found = backend.run_on_device(batches, 3)["embedding"]
    np.testing.assert_allclose(found.get(), expected(given), atol=1e-5)


def test_a_load_that_runs_out_of_memory_leaves_none_behind(load: Load, machine: Any) -> None:
    load().close()  # builds the engine
    gc.collect()
    before = machine.gpu.used, machine.gpu.pinned
    allocate = machine.gpu.allocate
    for allocations in range(1, 12):
        passed = machine.gpu.allocations

        def failing(size: int, most: int = passed + allocations) -> int:
            # Each refused allocation is tried once more, after the pool gave its memory back.
            if machine.gpu.allocations >= most:
                machine.gpu.fail_allocations = 1
            return int(allocate(size))

        machine.gpu.allocate = failing
        try:
            backend = load()
        except EngineError as error:
            assert "ran out" in str(error) or "cannot load" in str(error)  # noqa: PT017
        else:
            backend.close()
            del backend
        machine.gpu.allocate = allocate
        machine.gpu.fail_allocations = 0
        gc.collect()
        free_all()
        assert (machine.gpu.used, machine.gpu.pinned) == before, allocations


def test_closing_gives_all_memory_back_and_waits_for_what_is_under_way(load: Load, machine: Any) -> None:
    backend = load()
    backend.run({"images": images(40)})
    assert machine.gpu.used > 0
    assert machine.gpu.pinned > 0
    results = backend.run_on_device([{"images": images(5)}], 5)
    backend.close()
    assert np.isfinite(results["embedding"].get()).all()
    del results
    backend.close()
    gc.collect()
    free_all()
    assert (machine.gpu.used, machine.gpu.pinned) == (0, 0)
    with pytest.raises(InputError, match="closed; load the bundle again"):
        backend.run({"images": images(1)})


def test_an_error_in_the_middle_of_a_batch_leaves_the_next_one_whole(
    load: Load, machine: Any, expected: Callable[[Array], Array]
) -> None:
    backend = load()
    given = images(3)
    backend.run({"images": given})

    def batches() -> Iterator[dict[str, Array]]:
        yield {"images": given}
        raise KeyboardInterrupt

    stream = cupy_fake.Stream(non_blocking=True)
    with stream:
        with pytest.raises(KeyboardInterrupt):
            backend.run_on_device(batches(), 6)
        fresh = cupy_fake.zeros((6, 8), np.float32)  # where the results would have been
        stream.synchronize()
        backend._execution.stream.synchronize()  # type: ignore[union-attr]
        assert not fresh.get().any()
    np.testing.assert_allclose(backend.run({"images": given})["embedding"], expected(given), atol=1e-5)


def test_results_wait_for_what_the_caller_still_does_with_the_memory_they_get(
    load: Load, machine: Any, expected: Callable[[Array], Array]
) -> None:
    backend = load()
    backend.run({"images": images(4)})
    stream = cupy_fake.Stream(non_blocking=True)
    with stream:
        mine = cupy_fake.asarray(np.ones((4, 8), np.float32))
        doubled = mine + mine
        address = mine.data.ptr
        del mine
        found = backend.run_on_device([{"images": images(4)}], 4)["embedding"]
        assert found.data.ptr == address
        backend._execution.stream.synchronize()  # type: ignore[union-attr]
        assert (doubled.get() == 2).all()
        np.testing.assert_allclose(found.get(), expected(images(4)), atol=1e-5)


def test_page_locked_memory_that_runs_out_and_other_failures_of_cuda_are_told(
    load: Load, machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(size: int) -> None:
        raise CudaError("cudaErrorMemoryAllocation: out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(machine.gpu, "pin", failing)
        with pytest.raises(EngineError, match=r"ran out: cudaErrorMemoryAllocation.* MiB are free"):
            load()
    backend = load()
    with monkeypatch.context() as patch:
        patch.setattr(machine.gpu, "view", lambda address, size: (_ for _ in ()).throw(CudaError("illegal")))
        with pytest.raises(EngineError, match=r"CUDA failed on cuda:0 \(Simulated GPU\): illegal.*engines/"):
            backend.run({"images": images(1)})


def test_an_engine_with_other_batch_profiles_is_refused_at_load(
    load: Load, machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its setter would raise in the middle of a batch; it never returns False."""
    monkeypatch.setattr("pamtri_edge.runtime.tensorrt.engine.PROFILES", (Profile(1, 16, 32),) * 5)
    with pytest.raises(EngineError, match=r"has 4 batch profiles; .* have 5 .*Delete the file"):
        load()


def test_a_profile_that_cannot_be_chosen_is_an_error_in_words(
    load: Load, machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = load()
    monkeypatch.setattr("pamtri_edge.runtime.tensorrt.engine.BUCKETS", {1: 9})
    with pytest.raises(EngineError, match=r"refuses to run .* at batch size 1: Error in set optimization"):
        backend.run({"images": np.zeros((1, 3, 16, 16), np.float32)})
