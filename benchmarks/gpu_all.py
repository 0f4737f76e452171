# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that needs an NVIDIA GPU, and one table of what came of it: what `make gpu` runs.

`python benchmarks/gpu_all.py` goes on after a step that fails; it ends with 0 only if none did. `--only`
runs single steps; each is a program of its own too.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Annotated

import typer
from gpu.presence import absence
from gpu.record import RESULTS, Output
from gpu.steps import STEPS, Outcome, Step, run_steps
from machine import gpu
from rich.markup import escape
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.errors import InputError, MissingDependencyError


def main(
    only: Annotated[list[str] | None, typer.Option(help="A step; may be given again.")] = None,
    output: Output = RESULTS,
) -> None:
    """Run the steps and print their verdicts."""
    why, _ = absence()
    if why:
        raise MissingDependencyError(f"the GPU measurements need an NVIDIA GPU, and {why}.")
    try:
        about = gpu()
    except Exception as error:  # whatever CuPy or torch makes of a driver that does not suit it
        raise MissingDependencyError(
            f"there is a GPU, but neither CuPy nor torch can use it ({error}): 'make distclean gpu' installs "
            "both for its driver."
        ) from error
    console.out.print(f"{about['name']}, driver: {about['driver']}", soft_wrap=True)
    now = datetime.now(timezone.utc)
    outcomes: list[Outcome] = []
    for outcome in run_steps(
        chosen(only or []), output, announce=lambda text: console.err.rule(escape(text), align="left")
    ):
        outcomes.append(outcome)
        rows = [
            {
                "step": one.step.name,
                "verdict": one.verdict,
                "seconds": round(one.seconds, 1),
                "files": [path.name for path in one.files],
            }
            for one in outcomes
        ]
        summary = {"date": f"{now:%Y-%m-%d}", "gpu": about, "steps": rows}
        path = output / f"gpu-summary-{now:%Y-%m-%d-%H%M%S}.json"
        path.write_text(json.dumps(summary, indent=2) + "\n")
    show(outcomes)
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)


def chosen(names: list[str]) -> list[Step]:
    """Return the steps of these names, in their order; all, if there are none.

    Raises:
        InputError: a name that no step has.
    """
    known = [step.name for step in STEPS]
    if strange := sorted(set(names) - set(known)):
        raise InputError(f"there is no step {', '.join(map(repr, strange))}; accepted: {', '.join(known)}.")
    return [step for step in STEPS if not names or step.name in names]


def show(outcomes: list[Outcome]) -> None:
    """Print the table."""
    table = Table(title="on this GPU", title_justify="left")
    for heading in ("step", "verdict", "minutes", "result"):
        table.add_column(heading, justify="right" if heading == "minutes" else "left")
    for outcome in outcomes:
        color = "green" if outcome.good else "red"
        table.add_row(
            outcome.step.name,
            f"[{color}]{escape(outcome.verdict)}[/]",
            f"{outcome.seconds / 60:.1f}",
            "\n".join(path.name for path in outcome.files),
        )
    console.out.print(table)


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
