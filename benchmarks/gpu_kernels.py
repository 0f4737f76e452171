# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How close the CUDA operations come to a copy: bandwidth against a device-to-device copy of as many bytes.

`python benchmarks/gpu_kernels.py` measures every operation twice: on a batch so large that at least 512 MB
must be read and written, and on one of 16 vehicles, as a pipeline has it. The copy beside it is a
`cudaMemcpyAsync` that moves the same number of bytes, half of them read and half written. Both are timed with
CUDA events, one call at a time, after the device's caches were written through; they alternate in rounds, and
the ratio is taken within a round (see `gpu/clocks.py` and `pairing.py`). Only bytes that cannot be done
without are counted (`gpu/traffic.py`). Results are checked against `ops.reference` first.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import typer
from gpu.memories import Memory, open_memory
from gpu.operations import Case, Prepared, cases
from gpu.record import RESULTS, Output, Record, Rehearse
from gpu.rounds import interleave
from gpu.targets import Target, exit_code, word
from pairing import Ratio, median_wall, paired_ratio
from rich.table import Table

from pamtri_edge import console

TARGET = 0.75
"""Least share of a copy's bandwidth that decode and stack must reach on large batches."""
JUDGED = ("decode", "stack")
LARGE = 512 * 10**6
"""Bytes that a large batch must move at least."""
SMALL = 16
"""Vehicles of a small batch."""
REHEARSED = 2
"""Vehicles of both batches in a rehearsal."""


def main(
    only: Annotated[str, typer.Option(help="Measure only cases whose name holds this word.")] = "",
    rounds: Annotated[int, typer.Option(min=3, help="Rounds for each case.")] = 15,
    block: Annotated[float, typer.Option(help="Seconds of a block in a round.")] = 0.01,
    seed: Annotated[int | None, typer.Option(help="Of the inputs. [default: another each time]")] = None,
    output: Output = RESULTS,
    rehearse: Rehearse = False,
) -> None:
    """Print time and bandwidth of every operation, beside a copy's."""
    memory = open_memory(rehearsal=rehearse)
    drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    record = Record(
        "kernels", output, rehearsal=rehearse, seed=drawn, rounds=rounds, large=LARGE, small=SMALL
    )
    rows: list[dict[str, Any]] = []
    with memory.current():
        for case in chosen(memory, only):
            console.err.print(case.name)
            for vehicles in (REHEARSED,) if rehearse else (-(-LARGE // case.each), SMALL):
                rng = np.random.default_rng([drawn, len(rows)])
                rows.append(measured(memory, case, vehicles, rng, rounds=rounds, block=block))
                record.note(rows=rows)
                memory.release()
    show(rows)
    operations = {case.operation for case in chosen(memory, only)}
    record.judge(targets(rows, operations, large=0 if rehearse else LARGE))
    sys.exit(exit_code(record.close()))


def chosen(memory: Memory, only: str) -> list[Case]:
    """Return the cases whose name holds a word and whose dtypes the memory's operations take."""
    return [case for case in cases() if only in case.name and case.dtypes <= set(memory.dtypes)]


def measured(
    memory: Memory, case: Case, vehicles: int, rng: np.random.Generator, *, rounds: int, block: float
) -> dict[str, Any]:
    """Check a case on a batch of so many vehicles, then time it and a copy of as many bytes."""
    row: dict[str, Any] = {"case": case.name, "operation": case.operation, "vehicles": vehicles}
    prepared = case.prepare(memory, vehicles, rng)
    row.update({"read": prepared.traffic.read, "written": prepared.traffic.written})
    try:
        row["off"] = prepared.check()
    except Exception as error:  # the other cases are still worth measuring
        return {**row, "failure": f"{type(error).__name__}: {error}"}
    return {**row, **timed(memory, prepared, rounds=rounds, block=block)}


def timed(memory: Memory, prepared: Prepared, *, rounds: int, block: float) -> dict[str, Any]:
    """Time an operation and its copy; return seconds, bytes a second, and the share of the copy's."""
    moved = prepared.traffic.total
    subjects = {"operation": prepared.call, "copy": memory.copy(moved // 2)}
    blocks = interleave(subjects, clock=memory.clock, rounds=rounds, block=block)
    return {
        "seconds": median_wall(blocks["operation"]),
        "copy_seconds": median_wall(blocks["copy"]),
        "bytes_per_second": moved / median_wall(blocks["operation"]),
        "copy_bytes_per_second": moved / median_wall(blocks["copy"]),
        "share_of_copy": asdict(paired_ratio(blocks["copy"], blocks["operation"])),
    }


def targets(rows: list[dict[str, Any]], operations: Collection[str], *, large: int) -> list[Target]:
    """Return what the large batches were held against: the reference's results, and the bandwidth.

    Args:
        rows: of `measured`.
        operations: which were to be measured.
        large: bytes that a batch must move for its bandwidth to be judged.
    """
    failed = [f"{row['case']}, {row['vehicles']}: {row['failure']}" for row in rows if "failure" in row]
    right = Target(
        "every result is the reference's",
        "; ".join(failed) or f"{len(rows)} of {len(rows)}",
        not failed if rows else None,
    )
    judged = [right]
    for operation in (operation for operation in JUDGED if operation in operations):
        shares = {
            row["case"]: row["share_of_copy"]["median"]
            for row in rows
            if row["operation"] == operation
            and row["read"] + row["written"] >= large
            and "share_of_copy" in row
        }
        worst = min(shares, key=lambda name: shares[name], default="")
        judged.append(
            Target(
                f"{operation}: at least {TARGET:.0%} of a copy's bandwidth, in every case",
                f"least {shares[worst]:.0%} ({worst})" if shares else "no case was measured",
                shares[worst] >= TARGET if shares else None,
                timed=True,
            )
        )
    return judged


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    table = Table(
        "case", "vehicles", "MB", "µs", "GB/s", "copy GB/s", "share of the copy [95 %]", "largest error"
    )
    for row in rows:
        moved = row["read"] + row["written"]
        head = (row["case"], str(row["vehicles"]), f"{moved / 1e6:.1f}")
        if "failure" in row:
            table.add_row(*head, "", "", "", console.styled("failed", "red"), row["failure"])
            continue
        share = Ratio(**row["share_of_copy"])
        verdict = ""
        if row["operation"] in JUDGED and moved >= LARGE:
            verdict = f" {word(share.median >= TARGET)}"
        table.add_row(
            *head,
            f"{row['seconds'] * 1e6:.1f}",
            f"{row['bytes_per_second'] / 1e9:.0f}",
            f"{row['copy_bytes_per_second'] / 1e9:.0f}",
            f"{share}{verdict}",
            f"{row['off']:.1e}",
        )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
