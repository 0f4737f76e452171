# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The measurement as a picture: vehicles a second by batch, latency by batch, and the pace over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pamtri_edge.bench.measure import BatchSpeed
from pamtri_edge.bench.report import BenchReport
from pamtri_edge.bench.sustained import Sustained
from pamtri_edge.plots import new_figure, save_figure


def bench_figure(report: BenchReport, path: Path) -> Path:
    """Draw a report into a PNG file, whatever the name ends in.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    columns = 2 + (report.sustained is not None)
    figure, axes = new_figure(4.6 * columns, 3.9, columns=columns)
    by_threads: dict[int | None, list[BatchSpeed]] = {}
    for row in sorted(report.speeds, key=lambda row: row.batch):
        by_threads.setdefault(row.threads, []).append(row)
    for threads, rows in by_threads.items():
        batches = [row.batch for row in rows]
        label = "" if threads is None else f"{threads} thread{'' if threads == 1 else 's'}"
        axes[0].plot(batches, [row.vehicles_per_s for row in rows], marker="o", label=label)
        (line,) = axes[1].plot(
            batches, [row.p50_ms for row in rows], marker="o", label=f"{label} half".strip()
        )
        axes[1].plot(
            batches,
            [row.p99_ms for row in rows],
            color=line.get_color(),
            linestyle=":",
            marker=".",
            label=f"{label} 99 of 100".strip(),
        )
    _by_batch(axes[0], "vehicles a second", sorted({row.batch for row in report.speeds}))
    _by_batch(axes[1], "milliseconds a call", sorted({row.batch for row in report.speeds}))
    if report.sustained is not None:
        _over_time(axes[2], report.sustained)
    device = report.device
    where = device.processor if device.device == "cpu" else device.device
    figure.suptitle(
        f"{Path(report.bundle).name}, {device.arithmetic}, {device.backend} on {where}", fontsize=10
    )
    return save_figure(figure, path, form="png")


def _by_batch(axes: Any, what: str, batches: list[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(batches, [str(batch) for batch in batches])
    axes.minorticks_off()
    axes.set(xlabel="vehicles a call", ylabel=what)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    if any(not label.startswith("_") for label in axes.get_legend_handles_labels()[1] if label):
        axes.legend(fontsize=8)


def _over_time(axes: Any, sustained: Sustained) -> None:
    axes.plot([window.at_s for window in sustained.windows], [w.vehicles_per_s for w in sustained.windows])
    axes.set(xlabel="seconds", ylabel="vehicles a second", title=f"batch {sustained.batch}: {sustained.pace}")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
