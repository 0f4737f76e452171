# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many vehicles a second, beside everyone else: one table, one run.

`python benchmarks/speed.py` compares, from uint8 crops to embedding, color, type and keypoints, what the
files of `peers/` give: the original pipeline, PyTorch, ONNX Runtime, OpenVINO with NumPy and OpenCV around
it, and our bundles; and, as limits, matrix products in the same precision.

Everything runs in one process, round by round in alternating order, all batch sizes in the same rounds; see
`pairing.py`. The arithmetic column is what the engine says it computed in. The share of the limit is that of
operations a second of processor time: it says how well the code uses a core that it has.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from bundles import DEFAULT_FOLDER
from machine import Others, describe
from pairing import Block, Ratio, interleave, median_cpu, median_wall, paired_ratio
from peers import (
    Absent,
    Peer,
    Setting,
    Subject,
    extractors,
    limits,
    onnx_runtime,
    openvino_with_glue,
    original,
    ours,
    pytorch,
)
from peers.original import BASELINE
from rich.table import Table
from saving import save_result

from pamtri_edge import console, ops, samples
from pamtri_edge.processors import available_processors

PEERS: Mapping[str, Peer] = {
    "original": original.subjects,
    "pytorch": pytorch.subjects,
    "compiled": pytorch.compiled_subjects,
    "onnxruntime": onnx_runtime.subjects,
    "glue": openvino_with_glue.subjects,
    "ours": ours.subjects,
    "staged": ours.staged_subjects,
    "extractors": extractors.subjects,
    "limits": limits.subjects,
}
Key = tuple[str, int]


@dataclass(frozen=True)
class Row:
    """What was measured of one subject at one batch size; times are medians, a vehicle.

    Attributes:
        ratio: how many times as fast as the baseline, by the time on the wall.
        cpu_ratio: the same by processor time.
        limit_share: operations a second of processor time, as part of the limit's; None without a limit.
        between: share of the operations between the networks; None where it was not measured.
    """

    name: str
    batch: int
    arithmetic: str
    milliseconds: float
    processor_milliseconds: float
    vehicles_per_second: float
    ratio: Ratio | None
    cpu_ratio: Ratio | None
    limit_share: Ratio | None
    between: float | None


@dataclass(frozen=True)
class Target:
    """A figure that is wanted, and what was measured of it."""

    what: str
    wanted: float
    measured: Ratio
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the median reaches it."""
        return self.measured.median <= self.wanted if self.at_most else self.measured.median >= self.wanted


def main(
    bundles: Annotated[
        Path, typer.Option(help="Where bundles are; missing ones are exported.")
    ] = DEFAULT_FOLDER,
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes. [default: 8 and 1]")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Rounds.")] = 9,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. [default: all]")] = None,
    peer: Annotated[list[str] | None, typer.Option(help=f"Only these: {', '.join(PEERS)}.")] = None,
    only: Annotated[str, typer.Option(help="Measure only rows whose name holds this word.")] = "",
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how fast everyone is on this machine."""
    logging.getLogger("pamtri_edge").setLevel(logging.ERROR)  # that the weights are untrained is known
    if unknown := set(peer or ()) - set(PEERS):
        raise typer.BadParameter(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PEERS)}")
    count = threads or available_processors()
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
    ops.set_threads(count)
    about = describe()
    console.out.print(f"{about['processor']}, {count} threads; {' '.join(about['flags'])}")
    sizes = tuple(batch or [8, 1])
    with ExitStack() as stack:
        setting = Setting(bundles, count, sizes, stack, _announce, only)
        found = [one for name in peer or PEERS for one in PEERS[name](setting)]
        absent = [one for one in found if isinstance(one, Absent) and only in one.name]
        subjects = [one for one in found if isinstance(one, Subject) and _wanted(one, only)]
        with Others() as others:
            blocks = _measure(subjects, sizes, rounds)
    rows = [_row(one, size, blocks, subjects) for size in sizes for one in subjects]
    targets = _targets(blocks, rows)
    for size in sizes:
        _show([row for row in rows if row.batch == size], size)
    _show_targets(targets)
    for one in absent:
        console.out.print(f"not measured: {one.name}: {one.reason}.")
    if warning := others.warning():
        console.err.print(console.styled("warning:", "yellow"), warning)
    if save:
        record = {**about, "threads": count, "rounds": rounds, "others": others.share}
        record["rows"] = [asdict(row) for row in rows]
        record["targets"] = [{**asdict(one), "met": one.met} for one in targets]
        record["absent"] = [asdict(one) for one in absent]
        save_result("speed", record)


def _announce(text: str) -> None:
    console.err.print(text)


def _wanted(subject: Subject, word: str) -> bool:
    return word in subject.name or subject.name.startswith((BASELINE, limits.name_of("")))


def _measure(subjects: Sequence[Subject], sizes: Sequence[int], rounds: int) -> dict[Key, list[Block]]:
    crops = samples.crops(max(sizes), seed=3)
    calls = {
        f"{size} {one.name}": (lambda one=one, size=size: one.call(crops[:size]))  # type: ignore[misc]
        for size in sizes
        for one in subjects
        if not (_is_limit(one) and size != sizes[0])
    }
    with console.progress("rounds") as bar:
        task = bar.add_task("", total=rounds, note="")

        def after_round() -> None:
            for one in subjects:
                if one.share is not None:
                    one.shares.append(one.share())
            bar.advance(task)

        blocks = interleave(calls, rounds=rounds, on_round=after_round)
    return {
        (one.name, size): blocks[f"{sizes[0] if _is_limit(one) else size} {one.name}"]
        for size in sizes
        for one in subjects
    }


def _is_limit(subject: Subject) -> bool:
    return subject.name.startswith(limits.name_of(""))


def _row(subject: Subject, size: int, blocks: Mapping[Key, list[Block]], subjects: Sequence[Subject]) -> Row:
    own = blocks[subject.name, size]
    each = 1 if _is_limit(subject) else size
    baseline = None if _is_limit(subject) else blocks.get((BASELINE, size))
    wall = median_wall(own)
    return Row(
        name=subject.name,
        batch=size,
        arithmetic=subject.arithmetic,
        milliseconds=wall / each * 1e3,
        processor_milliseconds=median_cpu(own) / each * 1e3,
        vehicles_per_second=each / wall,
        ratio=paired_ratio(baseline, own) if baseline else None,
        cpu_ratio=paired_ratio(baseline, own, clock="cpu") if baseline else None,
        limit_share=_limit_share(subject, size, blocks, subjects),
        between=float(np.median(subject.shares)) if subject.shares else None,
    )


def _limit_share(
    subject: Subject, size: int, blocks: Mapping[Key, list[Block]], subjects: Sequence[Subject]
) -> Ratio | None:
    limit = next((one for one in subjects if one.name == limits.name_of(subject.limit)), None)
    if limit is None or subject.operations is None or limit.operations is None:
        return None
    times = paired_ratio(blocks[limit.name, size], blocks[subject.name, size], clock="cpu")
    return _scaled(times, subject.operations * size / limit.operations)


def _scaled(ratio: Ratio, factor: float) -> Ratio:
    return Ratio(ratio.median * factor, ratio.low * factor, ratio.high * factor)


def _targets(blocks: Mapping[Key, list[Block]], rows: Sequence[Row]) -> list[Target]:
    """Return what is wanted of our rows, as far as it was measured."""
    targets = []
    glue = "paper int8, OpenVINO with glue"
    for ours_name, theirs, wanted in (
        ("paper fp32", BASELINE, 3.0),
        ("paper int8", BASELINE, 8.0),
        ("lite int8", BASELINE, 40.0),
        ("paper int8", glue, 1.3),
    ):
        if (ours_name, 8) in blocks and (theirs, 8) in blocks:
            ratio = paired_ratio(blocks[theirs, 8], blocks[ours_name, 8])
            targets.append(Target(f"{ours_name} against {theirs}, batch 8", wanted, ratio))
    for row in rows:
        if (row.name, row.batch) == ("paper int8", 8) and row.limit_share is not None:
            targets.append(Target("paper int8, share of the int8 product", 0.55, row.limit_share))
        if row.between is not None and row.batch == 8 and row.name.startswith("paper"):
            share = Ratio(row.between, row.between, row.between)
            targets.append(Target(f"{row.name}, share between the networks", 0.03, share, at_most=True))
    for name in ("paper int8", "lite int8"):
        if (name, 1) in blocks and (name, 8) in blocks:
            ratio = _scaled(paired_ratio(blocks[name, 1], blocks[name, 8]), 8)
            targets.append(Target(f"{name}, one vehicle beside one of eight", 1.4, ratio, at_most=True))
    return targets


def _show(rows: Sequence[Row], batch: int) -> None:
    table = Table(title=f"batch {batch}", title_justify="left")
    table.add_column("")
    for heading in (
        "ms a vehicle",
        "CPU ms a vehicle",
        "vehicles/s",
        "times the original [95 %]",
        "by CPU time",
        "of the limit",
    ):
        table.add_column(heading, justify="right")
    table.add_column("arithmetic")
    table.add_column("between", justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.milliseconds:.1f}",
            f"{row.processor_milliseconds:.1f}",
            f"{row.vehicles_per_second:.1f}",
            "" if row.ratio is None else str(row.ratio),
            "" if row.cpu_ratio is None else f"{row.cpu_ratio.median:.3g}",
            "" if row.limit_share is None else f"{row.limit_share.median:.0%}",
            row.arithmetic,
            "" if row.between is None else f"{row.between:.1%}",
        )
    console.out.print(table)


def _show_targets(targets: Sequence[Target]) -> None:
    table = Table(title="wanted", title_justify="left")
    table.add_column("")
    table.add_column("wanted", justify="right")
    table.add_column("measured [95 %]", justify="right")
    table.add_column("")
    for one in targets:
        bound = "at most" if one.at_most else "at least"
        verdict = "met" if one.met else "missed"
        table.add_row(one.what, f"{bound} {one.wanted:g}", str(one.measured), verdict)
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
