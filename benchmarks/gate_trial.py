# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is the gate to be trusted? How often it lets unchanged code pass, and how often it stops what is slower.

`python benchmarks/gate_trial.py` judges every operation and stage of the gate again and again: as it is, and
slowed by a fifth (after each call the processor spins for 20 % of what the call cost it), both beside two
programs that do nothing but compute. The limit is the one of `limits.json`.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from fresh import compare_afresh
from gate import device_name, judge, settled
from pairs import NAMES

from pamtri_edge import console


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Operations. [default: all]")] = None,
    times: Annotated[int, typer.Option(min=1, help="How often each is judged.")] = 20,
    busy: Annotated[int, typer.Option(min=0, help="Programs that compute meanwhile.")] = 2,
    slowdown: Annotated[float, typer.Option(min=0.0, help="How much slower: 0.2 is a fifth.")] = 0.2,
) -> None:
    """Print for each operation how often it passed unchanged and how often its slowdown was caught."""
    failed, device = False, device_name()
    console.out.print(f"on {device}, {busy} busy programs, a slowdown of {slowdown:.0%}")
    with tempfile.TemporaryDirectory(prefix="gate-") as folder, _company(busy):
        for name in names or NAMES:
            start = time.monotonic()
            passed, caught = _trial(name, Path(folder), times, slowdown, device)
            failed |= passed < times or caught < times
            console.out.print(
                f"{name:17} unchanged passed {passed} of {times}, slowed caught {caught} of {times}"
                f" ({time.monotonic() - start:.0f} s)"
            )
    raise typer.Exit(int(failed))


def _trial(name: str, folder: Path, times: int, slowdown: float, device: str) -> tuple[int, int]:
    known = settled(name, device=device)
    if known is None or known.device != device:
        raise SystemExit(f"{name} is not settled on this device; run pytest benchmarks/test_gate.py --settle")

    def slower(by: float) -> int:
        attempt = functools.partial(compare_afresh, name, folder, known.limit, slowdown=by)
        return sum(judge(attempt).slower for _ in range(times))

    return times - slower(0.0), slower(slowdown)


@contextmanager
def _company(count: int) -> Iterator[None]:
    processes = [
        multiprocessing.Process(target=_compute, args=(os.getpid(),), daemon=True) for _ in range(count)
    ]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _compute(parent: int) -> None:
    while os.getppid() == parent:
        sum(range(100_000))


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
