# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The soak: that it sees what is lost, doubled, another's or kept, and a GPU that has run out of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gpu_soak
import numpy as np
import pytest
from gpu.device_memory import CudaDeviceMemory, is_out_of_memory
from gpu.marks import Marks
from gpu.soak import LARGEST, Soaked, Way, soak, starved
from numpy.typing import NDArray

import cupy_fake
from pamtri_edge.errors import EngineError
from simulated_gpu import Gpu

MIB = 1 << 20


class Sdk:
    """An SDK whose embedding of a crop is its values; `spoil` changes what comes out."""

    def __init__(self, spoil: Callable[[NDArray[Any]], NDArray[Any]] = lambda found: found) -> None:
        self.spoil = spoil
        self.sizes: list[int] = []

    def embed(self, batch: Any, output: str = "numpy") -> Any:
        self.sizes.append(len(batch))
        found = np.array([crop.reshape(-1) for crop in batch], np.float32)
        return SimpleNamespace(embeddings=self.spoil(found))


@pytest.fixture
def crops(rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    return list(rng.integers(0, 256, (24, 4, 4, 3), np.uint8))


@pytest.fixture
def marks(crops: list[NDArray[np.uint8]]) -> Marks:
    return Marks(crops, Sdk().embed)


@pytest.fixture
def way(crops: list[NDArray[np.uint8]]) -> Way:
    return Way("host to host", lambda drawn: [crops[index] for index in drawn], "numpy")


class Memory:
    """A device whose memory a test makes; it is exhausted while `empty`."""

    def __init__(self) -> None:
        self.taken = 0
        self.empty = False

    def read(self) -> dict[str, int]:
        return {"device": self.taken}

    def settle(self) -> None:
        pass

    @contextmanager
    def exhausted(self) -> Iterator[None]:
        self.empty = True
        yield
        self.empty = False


class TestMarks:
    def drawn(self) -> NDArray[np.intp]:
        return np.array([3, 1, 4, 1, 5])

    def problem(self, marks: Marks, change: Callable[[NDArray[Any]], NDArray[Any]]) -> str | None:
        found = Sdk().embed([marks.crops[index] for index in self.drawn()]).embeddings
        return marks.problem(self.drawn(), change(found))

    def test_right_results_have_no_problem(self, marks: Marks) -> None:
        assert self.problem(marks, lambda found: found) is None
        assert self.problem(marks, lambda found: found * 1.7) is None  # of any length
        assert marks.problem(np.array([], np.intp), np.empty((0, 48), np.float32)) is None

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda found: found[:4], "5 crops gave 4 results"),
            (lambda found: np.concatenate([found, found[:1]]), "5 crops gave 6 results"),
            (lambda found: found[[0, 1, 1, 3, 4]], "result 2 is that of mark 1, and crop 2 was mark 4"),
            (lambda found: found[[1, 0, 2, 3, 4]], "result 0 is that of mark 1"),
            (lambda found: found * np.float32("nan"), "NaN"),
            (lambda found: found + np.linspace(0, 60, 48, dtype=np.float32), "cosine"),
        ],
        ids=["lost", "doubled row", "doubled", "swapped", "nan", "drifted"],
    )
    def test_wrong_results_are_told(
        self, marks: Marks, change: Callable[[NDArray[Any]], NDArray[Any]], words: str
    ) -> None:
        assert words in (self.problem(marks, change) or "")

    def test_crops_that_resemble_each_other_are_no_marks(self, crops: list[NDArray[np.uint8]]) -> None:
        assert len(Marks([*crops, crops[3]], Sdk().embed).crops) == len(crops)
        with pytest.raises(ValueError, match="1 of 30 crops can be told apart"):
            Marks(crops[:1] * 30, Sdk().embed)

    def test_results_on_a_device_are_fetched(self, marks: Marks, bare_gpu: Gpu) -> None:
        found = Sdk().embed([marks.crops[2]]).embeddings
        assert marks.problem(np.array([2]), cupy_fake.asarray(found)) is None


def run(marks: Marks, sdk: Any, way: Way, memory: Memory, rng: np.random.Generator, **limits: Any) -> Soaked:
    limits = {"batches": 300, "settled": 100, "every": 50, **limits}
    return soak(marks, sdk.embed, [way], memory, rng, **limits)


def test_a_sound_sdk_passes(marks: Marks, way: Way, rng: np.random.Generator) -> None:
    sdk = Sdk()
    done = run(marks, sdk, way, Memory(), rng)
    assert all(target.met for target in gpu_soak.soak_targets(done, 300, 100))
    assert sorted(set(sdk.sizes)) == list(range(1, LARGEST + 1))
    assert sdk.sizes[:LARGEST] == list(range(1, LARGEST + 1))
    assert np.mean(sdk.sizes[LARGEST:]) < 15
    assert sorted(done.readings) == [0, 50, 100, 150, 200, 250, 300]
    assert done.crops == sum(sdk.sizes)


def test_every_way_meets_every_size_at_first(marks: Marks, way: Way, rng: np.random.Generator) -> None:
    met: set[tuple[int, str]] = set()

    def embed(batch: Any, output: str) -> Any:
        met.add((len(batch), output))
        return Sdk().embed(batch)

    ways = [way, Way("to the device", way.batch, "device")]
    soak(marks, embed, ways, Memory(), rng, batches=2 * LARGEST, settled=2 * LARGEST)
    assert len(met) == 2 * LARGEST


def test_one_wrong_batch_among_many_fails(marks: Marks, way: Way, rng: np.random.Generator) -> None:
    calls = 0

    def once(found: NDArray[Any]) -> NDArray[Any]:
        nonlocal calls
        calls += 1
        return np.roll(found, 1, axis=0) if calls == 40 else found

    done = run(marks, Sdk(once), way, Memory(), rng)
    right, _ = gpu_soak.soak_targets(done, 300, 100)
    assert done.wrong == 1
    assert right.met is False
    assert "batch 40 of 40 (host to host)" in right.found


@pytest.mark.parametrize(("each", "met"), [(0, True), (2 * MIB // 200, False), (MIB // 400, True)])
def test_memory_that_grows_after_it_should_have_settled_fails(
    marks: Marks, way: Way, rng: np.random.Generator, each: int, met: bool
) -> None:
    memory = Memory()

    def keep(found: NDArray[Any]) -> NDArray[Any]:
        memory.taken += each
        return found

    _, kept = gpu_soak.soak_targets(run(marks, Sdk(keep), way, memory, rng), 300, 100)
    assert kept.met is met


def test_memory_that_is_taken_before_it_should_have_settled_is_no_leak(
    marks: Marks, way: Way, rng: np.random.Generator
) -> None:
    memory = Memory()

    def set_up(found: NDArray[Any]) -> NDArray[Any]:
        memory.taken = 512 * MIB
        return found

    _, kept = gpu_soak.soak_targets(run(marks, Sdk(set_up), way, memory, rng), 300, 100)
    assert kept.met


def test_a_run_cut_short_is_not_judged_unless_it_is_already_wrong(
    marks: Marks, way: Way, rng: np.random.Generator
) -> None:
    done = run(marks, Sdk(), way, Memory(), rng, seconds=0.0)
    assert [target.met for target in gpu_soak.soak_targets(done, 300, 100)] == [None, None]
    right, kept = gpu_soak.soak_targets(done, 300, 100, limited=True)  # a time was what was asked for
    assert (right.met, kept.met) == (True, None)
    done.note("batch 1: lost")
    assert gpu_soak.soak_targets(done, 300, 100, limited=True)[0].met is False
    assert gpu_soak.soak_targets(done, 300, 100)[0].met is False


class TestWithoutMemory:
    @pytest.fixture
    def reid(self) -> Any:
        outputs = [SimpleNamespace(shape=(None, 48)), SimpleNamespace(shape=(None, 36, 3))]
        return SimpleNamespace(manifest=SimpleNamespace(outputs=outputs))

    def targets(self, reid: Any, marks: Marks, way: Way, memory: Memory, embed: Any) -> list[bool | None]:
        reid.embed = embed
        return [target.met for target in gpu_soak.recovery_targets(reid, marks, way, memory)]

    def test_a_batch_that_fails_in_words_and_leaves_no_trace(self, reid: Any, marks: Marks, way: Way) -> None:
        memory, sdk = Memory(), Sdk()
        sizes: list[int] = []

        def embed(batch: Any, *, output: str) -> Any:
            sizes.append(len(batch))
            if memory.empty:
                raise EngineError("the memory of cuda:0 ran out: out of memory")
            return sdk.embed(batch)

        assert self.targets(reid, marks, way, memory, embed) == [True, True, True]
        assert sizes[0] * (48 + 36 * 3) * 4 >= 64 * MIB
        assert sizes[1] == LARGEST

    def test_a_batch_that_fails_not_at_all(self, reid: Any, marks: Marks, way: Way) -> None:
        embed = lambda batch, *, output: Sdk().embed(batch)  # noqa: E731
        assert self.targets(reid, marks, way, Memory(), embed) == [False, True, True]

    def test_what_is_kept_and_what_is_wrong_afterwards(self, reid: Any, marks: Marks, way: Way) -> None:
        memory = Memory()

        def embed(batch: Any, *, output: str) -> Any:
            if memory.empty:
                memory.taken += 3 * MIB
                raise MemoryError
            return Sdk(lambda found: found[::-1]).embed(batch)

        assert self.targets(reid, marks, way, memory, embed) == [True, False, False]

    def test_another_failure_is_not_taken_for_it(self, marks: Marks, way: Way) -> None:
        def embed(batch: Any, output: str) -> Any:
            raise ValueError("an illegal memory access was encountered")

        with pytest.raises(ValueError, match="illegal"):
            starved(marks, embed, way, Memory(), crops=3)


@pytest.mark.parametrize(
    ("error", "says_so"),
    [
        (MemoryError(), True),
        (cupy_fake.OutOfMemoryError("Out of memory allocating 512 bytes"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory."), True),
        (RuntimeError("an illegal memory access was encountered"), False),
    ],
)
def test_what_says_that_memory_ran_out(error: Exception, says_so: bool) -> None:
    assert is_out_of_memory(error) is says_so
    wrapped = EngineError("the GPU refused")
    wrapped.__cause__ = error
    assert is_out_of_memory(wrapped) is says_so


class TestCudaDeviceMemory:
    def test_readings_tell_the_driver_and_the_pool_apart(self, bare_gpu: Gpu) -> None:
        memory = CudaDeviceMemory()
        before = memory.read()
        array = cupy_fake.zeros((MIB,), "uint8")
        held = memory.read()
        assert held["device"] - before["device"] == held["cupy pool, used"] - before["cupy pool, used"] == MIB
        del array
        assert memory.read()["cupy pool, used"] == before["cupy pool, used"]
        assert memory.read()["device"] == held["device"]
        memory.settle()
        assert memory.read()["device"] == before["device"]

    def test_nothing_is_left_while_it_is_exhausted_and_all_comes_back(
        self, monkeypatch: pytest.MonkeyPatch, bare_gpu: Gpu
    ) -> None:
        bare_gpu.total = 37 * MIB + 5000
        memory = CudaDeviceMemory()
        with memory.exhausted():
            assert bare_gpu.total - bare_gpu.used < MIB
            with pytest.raises(cupy_fake.OutOfMemoryError):
                cupy_fake.zeros((2 * MIB,), "uint8")
        assert bare_gpu.used == 0
        cupy_fake.zeros((2 * MIB,), "uint8")

    def test_an_error_inside_gives_it_back_too(self, bare_gpu: Gpu) -> None:
        bare_gpu.total = 8 * MIB
        memory = CudaDeviceMemory()
        with pytest.raises(KeyError), memory.exhausted():
            raise KeyError
        assert bare_gpu.used == 0


class TestWays:
    class Engine:
        """A backend on a GPU; with `run_pictures` also for what is there already."""

        name, device, arithmetic = "torch", "cuda:0", "fp16"

        def run(self, inputs: Any) -> Any: ...

        def run_on_device(self, batches: Any, count: int) -> Any: ...

        def close(self) -> None: ...

    class Pictures(Engine):
        name = "tensorrt"

        def run_pictures(self, batch: Any, *, swap_channels: bool, on_device: bool) -> Any: ...

    def ways(self, engine: Any, crops: Any) -> list[Way]:
        return gpu_soak.ways_through(SimpleNamespace(backend=engine), crops)

    def test_each_engine_is_taken_every_way_that_it_has(self, crops: Any, bare_gpu: Gpu) -> None:
        on_host = SimpleNamespace(device="cpu")
        assert [way.name for way in self.ways(on_host, crops)] == ["host to host"]
        assert [way.name for way in self.ways(self.Engine(), crops)] == ["host to host", "host to device"]
        assert [(way.name, way.output) for way in self.ways(self.Pictures(), crops)] == [
            ("host to host", "numpy"),
            ("host to device", "device"),
            ("device to host", "numpy"),
            ("device to device", "device"),
        ]

    def test_a_batch_on_the_device_has_the_same_marks(self, crops: Any, bare_gpu: Gpu) -> None:
        drawn = np.array([3, 0, 3])
        host, *_, device = self.ways(self.Pictures(), crops)
        there = device.batch(drawn).get()
        assert there.shape == (3, 256, 256, 3)
        for row, crop in zip(there, host.batch(drawn), strict=True):
            assert np.abs(row[::85, ::85].mean(axis=(0, 1)) - crop.mean(axis=(0, 1))).max() < 40
        np.testing.assert_array_equal(there[0], there[2])
        assert (there[0] != there[1]).any()
