# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How long a user waits before anything happens: `pamtri --help`, and `Reidentifier.load()`.

`python benchmarks/startup.py [--bundle NAME.pamtri]` starts each in processes of their own, in turns. Loading
is measured without the cache of compiled networks, when it is filled, and when it is full. Processor time is
user and system together; the targets are judged by it, since starting is the work of one thread nearly
throughout, and a busy machine stretches the time on the wall.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from machine import Others, describe
from rich.table import Table
from saving import save_result

from pamtri_edge import console
from pamtri_edge.bundle import default_bundle
from pamtri_edge.runtime.compiled_cache import FOLDER, OFF_VARIABLE

_LOAD = "import sys; from pamtri_edge import Reidentifier; Reidentifier.load(sys.argv[1], backend='openvino')"
HELP, WARM = "pamtri --help", "load(), compiled network kept"
COLD, FILLING = "load(), no cache", "load(), which keeps it"
TARGETS = {HELP: 0.3, WARM: 1.0}
"""Seconds at most."""


@dataclass(frozen=True)
class Started:
    """One process: seconds on the wall, and of processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Row:
    """The medians of one kind of process, in seconds."""

    name: str
    wall: float
    cpu: float
    target: float | None


def main(
    bundle: Annotated[Path | None, typer.Option(help="The bundle that is loaded. [default: lite]")] = None,
    rounds: Annotated[int, typer.Option(min=3, help="Processes of each kind.")] = 7,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print how long programs take to start on this machine."""
    path = bundle or default_bundle()
    others = Others()
    with tempfile.TemporaryDirectory() as folder, others:
        measured = _measure(path, Path(folder), rounds)
    rows = [
        Row(name, median(one.wall for one in runs), median(one.cpu for one in runs), TARGETS.get(name))
        for name, runs in measured.items()
    ]
    about = describe()
    _show(rows, f"{about['processor']}, {path.name}")
    if others.share is not None:
        console.err.print(f"other programs took {others.share:.0%} of the processors meanwhile")
    if save:
        record = {"bundle": path.name, "rounds": rounds, "others": others.share}
        save_result("startup", {**about, **record, "rows": [asdict(row) for row in rows]})


def _measure(bundle: Path, folder: Path, rounds: int) -> dict[str, list[Started]]:
    python = [sys.executable, "-c"]
    program = "import sys; sys.argv = ['pamtri', '--help']; from pamtri_edge.cli import main; main()"
    load = [*python, _LOAD, str(bundle)]
    cached = {"PAMTRI_CACHE": str(folder), OFF_VARIABLE: "0"}
    kinds: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
        "python alone": ([*python, "pass"], {}),
        HELP: ([*python, program], {}),
        "import of Reidentifier": ([*python, "from pamtri_edge import Reidentifier"], {}),
        COLD: (load, {OFF_VARIABLE: "1"}),
        FILLING: (load, cached),
        WARM: (load, cached),
    }
    measured: dict[str, list[Started]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for kept in (folder / FOLDER).glob("*"):
            kept.unlink()
        for name, (words, variables) in kinds.items():
            measured[name].append(_start(words, variables))
    return measured


def _start(words: Sequence[str], variables: Mapping[str, str]) -> Started:
    begin = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env={**os.environ, **variables})
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
    return Started(wall, usage.ru_utime + usage.ru_stime)


def _show(rows: Sequence[Row], title: str) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("wall s", "processor s", "target s"):
        table.add_column(heading, justify="right")
    for row in rows:
        verdict = (
            "" if row.target is None else f"{row.target:g} {'met' if row.cpu < row.target else 'missed'}"
        )
        table.add_row(row.name, f"{row.wall:.2f}", f"{row.cpu:.2f}", verdict)
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
