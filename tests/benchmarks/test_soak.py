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
from gpu.marks import Marks
from gpu.soak import LARGEST, Soaked, Way, soak
from numpy.typing import NDArray

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
