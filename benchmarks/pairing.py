# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Comparing speeds on a machine that is never quiet: interleaved rounds, paired ratios, their interval.

Two programs timed one after the other differ by whatever else the machine did meanwhile. So every subject
runs a short block in every round, in an order that alternates from round to round, and what is compared is
the ratio within a round. Of these ratios the median is reported, with a bootstrap interval around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

_RESAMPLES = 4000
_SEED = 7


@dataclass(frozen=True)
class Block:
    """One block of calls.

    Attributes:
        wall: seconds a call.
        cpu: processor seconds of this process a call, all threads together.
    """

    wall: float
    cpu: float


@dataclass(frozen=True)
class Ratio:
    """A ratio of two times: the median over the rounds, and the interval that holds it with 95 %."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} [{self.low:.3g}, {self.high:.3g}]"


def interleave(
    subjects: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    block: float = 0.5,
    on_round: Callable[[], None] = lambda: None,
) -> dict[str, list[Block]]:
    """Time every subject once a round.

    Args:
        subjects: what to call, by name.
        rounds: how many rounds.
        block: seconds that one subject's block should take; at least one call is made.
        on_round: called after each round.

    Returns:
        The blocks of each subject, one a round: index i of all subjects is the same round.
    """
    calls = {}
    for name, subject in subjects.items():
        subject()
        start = time.perf_counter()
        subject()
        calls[name] = max(1, round(block / (time.perf_counter() - start)))
    blocks: dict[str, list[Block]] = {name: [] for name in subjects}
    for number in range(rounds):
        order = list(subjects) if number % 2 == 0 else list(reversed(subjects))
        for name in order:
            blocks[name].append(_block(subjects[name], calls[name]))
        on_round()
    return blocks


def _block(subject: Callable[[], object], calls: int) -> Block:
    subject()  # the caches still hold another subject's data; what it cost there is not this one's
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        subject()
    return Block((time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls)


def paired_ratio(
    numerator: Sequence[Block], denominator: Sequence[Block], *, clock: Literal["wall", "cpu"] = "wall"
) -> Ratio:
    """Return how many times as long the numerator took, round by round, by one of the two clocks."""
    pairs = zip(numerator, denominator, strict=True)
    ratios = np.array([getattr(a, clock) / getattr(b, clock) for a, b in pairs])
    picks = np.random.default_rng(_SEED).integers(0, len(ratios), (_RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(ratios[picks], axis=1), [2.5, 97.5])
    return Ratio(float(np.median(ratios)), float(low), float(high))


def median_wall(blocks: Sequence[Block]) -> float:
    """Return the median of the seconds a call."""
    return float(np.median([block.wall for block in blocks]))


def median_cpu(blocks: Sequence[Block]) -> float:
    """Return the median of the processor seconds a call."""
    return float(np.median([block.cpu for block in blocks]))
