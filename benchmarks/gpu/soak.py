# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A long run of batches of random sizes: no result may be lost, doubled or another's, no memory be kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.device_memory import DeviceMemory, Reading, is_out_of_memory
from gpu.marks import Marks

LARGEST: Final = 40
"""Crops of the largest batch: more than an engine takes at once."""
_TOLD: Final = 5
"""Problems that are kept in words; the others are counted."""

Embed = Callable[[Any, str], Any]
"""Describes a batch; the second argument is where the results shall be: "numpy" or "device"."""


@dataclass(frozen=True)
class Way:
    """A way through the SDK.

    Attributes:
        name: in words.
        batch: makes the batch of marks that were drawn.
        output: where the results shall be.
    """

    name: str
    batch: Callable[[NDArray[np.intp]], Any]
    output: str


@dataclass
class Soaked:
    """What came of it.

    Attributes:
        batches: how many ran.
        crops: how many crops they had.
        problems: what was wrong, the first few.
        wrong: how many batches had a problem.
        readings: memory by number of batches.
        seconds: how long it took.
    """

    batches: int = 0
    crops: int = 0
    problems: list[str] = field(default_factory=list)
    wrong: int = 0
    readings: dict[int, Reading] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, problem: str) -> None:
        """Keep a problem."""
        self.wrong += 1
        if len(self.problems) < _TOLD:
            self.problems.append(problem)


def soak(
    marks: Marks,
    embed: Embed,
    ways: Sequence[Way],
    memory: DeviceMemory,
    rng: np.random.Generator,
    *,
    batches: int,
    settled: int,
    seconds: float = float("inf"),
    every: int = 500,
    largest: int | None = None,
    on_batch: Callable[[Soaked], None] = lambda _: None,
) -> Soaked:
    """Run batches of random sizes and ways, and check every result.

    At first every way takes every size once, so that whatever is set up for a size has been by then.

    Args:
        marks: what the batches are made of.
        embed: describes a batch.
        ways: how batches go in and results come out.
        memory: is read at the start, at `settled`, at every so many batches, and at the end.
        rng: draws sizes, ways and marks.
        batches: how many to run.
        settled: after how many the memory must not grow any more; at least one for each size and way.
        seconds: after how many to stop, whatever the number.
        every: batches between two readings.
        largest: crops of the largest batch; None for `LARGEST`.
        on_batch: told after each batch.
    """
    done = Soaked()
    done.readings[0] = memory.read()
    start = time.perf_counter()
    for size, way in _sizes_and_ways(rng, ways, largest or LARGEST):
        if done.batches == batches or time.perf_counter() - start > seconds:
            break
        drawn = rng.integers(0, len(marks.crops), size)
        problem = marks.problem(drawn, embed(way.batch(drawn), way.output).embeddings)
        done.batches += 1
        done.crops += size
        if problem is not None:
            done.note(f"batch {done.batches} of {size} ({way.name}): {problem}")
        if done.batches == settled or done.batches % every == 0:
            done.readings[done.batches] = memory.read()
        done.seconds = time.perf_counter() - start
        on_batch(done)
    done.readings[done.batches] = memory.read()
    return done


def starved(
    marks: Marks, embed: Embed, way: Way, memory: DeviceMemory, *, crops: int
) -> tuple[str, str | None]:
    """Describe a batch for whose results there is no memory, then one that has all it needs.

    Args:
        marks: what the batches are made of.
        embed: describes a batch.
        way: how the batches go.
        memory: is exhausted for the first.
        crops: how many the first has.

    Returns:
        What was raised, in words (empty if nothing was), and what is wrong with the second batch's results.
    """
    raised = ""
    many = way.batch(np.arange(crops) % len(marks.crops))
    with memory.exhausted():
        try:
            embed(many, way.output)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raised = f"{type(error).__name__}: {error}"
    drawn = np.arange(LARGEST) % len(marks.crops)
    return raised, marks.problem(drawn, embed(way.batch(drawn), way.output).embeddings)


def growth(before: Reading, after: Reading) -> Reading:
    """Return by how many bytes each count of two readings grew."""
    return {name: after[name] - before[name] for name in before if name in after}


def _sizes_and_ways(rng: np.random.Generator, ways: Sequence[Way], largest: int) -> Iterator[tuple[int, Way]]:
    """Yield every size in every way once, then random ones, small ones oftener: 9 crops on average."""
    for size in range(1, largest + 1):
        for way in ways:
            yield size, way
    sizes = np.arange(1, largest + 1)
    chances = (1 / sizes) / (1 / sizes).sum()
    while True:
        yield int(rng.choice(sizes, p=chances)), ways[int(rng.integers(len(ways)))]
