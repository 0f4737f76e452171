# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What NVIDIA's profiler says of our kernels: `ncu --csv` over one launch of each.

`python benchmarks/gpu_ncu.py` runs `gpu_probe.py` under Nsight Compute with batches that fill a GPU, keeps
its table, and prints time and bytes of each launch. Where there is no ncu, or it may not read the counters,
it says so and ends with 77.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from gpu.record import RESULTS, Output, Record
from gpu.stages import ROOT, environment
from gpu.targets import SKIPPED_CODE, Target, exit_code
from gpu.toolkit import find_tool
from rich.table import Table

from pamtri_edge import console

METRICS = (
    "gpu__time_duration.sum",
    "dram__bytes_read.sum",
    "dram__bytes_write.sum",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed",
    "sm__warps_active.avg.pct_of_peak_sustained_active",
    "launch__registers_per_thread",
)
FORBIDDEN = "ERR_NVGPUCTRPERM"
"""What ncu says where only the administrator may read the GPU's counters."""


def main(
    vehicles: Annotated[int, typer.Option(min=1, help="Vehicles of a batch.")] = 64,
    profiler: Annotated[str, typer.Option(help="The program. [default: the one found]")] = "",
    minutes: Annotated[float, typer.Option(help="Stop after so many minutes.")] = 5.0,
    output: Output = RESULTS,
) -> None:
    """Profile one launch of every kernel."""
    program = profiler or find_tool("ncu")
    if not program:
        console.err.print("skipped: there is no ncu; it comes with the CUDA toolkit.")
        sys.exit(SKIPPED_CODE)
    record = Record("ncu", output, profiler=program, vehicles=vehicles)
    log = record.path.with_suffix(".csv")
    said = profiled(program, vehicles, log, output, seconds=60 * minutes)
    text = log.read_text(errors="replace") if log.is_file() else ""
    if FORBIDDEN in said or FORBIDDEN in text:
        record.note(verdict="skipped", why="the GPU's counters may not be read")
        console.err.print("skipped: ncu may not read the GPU's counters.")
        sys.exit(SKIPPED_CODE)
    rows = launches(text)
    record.note(rows=rows, table=log.name, said=said[-2000:])
    show(rows)
    record.judge([Target("every launch was profiled", f"{len(rows)} launches", bool(rows))])
    sys.exit(exit_code(record.close()))


def profiled(program: str, vehicles: int, log: Path, output: Path, *, seconds: float) -> str:
    """Run the probe under the profiler; return what both said."""
    command = [program, "--csv", "--log-file", str(log), "--target-processes", "all"]
    command += ["--kernel-name", "regex:^pamtri_", "--metrics", ",".join(METRICS)]
    command += [sys.executable, "benchmarks/gpu_probe.py", "--vehicles", str(vehicles)]
    try:
        done = subprocess.run(
            [*command, "--output", str(output.resolve())],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as stopped:  # what it has written until then is read all the same
        return (stopped.output or b"").decode(errors="replace")
    return done.stdout.decode(errors="replace")


def launches(text: str) -> list[dict[str, Any]]:
    """Return a row for each launch of ncu's table, which has one for each metric of it."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith('"ID"')), None)
    rows: dict[str, dict[str, Any]] = {}
    for line in csv.DictReader(lines[start:] if start is not None else []):
        row = rows.setdefault(line["ID"], {"kernel": line["Kernel Name"], "grid": line["Grid Size"]})
        row[line["Metric Name"]] = f"{line['Metric Value']} {line['Metric Unit']}".strip()
    return list(rows.values())


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    table = Table("kernel", "grid", *(metric.split(".")[0] for metric in METRICS))
    for row in rows:
        table.add_row(row["kernel"], row["grid"], *(str(row.get(metric, "")) for metric in METRICS))
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
