# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The gate: has a program become slower beside a plain one of its kind, beyond doubt?

Program and plain program take turns in short blocks on one processor, and what counts is the median of the
ratios of their processor times within the rounds: on a busy machine those stay within some hundredths where
times on the wall do not. So a program that waits longer is not seen here, only one that does more. Rounds are
added until the bootstrap interval of 95 % lies on one side of the limit: above it if its lower end is.

Some ratios are steady within a process and differ by a tenth between two: where memory lies decides. So
attempts, each in a process of its own (`fresh.py`), are made until three of at most five agree.

What was settled stands in `limits.json`, by the device that it was settled on: a ratio of two programs
depends on the processor too. On another device only `tolerance_elsewhere` is asked for.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
from machine import Others, describe
from pairing import Block, Ratio, interleave, median_cpu, paired_ratio

from pamtri_edge.ops import native

HERE: Final = Path(__file__).parent
LIMITS: Final = HERE / "limits.json"
BASELINES: Final = HERE / "baselines"

AGREEING: Final = 3
ROUNDS: Final = 20
MOST_ROUNDS: Final = 160
SETTLING: Final = 5
"""Attempts whose middle one is settled."""
SETTLING_ROUNDS: Final = 60
BLOCK: Final = 0.006
NEGLIGIBLE: Final = 1e-6
"""Seconds a call by which two programs may differ, whatever the ratio."""


@dataclass(frozen=True)
class Pair:
    """What is watched, and a plain program of the same kind."""

    candidate: Callable[[], object]
    reference: Callable[[], object]


@dataclass(frozen=True)
class Attempt:
    """What one comparison found.

    Attributes:
        slower: whether the whole interval lies above the limit.
        ratio: candidate / reference.
        cpu_ms: processor milliseconds of the candidate, the median.
        others: share of the processors that other programs took meanwhile; None if the system does not tell.
    """

    slower: bool
    ratio: Ratio
    cpu_ms: float
    others: float | None


@dataclass(frozen=True)
class Settled:
    """A ratio that was settled, how far above it a program may be, and where that was measured."""

    ratio: float
    tolerance: float
    device: str

    @property
    def limit(self) -> float:
        """The greatest ratio that is no slowdown."""
        return self.ratio * (1 + self.tolerance)


def judge(attempt: Callable[[], Attempt], *, agreeing: int = AGREEING) -> Attempt:
    """Make attempts until enough agree on whether the program is slower; return the middle one of those."""
    made: dict[bool, list[Attempt]] = {True: [], False: []}
    while True:
        latest = attempt()
        alike = made[latest.slower]
        alike.append(latest)
        if len(alike) == agreeing:
            return sorted(alike, key=lambda one: one.ratio.median)[agreeing // 2]


def compare(pair: Pair, limit: float, *, least_rounds: int = ROUNDS) -> Attempt:
    """Compare two programs until it is clear on which side of the limit their ratio lies."""
    subjects = {"reference": pair.reference, "candidate": pair.candidate}
    blocks: dict[str, list[Block]] = {name: [] for name in subjects}
    rounds, clear = 0, False
    with Others() as others:
        while rounds < least_rounds or (not clear and rounds < MOST_ROUNDS):
            for name, more in interleave(subjects, rounds=ROUNDS, block=BLOCK).items():
                blocks[name] += more
            rounds += ROUNDS
            ratio = paired_ratio(blocks["candidate"], blocks["reference"], clock="cpu")
            clear = ratio.high <= limit or ratio.low > limit
    took, plain = (median_cpu(blocks[name]) for name in ("candidate", "reference"))
    slower = ratio.low > limit and took - plain * limit >= NEGLIGIBLE
    return Attempt(slower, ratio, 1e3 * took, others.share)


def device_name(about: dict[str, Any] | None = None) -> str:
    """Return what this machine is called in the tables: processor, its number, and what it computes with."""
    about = describe() if about is None else about
    words = [about["processor"], f"{about['cores']} cores", *sorted(about["flags"])]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, words)).lower()).strip("-")


def settled(name: str, *, device: str) -> Settled | None:
    """Return what was settled for a program, here or on the first device that has it; None if nowhere."""
    table = json.loads(LIMITS.read_text())
    for known, ratios in sorted(table["settled"].items(), key=lambda item: item[0] != device):
        if name in ratios:
            here = known == device
            return Settled(ratios[name], table["tolerance" if here else "tolerance_elsewhere"], known)
    return None


def settle(name: str, ratio: float, *, device: str) -> None:
    """Write a ratio into the table, for this device."""
    table = json.loads(LIMITS.read_text())
    here = table["settled"].setdefault(device, {})
    here[name] = float(f"{ratio:.3g}")
    table["settled"][device] = dict(sorted(here.items()))
    LIMITS.write_text(json.dumps(table, indent=2) + "\n")


def baseline_file(device: str, *, folder: Path = BASELINES) -> Path:
    """Return the file of a device's milliseconds."""
    return folder / f"{device}.json"


def read_baselines(device: str, *, folder: Path = BASELINES) -> dict[str, float]:
    """Return processor milliseconds by program, as they were measured on this device; empty if never."""
    path = baseline_file(device, folder=folder)
    return dict(json.loads(path.read_text())["cpu_ms"]) if path.is_file() else {}


def update_baseline(name: str, cpu_ms: float, *, device: str, folder: Path = BASELINES) -> None:
    """Write a program's milliseconds into this device's file; those of the others stay."""
    known = {**read_baselines(device, folder=folder), name: float(f"{cpu_ms:.3g}")}
    path = baseline_file(device, folder=folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**describe(), "cpu_ms": dict(sorted(known.items()))}, indent=2) + "\n")


def complaint(name: str, found: Attempt, known: Settled, device: str) -> str:
    """Say by how much a program is slower than was settled, and where."""
    return (
        f"{name} / its plain program took {found.ratio} (95 %), settled at {known.ratio:g} (on "
        f"{known.device}) with a tolerance of {known.tolerance:.0%}, so at most {known.limit:.3g}; "
        f"{AGREEING} attempts agree, on {device}."
    )


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep this thread, and those that it starts meanwhile, on one processor; operations start none.

    What several threads gain depends on how busy the others are; what one does beside another on the same
    processor does not.
    """
    before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    threads = native.threads(), cv2.getNumThreads()
    native.set_threads(1)
    cv2.setNumThreads(1)
    if before is not None:
        os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)
        native.set_threads(threads[0])
        cv2.setNumThreads(threads[1])
