# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How `pamtri-export` speaks while it works, and of what it made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pamtri_edge import console
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.export.tables import (
    engine_table,
    half_line,
    profile_table,
    report_table,
    retrieval_line,
    sample_lines,
    sizes_line,
)
from pamtri_edge.geometry import Geometry

if TYPE_CHECKING:
    from pamtri_edge.export.bundle_export import ExportResult
    from pamtri_edge.export.report import Report


class ShownSteps(Steps):
    """Steps of an export, each a line on the terminal: a bar where the parts are known, then the time."""

    @contextmanager
    def shown(self, name: str, total: int | None) -> Iterator[Callable[[], None]]:
        """Show a step while it runs."""
        start = time.perf_counter()
        if total is not None:
            with console.progress() as bar:
                task = bar.add_task(f"  {name}", total=total, note="")
                yield lambda: bar.advance(task)
            return
        with console.err.status(f"{name} ..."):
            yield lambda: None
        console.err.print(f"  {name}: {time.perf_counter() - start:.1f} s")


def show_report(report: Report) -> None:
    """Show the comparison of a file with the network that it was made of."""
    console.out.print(report_table(report))
    if report.engines:
        console.out.print(engine_table(report))
    for judgement in report.judgements:
        for remark in judgement.remarks:
            console.out.print(f"{judgement.engine}: {remark}.", soft_wrap=True)
    for line in sample_lines(report):
        console.out.print(line, soft_wrap=True)
    for doubt in report.doubts:
        console.err.print(console.styled("WARNING:", "bold red"), f"{doubt}.", soft_wrap=True)
    if report.half is not None:
        console.out.print(half_line(report.half), soft_wrap=True)
    if report.retrieval is not None:
        console.out.print(retrieval_line(report.retrieval), soft_wrap=True)
    if report.drawn:
        console.out.print(
            "The crops were rendered, because no real ones were given: use --crops DIR with pictures of your "
            "cameras.",
            soft_wrap=True,
        )


def show_result(options: ExportOptions, result: ExportResult) -> None:
    """Show what an export left: the comparison, the files, and what one should know of them."""
    show_report(result.report)
    for measured in result.profiles:
        console.out.print(profile_table(measured))
    console.out.print(sizes_line(result.sizes), soft_wrap=True)
    if options.geometry is Geometry.ORIGINAL:
        console.out.print(
            "Stock DeepStream nvinfer cannot feed geometry 'original': deepstream/README.txt says why.",
            soft_wrap=True,
        )
    if not result.manifest.trained:
        console.out.print("The weights are random: speed and formats are real, the results mean nothing.")
    if result.report.failures:
        console.err.print(
            console.styled(f"WARNING: the comparison with {result.report.against} FAILED;", "bold red"),
            "the bundle was written because of --allow-drift, and its manifest says so:",
            soft_wrap=True,
        )
        for failure in result.report.failures:
            console.err.print(f"  {failure}", soft_wrap=True)
    console.out.print(f"Wrote {result.path} in {sum(result.seconds.values()):.0f} s.", soft_wrap=True)
