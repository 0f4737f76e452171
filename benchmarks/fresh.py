# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One comparison of the gate in a process of its own, so that three of them are three."""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from gate import ROUNDS, Attempt, Pair, compare, one_processor
from pairs import open_pair


def compare_afresh(
    name: str, folder: Path, limit: float, *, least_rounds: int = ROUNDS, slowdown: float = 0.0
) -> Attempt:
    """Compare an operation with its plain program in a new process.

    Args:
        name: one of `pairs.NAMES`.
        folder: what pairs need on disk; kept from one attempt to the next.
        limit: the ratio that is no slowdown.
        least_rounds: how many rounds at least.
        slowdown: by what share of its own cost every call of the operation is made longer: 0.2 is a fifth.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_compare, name, folder, limit, least_rounds, slowdown).result()


def _compare(name: str, folder: Path, limit: float, least_rounds: int, slowdown: float) -> Attempt:
    with one_processor(), open_pair(name, folder) as pair:
        candidate = slowed(pair.candidate, slowdown) if slowdown else pair.candidate
        return compare(Pair(candidate, pair.reference), limit, least_rounds=least_rounds)


def slowed(call: Callable[[], object], by: float) -> Callable[[], object]:
    """Return a program after which the processor spins for a share of what it cost."""

    @functools.wraps(call)
    def slow() -> object:
        start = time.process_time()
        result = call()
        end = start + (1 + by) * (time.process_time() - start)
        while time.process_time() < end:
            pass
        return result

    return slow
