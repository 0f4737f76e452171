# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is all there that the measurements need, and does every kernel run once: asked before anything is timed.

`python benchmarks/gpu_probe.py` notes the versions, what is there of compilers, profilers and TensorRT, and
how large a launch of each kernel errs from `ops.reference`. `gpu_ncu.py` runs it under the profiler, with
batches that fill a GPU (`--vehicles`).
"""

from __future__ import annotations

import sys
from typing import Annotated, Any

import numpy as np
import typer
from gpu.memories import open_memory
from gpu.operations import cases
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.targets import Target, exit_code
from gpu.toolkit import find_tool
from rich.table import Table

from pamtri_edge import console, ops
from pamtri_edge.runtime.tensorrt.library import installed_flavours

TOOLS = ("nvcc", "ncu", "compute-sanitizer")


def main(
    vehicles: Annotated[int, typer.Option(min=1, help="Vehicles of a batch.")] = 1,
    output: Output = RESULTS,
    rehearse: Rehearse = False,
) -> None:
    """Launch every kernel once and print what came of it."""
    memory = open_memory(rehearsal=rehearse)
    record = Record(
        "probe",
        output,
        rehearsal=rehearse,
        tools={name: find_tool(name) or None for name in TOOLS},
        tensorrt=installed_flavours(),
        operations_on_the_host=ops.implementation(),
    )
    rows: list[dict[str, Any]] = []
    table = Table("case", "largest error", "")
    with memory.current():
        for number, case in enumerate(cases()):
            if not case.dtypes <= set(memory.dtypes):
                continue
            row: dict[str, Any] = {"case": case.name, "vehicles": vehicles}
            try:
                row["off"] = case.prepare(memory, vehicles, np.random.default_rng(number)).check()
            except Exception as error:  # whatever one kernel does, the others are asked too
                row["failure"] = f"{type(error).__name__}: {error}"
            rows.append(row)
            record.note(rows=rows)
            memory.release()
            table.add_row(case.name, f"{row['off']:.1e}" if "off" in row else "", row.get("failure", ""))
    console.out.print(table)
    failed = [f"{row['case']}: {row['failure']}" for row in rows if "failure" in row]
    found = "; ".join(failed) or f"{len(rows)} of {len(rows)}"
    record.judge([Target("every kernel runs and gives the reference's result", found, not failed)])
    sys.exit(exit_code(record.close()))


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
