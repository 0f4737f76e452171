# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri bench`: how fast a bundle runs on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.cli.shared_options import BackendOption, BuildOption, BundleOption, DeviceOption
from pamtri_edge.errors import InputError
from pamtri_edge.options import check_output
from pamtri_edge.printable import counted
from pamtri_edge.processors import available_processors
from pamtri_edge.words import BenchFormat

if TYPE_CHECKING:
    from pamtri_edge.bench import BenchReport, Sustained

_BATCHES: Final = (1, 2, 4, 8, 16, 32)
_MOST: Final = 1024


def bench(
    bundle: BundleOption = None,
    batch: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=_MOST, help="Vehicles a call; may be repeated. [default: 1, 2, 4, 8, 16 and 32]"
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="CPU threads of the networks; may be repeated, to see what they gain. [default: all]",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="How long each batch size is measured.")
    ] = 2.0,
    minutes: Annotated[
        float,
        typer.Option(
            min=0,
            max=10_000,
            help="Then run the quickest batch size for so long, and say whether the device keeps its pace: "
            "a hot one does not. Ctrl-C ends it early.",
        ),
    ] = 0.0,
    output_format: Annotated[
        BenchFormat, typer.Option("--format", help="How the figures are printed.")
    ] = "text",
    png: Annotated[Path | None, typer.Option(help="Draw the figures into this .png file too.")] = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    build: BuildOption = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture.")] = False,
) -> None:
    """Measure how fast a bundle describes vehicles on this machine.

    From crops in memory to embedding, color, type and keypoints: vehicles a second for each batch size, how
    long half, 95 and 99 of 100 calls take at most, memory, and how much of the work is padding. Choose the
    smallest batch size that is fast enough: a larger one makes each vehicle wait for others. Close what else
    runs, or the figures are those of a busy machine.

    Examples: pamtri bench --batch 1 --batch 8; pamtri bench --threads 1 --threads 2 --threads 4;
    pamtri bench --minutes 10 --png pace.png.
    """
    counts = _checked_threads(threads, device)
    check_output(png, overwrite=overwrite, suffixes=(".png", ".PNG"), option="--png")
    if png is not None:
        from pamtri_edge.plots import new_figure

        new_figure(1, 1)  # says at once if matplotlib is missing
    from pamtri_edge.bench import bench as measure

    with console.err.status("Loading the bundle ...") as status:
        report = measure(
            bundle,
            batches=list(dict.fromkeys(batch or _BATCHES)),
            threads=counts,
            seconds=seconds,
            minutes=minutes,
            device=device,
            backend=backend,
            build=build,
            on_step=lambda step: status.update(f"Measuring: {step} ..."),
        )
    if output_format == "json":
        console.out.print_json(json.dumps(report.to_json()))
    else:
        _show(report)
    if png is not None:
        _draw(report, png)
    if report.sustained is not None and report.sustained.interrupted:
        raise typer.Exit(130)


def _checked_threads(threads: list[int] | None, device: str) -> Sequence[int | None]:
    """Return the numbers of threads to measure, each once."""
    if not threads:
        return (None,)
    if device.startswith("cuda"):
        raise typer.BadParameter(
            f"threads are those of a CPU, and --device {device} is a GPU; leave --threads out.",
            param_hint="--threads",
        )
    have = available_processors()
    if max(threads) > have:
        raise typer.BadParameter(
            f"{max(threads)} threads are too many: this process may use {counted(have, 'processor')}; "
            f"accepted: 1 to {have}.",
            param_hint="--threads",
        )
    return list(dict.fromkeys(threads))


def _draw(report: BenchReport, png: Path) -> None:
    from pamtri_edge.bench.figure import bench_figure
    from pamtri_edge.files.atomic import staged_file

    try:
        with staged_file(png) as part:
            bench_figure(report, part)
    except OSError as error:
        raise InputError(f"{png} cannot be written: {console.system_error(error)}") from error
    console.err.print(f"written: {png!s}")


def _show(report: BenchReport) -> None:
    device = report.device
    console.out.print(
        f"{report.bundle}: {report.precision}, computed in {device.arithmetic} by {device.backend} on "
        f"{device.device}"
    )
    features = f", {', '.join(device.features)}" if device.features else ""
    console.out.print(f"{device.processor}, {counted(device.processors, 'processor')}{features}")
    if report.memory_bytes is not None:
        console.out.print(f"loading it took {_mb(report.memory_bytes)} of memory")
    console.out.print(_table(report))
    best = report.best
    with_threads = f" with {counted(best.threads, 'thread')}" if best.threads else ""
    console.out.print(
        f"most vehicles a second: {_number(best.vehicles_per_s)} at batch {best.batch}{with_threads}"
    )
    if report.sustained is not None:
        console.out.print(_pace(report.sustained))


def _table(report: BenchReport) -> Table:
    several = len({row.threads for row in report.speeds}) > 1
    padded = any(row.pad_waste for row in report.speeds)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = ["batch", "vehicles/s", "ms a vehicle", "half within ms", "95 %", "99 %", "calls", "memory"]
    for name in (["threads"] if several else []) + columns + (["padding"] if padded else []):
        table.add_column(name, justify="right")
    for row in report.speeds:
        cells = [str(row.threads)] if several else []
        cells += [str(row.batch), *map(_number, (row.vehicles_per_s, row.ms_per_vehicle))]
        cells += [*map(_number, (row.p50_ms, row.p95_ms, row.p99_ms)), str(row.calls)]
        cells.append("unknown" if row.memory_bytes is None else _mb(row.memory_bytes))
        if padded:
            cells.append(f"{row.pad_waste:.0%}")
        table.add_row(*cells)
    return table


def _pace(one: Sustained) -> str:
    seconds = one.windows[-1].at_s
    begin = f"{'interrupted after' if one.interrupted else 'for'} {seconds:.0f} s at batch {one.batch}: "
    rates = f"{_number(one.first)} vehicles a second at first, {_number(one.last)} at last"
    slower = f"{one.slower:.0%} slower"
    why = {
        "kept": "the pace was kept",
        "throttled": f"{slower}: the device lowered its clocks; cool it, or grant it more power",
        "disturbed": f"{slower}: other programs took the processors meanwhile",
    }
    return f"{begin}{rates}; {why[one.pace]}."


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _mb(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
