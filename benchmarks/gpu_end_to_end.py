# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles a second on a GPU, from 8-bit crops on the device to all outputs on the device: one table a batch.

`python benchmarks/gpu_end_to_end.py` compares, with the networks of the paper (keypoints and heatmaps):

- plain PyTorch (`reference/plain_pytorch.py`), eager, in fp32 and fp16, and compiled with CUDA graphs;
- our fused module, compiled with CUDA graphs;
- our two-engine path with torch for the engines (`gpu/staged_torch.py`), and TensorRT where it is installed;
- the original's way (`reference/original_pipeline.py`), with its networks on the GPU.

Outputs are compared before anything is timed. All rows run in one process in alternating rounds, a row of
calls at a time between two CUDA events, and ratios are taken within a round. Then, at a batch of 16, the
share of our kernels in our path: both as CUDA graphs, in alternating rounds too.

Each compiled row takes a minute or two before it runs. `--batch 8` measures one batch size in a run.
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from bundles import DEFAULT_FOLDER, provide
from gpu.agreement import Agreement, agreement
from gpu.clocks import Call, Clock, HostClock, TorchClock
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.rounds import interleave
from gpu.subjects import (
    COMPILED,
    EAGER,
    OURS,
    PLAIN_FP32,
    Recipe,
    Setting,
    Subject,
    make,
    recipes,
    staged_path,
)
from gpu.targets import Target, exit_code
from pairing import Block, Ratio, median_wall, paired_ratio
from rich.table import Table

from pamtri_edge import console, ops, samples
from pamtri_edge.models import TINY, seeded
from pamtri_edge.models.hrnet import PoseSpec
from pamtri_edge.models.multitask import ReidSpec
from pamtri_edge.models.sizes import PAPER

BATCHES = (1, 8, 32)
SHARE_BATCH = 16
EAGER_TARGET = 1.5
"""How many times as fast as the best eager row ours must be."""
COMPILED_TARGET = 1.0
"""Likewise, as the best compiled row that became CUDA graphs."""
SHARE_TARGET = 0.04
"""Largest share of decode, segments and stack in our path."""
_FIRST_ROUNDS = 3
"""Rounds of a row as soon as it is made."""
_COMPILING = 60.0
"""Seconds that the first compiled row is expected to take."""
_REPEATED = 8
"""Times that the kernels run in one graph, so that launching it does not count."""

Row = dict[str, Any]


def main(
    batch: Annotated[list[int] | None, typer.Option(help="Batch sizes. [default: 1, 8 and 32]")] = None,
    only: Annotated[
        str, typer.Option(help="Measure only rows whose name holds this word, and the first.")
    ] = "",
    rounds: Annotated[int, typer.Option(min=3, help="Rounds for each batch size.")] = 11,
    block: Annotated[float, typer.Option(help="Seconds of a row's block in a round.")] = 0.1,
    share: Annotated[bool, typer.Option(help="Measure the kernels' share of our path.")] = True,
    only_share: Annotated[bool, typer.Option("--only-share", help="Measure nothing else.")] = False,
    seconds: Annotated[float, typer.Option(help="Begin no row that would end later.")] = math.inf,
    bundles: Annotated[Path, typer.Option(help="Where TensorRT's bundle is, or is put.")] = DEFAULT_FOLDER,
    output: Output = RESULTS,
    rehearse: Rehearse = False,
) -> None:
    """Print how fast each way is, and our kernels' share of ours."""
    logging.getLogger("pamtri_edge").setLevel(logging.ERROR)  # that the weights are untrained is known
    torch.backends.cudnn.benchmark = True
    device = torch.device("cpu" if rehearse else "cuda")
    record = Record("end-to-end", output, rehearsal=rehearse, rounds=rounds)
    clock: Clock = HostClock() if rehearse else TorchClock(torch)
    spec = TINY if rehearse else PAPER
    end = time.monotonic() + seconds
    measured: list[Row] = []
    for size in () if only_share else batch or ((2,) if rehearse else BATCHES):
        here: Row = {"batch": size, "rows": []}
        measured.append(here)

        def keep(rows: list[Row], here: Row = here) -> None:
            here["rows"] = rows
            record.note(measured=measured)

        rows = batch_rows(
            setting(spec, size, device, bundles), only, clock, rounds=rounds, block=block, keep=keep, end=end
        )
        show(rows, size)
        record.judge(targets(rows, size))
    if share or only_share:
        shares = kernel_shares(
            spec, 2 if rehearse else SHARE_BATCH, device, clock, rounds=rounds, block=block
        )
        record.note(shares=shares)
        record.judge([share_target(shares)])
    sys.exit(exit_code(record.close()))


def setting(spec: tuple[PoseSpec, ReidSpec], size: int, device: torch.device, bundles: Path) -> Setting:
    """Return networks with drawn weights, and so many crops on the device."""
    pictures = ops.resize(samples.crops(size, seed=3)).astype(np.uint8)
    crops = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, 1, -1))).to(device)
    pose, reid = seeded(spec, pictures=samples.crops(8))
    return Setting(
        pose, reid, crops, lambda: provide(bundles, "paper", "fp16", staged=True, announce=console.err.print)
    )


def batch_rows(
    setting: Setting,
    only: str,
    clock: Clock,
    *,
    rounds: int,
    block: float,
    keep: Callable[[list[Row]], None] = lambda rows: None,
    end: float = math.inf,
) -> list[Row]:
    """Make every subject, compare its outputs with those of plain PyTorch in fp32, time those that agree.

    Each is timed at once beside plain PyTorch, in a few rounds, so that it outlives a run cut short; in the
    end all are timed together.

    Args:
        setting: the networks and the crops.
        only: a word that a row's name must hold.
        clock: times the calls.
        rounds: how many in the end.
        block: seconds of a row's block in a round.
        keep: is given the rows whenever one is there or has changed.
        end: when, by `time.monotonic`, no row may still be in the making.
    """
    torch.compiler.reset()
    rows: list[Row] = []
    subjects: dict[str, Subject] = {}
    expected = None
    for recipe in recipes():
        if only in recipe.name or recipe.name == PLAIN_FP32:
            if rows and time.monotonic() + lasting(recipe, rows) > end:
                rows.append({"name": recipe.name, "kind": recipe.kind, "failure": "the time was up"})
                keep(rows)
                continue
            row, subject = made(recipe, setting, expected)
            rows.append(row)
            keep(rows)
            if subject is not None:
                subjects[recipe.name] = subject
                pair = {name: subjects[name].call for name in (PLAIN_FP32, recipe.name) if name in subjects}
                found = interleave(pair, clock=clock, rounds=_FIRST_ROUNDS, block=block)
                note_times(row, found[recipe.name], len(setting.crops))
                row["provisional"] = True
                keep(rows)
            if recipe.name == PLAIN_FP32 and subject is not None:
                expected = exactly(subject)
    calls = {name: subject.call for name, subject in subjects.items()}
    blocks = interleave(calls, clock=clock, rounds=rounds, block=block)
    best = {kind: fastest(rows, blocks, kind) for kind in (EAGER, COMPILED)}
    for row in rows:
        if row["name"] in blocks:
            mine = blocks[row["name"]]
            note_times(row, mine, len(setting.crops))
            del row["provisional"]
            for kind, name in best.items():
                if name:
                    row[f"times_{kind}"] = asdict(paired_ratio(blocks[name], mine))
                    row[f"best_{kind}"] = name
    keep(rows)
    subjects.clear()
    gc.collect()
    if not setting.rehearsal:
        torch.cuda.empty_cache()
    return rows


def note_times(row: Row, blocks: Sequence[Block], crops: int) -> None:
    """Put a row's time into it."""
    row["milliseconds"] = 1e3 * median_wall(blocks)
    row["vehicles_per_second"] = crops / median_wall(blocks)


def lasting(recipe: Recipe, rows: list[Row]) -> float:
    """Return about how many seconds a row takes to make: a compiled one as long as the longest so far."""
    if "compiled" not in recipe.name:
        return 0.0
    earlier = (row.get("preparation_s", 0.0) for row in rows if "compiled" in row["name"])
    return max(earlier, default=_COMPILING)


def made(recipe: Recipe, setting: Setting, expected: Any) -> tuple[Row, Subject | None]:
    """Make a subject; return its row, and the subject unless it failed or describes the crops otherwise."""
    console.err.print(f"batch {len(setting.crops)}: {recipe.name}")
    row: Row = {"name": recipe.name, "kind": recipe.kind}
    try:
        subject, seconds = make(recipe, setting)
        row.update({"arithmetic": subject.arithmetic, "note": subject.note, "preparation_s": seconds})
        if expected is not None and subject.comparable:
            found = agreement(subject.call(), expected)
            row["agreement"] = asdict(found)
            if not found.good:
                return {**row, "failure": f"its outputs are others: {found}"}, None
    except Exception as error:  # TensorRT may be absent, torch.compile may fail: the others still count
        return {**row, "failure": f"{type(error).__name__}: {error}"}, None
    return row, subject


def exactly(subject: Subject) -> Any:
    """Return a subject's outputs with convolutions in float32, not TF32, as the others are compared with."""
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        return tuple(output.clone() for output in subject.call())
    finally:
        torch.backends.cudnn.allow_tf32 = allowed


def fastest(rows: list[Row], blocks: Any, kind: str) -> str:
    """Return the name of the fastest row of a kind; of compiled ones, of those that became CUDA graphs."""
    names = [
        row["name"]
        for row in rows
        if row["kind"] == kind and row["name"] in blocks and not (kind == COMPILED and row["note"])
    ]
    return min(names, key=lambda name: median_wall(blocks[name]), default="")


def targets(rows: list[Row], batch: int) -> list[Target]:
    """Return what our fastest row is held against."""
    ours = [row for row in rows if row["kind"] == OURS and "milliseconds" in row]
    best = min(ours, key=lambda row: float(row["milliseconds"]), default=None)
    plain = next((row for row in rows if row["name"] == PLAIN_FP32), {})
    judged = [
        Target(
            f"batch {batch}: ours gives the outputs of plain PyTorch",
            f"{len(ours)} rows of ours do" if ours else "none of ours does",
            bool(ours) and "milliseconds" in plain,
        )
    ]
    for kind, least in ((EAGER, EAGER_TARGET), (COMPILED, COMPILED_TARGET)):
        what = f"batch {batch}: ours at least {least:g} times as fast as the best {kind} PyTorch"
        tried = {recipe.name for recipe in recipes() if recipe.kind == kind} <= {row["name"] for row in rows}
        if best is None or f"times_{kind}" not in best or not tried:
            judged.append(Target(what, "not all that this takes was measured", None, timed=True))
            continue
        ratio = Ratio(**best[f"times_{kind}"])
        found = f"{ratio} times ({best['name']}; {best[f'best_{kind}']})"
        met = ratio.high >= least if kind == COMPILED else ratio.median >= least
        judged.append(Target(what, found, met, timed=True))
    return judged


def kernel_shares(
    spec: tuple[PoseSpec, ReidSpec],
    size: int,
    device: torch.device,
    clock: Clock,
    *,
    rounds: int,
    block: float,
) -> list[Row]:
    """Return the share of our kernels in our path, with heatmaps and with segments too."""
    pose_spec, reid_spec = spec
    shares = []
    for name, segments in (("heatmaps", False), ("heatmaps and segments", True)):
        console.err.print(f"share of the kernels: {name}")
        torch.compiler.reset()
        variant = (pose_spec, dataclasses.replace(reid_spec, segments=segments))
        here = setting(variant, size, device, Path())
        with torch.inference_mode():
            path = staged_path(here, compiled=True)
            path(here.crops)
            subjects: dict[str, Call] = {
                "path": partial(path, here.crops),
                "kernels": path.between(_REPEATED),
            }
            blocks = interleave(subjects, clock=clock, rounds=rounds, block=block)
        ratio = paired_ratio(blocks["kernels"], blocks["path"])
        shares.append(
            {
                "variant": name,
                "batch": size,
                "milliseconds": 1e3 * median_wall(blocks["path"]),
                "kernels_milliseconds": 1e3 * median_wall(blocks["kernels"]) / _REPEATED,
                "share": {key: value / _REPEATED for key, value in asdict(ratio).items()},
            }
        )
    return shares


def share_target(shares: list[Row]) -> Target:
    """Return what the kernels' share is held against: the larger of the variants'."""
    worst = max(shares, key=lambda row: float(row["share"]["median"]))
    found = Ratio(**worst["share"])
    return Target(
        f"decode, segments and stack at most {SHARE_TARGET:.0%} of our path at batch {worst['batch']}",
        f"{found.median:.2%} [{found.low:.2%}, {found.high:.2%}] ({worst['variant']})",
        found.median <= SHARE_TARGET,
        timed=True,
    )


def show(rows: list[Row], batch: int) -> None:
    """Print the table of a batch size, and below it what has to be said of its rows."""
    table = Table(title=f"batch {batch}, from 8-bit crops on the device", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("ms", "vehicles/s", "x best eager [95 %]", "least cosine"):
        table.add_column(heading, justify="right")
    for row in rows:
        if "milliseconds" not in row:
            table.add_row(row["name"], "", "", console.styled("not measured", "yellow"), "")
            continue
        found = row.get("agreement")
        ratio = row.get("times_eager")
        table.add_row(
            row["name"],
            f"{row['milliseconds']:.2f}",
            f"{row['vehicles_per_second']:.0f}",
            "" if ratio is None else str(Ratio(**ratio)),
            "" if found is None else f"{Agreement(**found).cosine:.5f}",
        )
    console.out.print(table)
    for row in rows:
        if said := row.get("failure") or row.get("note"):
            console.out.print(f"{row['name']}: {said}")


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
