# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Crops side by side, one a processor, instead of one after another with all processors on each.

Threads that share a layer wait for each other after every layer, and wait by spinning: where other programs
use the processors too, that is most of the time, several times what the layers need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pamtri_edge.processors import available_processors

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS: Final = 8  # each holds the activations of the crops that it works on


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[Item], *, advance: Callable[[], None] = lambda: None
) -> list[Result]:
    """Return what `work` makes of each item, in their order.

    Args:
        work: is called from several threads at once, in each of which torch uses one thread.
        items: what it takes.
        advance: called after each item, in the caller's thread.
    """
    given = list(items)
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    alone = None if torch is None else lambda: torch.set_num_threads(1)
    workers = min(available_processors(), MAX_WORKERS, max(1, len(given)))
    pool = ThreadPoolExecutor(workers, initializer=alone)
    try:
        running = [pool.submit(work, item) for item in given]
        results = []
        for future in running:
            results.append(future.result())
            advance()
        return results
    finally:
        pool.shutdown(cancel_futures=True)
        if torch is not None:  # a worker's setting is also that of all threads to come
            torch.set_num_threads(before)
