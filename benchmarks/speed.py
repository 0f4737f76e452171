# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many vehicles a second, against the original pipeline in eager PyTorch: one table, one run.

`python benchmarks/speed.py` compares, from uint8 crops to embedding, color, type and keypoints:

- the original pipeline (`reference/original_pipeline.py`): flip test, JPEG files between the networks;
- the same without flip test and without files, since those are its choice, not PyTorch's fault;
- our bundles of both sizes in fp32, fp16 and int8, as `Reidentifier.embed` runs them;
- the two-engine path in int8, with the share of the compiled operations between the networks.

Everything runs in one process, round by round in alternating order; see `pairing.py`. The arithmetic column
is what the engine says it computed in: OpenVINO computes float16 files in float32 on a CPU.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from bundles import DEFAULT_FOLDER, EVERYTHING, provide
from machine import Others, describe
from numpy.typing import NDArray
from pairing import Block, Ratio, interleave, median_cpu, median_wall, paired_ratio
from reference.original_pipeline import OriginalPipeline
from rich.table import Table
from saving import save_result
from staged import StagedPipeline

from pamtri_edge import Reidentifier, console, ops, samples
from pamtri_edge.models import seeded
from pamtri_edge.processors import available_processors

BASELINE = "original, eager"
TARGETS = {"paper fp32": 3.0, "paper int8": 8.0, "lite int8": 40.0}
"""How many times as many vehicles a second as the baseline, at batch 8 on two cores."""
BETWEEN_TARGET = 0.03
"""Largest share of decode, segments and stack in the staged path (paper, int8)."""
FUSED = (
    ("paper", "fp32"),
    ("paper", "fp16"),
    ("paper", "int8"),
    ("lite", "fp32"),
    ("lite", "fp16"),
    ("lite", "int8"),
)
STAGED = (("paper", ""), ("paper", EVERYTHING), ("lite", ""))

Crops = Sequence[NDArray[np.uint8]]


@dataclass
class Subject:
    """One row of the table.

    Attributes:
        call: describes one batch.
        arithmetic: what it computes in.
        shares: of the operations between the networks, one a round; empty where that is not measured.
        take_share: returns that share since it was last called.
    """

    call: Callable[[Crops], object]
    arithmetic: str
    take_share: Callable[[], float] | None = None
    shares: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """What was measured of one subject."""

    name: str
    arithmetic: str
    milliseconds: float
    processor_milliseconds: float
    vehicles_per_second: float
    ratio: Ratio
    between: float | None


def main(
    bundles: Annotated[
        Path, typer.Option(help="Where bundles are; missing ones are exported.")
    ] = DEFAULT_FOLDER,
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes. [default: 8 and 1]")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds for each batch size.")] = 9,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    only: Annotated[str, typer.Option(help="Measure only rows whose name holds this word.")] = "",
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how fast the original and our bundles are on this machine."""
    logging.getLogger("pamtri_edge").setLevel(logging.ERROR)  # that the weights are untrained is known
    count = threads or available_processors()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    ops.set_threads(count)
    about = describe()
    console.out.print(f"{about['processor']}, {count} threads; {' '.join(about['flags'])}")
    console.out.print(", ".join(f"{name} {version}" for name, version in about["versions"].items()))
    sizes = batch or [8, 1]
    crops = samples.crops(max(sizes), seed=3)
    measured = []
    with ExitStack() as stack:
        subjects = _subjects(bundles, count, only, stack)
        for size in sizes:
            others = Others()
            with others:
                rows = _measure(subjects, crops[:size], rounds)
            _show(rows, size)
            if warning := others.warning():
                console.err.print(console.styled("warning:", "yellow"), warning, soft_wrap=True)
            measured.append({"batch": size, "others": others.share, "rows": [asdict(row) for row in rows]})
    if save:
        save_result("speed", {**about, "threads": count, "rounds": rounds, "measured": measured})


def _subjects(folder: Path, threads: int, only: str, stack: ExitStack) -> dict[str, Subject]:
    def announce(text: str) -> None:
        console.err.print(text)

    networks = seeded("paper", pictures=samples.crops(8))
    subjects = {
        BASELINE: Subject(OriginalPipeline(*networks), "fp32"),
        "original, eager, no flip test, no files": Subject(
            OriginalPipeline(*networks, flip_test=False, files=False), "fp32"
        ),
    }
    for size, precision in FUSED:
        if only in (name := f"{size} {precision}"):
            path = provide(folder, size, precision, announce=announce)
            reid = stack.enter_context(Reidentifier.load(path, threads=threads))
            subjects[name] = Subject(reid.embed, reid.backend.arithmetic)
    for size, variant in STAGED:
        if only in (name := f"{size} int8, two engines{', with segments' if variant else ''}"):
            path = provide(folder, size, "int8", variant=variant, staged=True, announce=announce)
            staged = stack.enter_context(StagedPipeline(path, threads=threads))
            subjects[name] = Subject(staged, staged.arithmetic, staged.share)
    return subjects


def _measure(subjects: dict[str, Subject], crops: Crops, rounds: int) -> list[Row]:
    for subject in subjects.values():
        subject.shares.clear()

    def take_shares() -> None:
        for subject in subjects.values():
            if subject.take_share is not None:
                subject.shares.append(subject.take_share())

    calls = {name: _bound(subject, crops) for name, subject in subjects.items()}
    with console.progress("rounds") as bar:
        task = bar.add_task(f"batch {len(crops)}", total=rounds, note="")

        def after_round() -> None:
            take_shares()
            bar.advance(task)

        blocks = interleave(calls, rounds=rounds, on_round=after_round)
    return [
        _row(name, subject, blocks[BASELINE], blocks[name], len(crops)) for name, subject in subjects.items()
    ]


def _bound(subject: Subject, crops: Crops) -> Callable[[], object]:
    return lambda: subject.call(crops)


def _row(name: str, subject: Subject, baseline: list[Block], blocks: list[Block], count: int) -> Row:
    wall = median_wall(blocks)
    return Row(
        name=name,
        arithmetic=subject.arithmetic,
        milliseconds=wall / count * 1e3,
        processor_milliseconds=median_cpu(blocks) / count * 1e3,
        vehicles_per_second=count / wall,
        ratio=paired_ratio(baseline, blocks),
        between=float(np.median(subject.shares)) if subject.shares else None,
    )


def _show(rows: Sequence[Row], batch: int) -> None:
    table = Table(title=f"batch {batch}", title_justify="left")
    table.add_column("")
    for heading in ("ms a vehicle", "CPU ms a vehicle", "vehicles/s", "times the original [95 %]"):
        table.add_column(heading, justify="right")
    table.add_column("arithmetic")
    table.add_column("between the networks", justify="right")
    table.add_column("target", justify="right")
    for row in rows:
        target = TARGETS.get(row.name) if batch == 8 else None
        table.add_row(
            row.name,
            f"{row.milliseconds:.1f}",
            f"{row.processor_milliseconds:.1f}",
            f"{row.vehicles_per_second:.1f}",
            str(row.ratio),
            row.arithmetic,
            "" if row.between is None else f"{row.between:.1%}",
            _verdict(row, target) if batch == 8 else "",
        )
    console.out.print(table)


def _verdict(row: Row, target: float | None) -> str:
    if target is not None:
        return f"{target:g} {'met' if row.ratio.median >= target else 'missed'}"
    if row.between is not None and row.name.startswith("paper"):
        return f"{BETWEEN_TARGET:.0%} {'met' if row.between <= BETWEEN_TARGET else 'missed'}"
    return ""


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
