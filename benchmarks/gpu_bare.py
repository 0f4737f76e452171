# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that needs an NVIDIA GPU, nine minutes at a time, on a machine that has nothing of ours.

`python3 benchmarks/gpu_bare.py --stage probe --output DIR` needs this repository and numpy, cv2, torch, onnx,
cupy, typer, rich, safetensors, pytest and hypothesis: nothing is installed, nothing comes from a network, and
the package is used where it lies. `make gpu` is all stages in an environment that it makes first. With little
time the order is probe, ops, kernels, e2e-8; the rest follows in the order of `--list`.

Every program writes its file after every row, and a stage ends itself after 540 seconds: what was measured
until then is there. The exit code is 0 if all targets are met, 1 if one is missed or something failed, 77 if
there was nothing to run on. `--rehearse` runs every stage on a CPU, with small networks and what stands for
a GPU in the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import typer  # noqa: E402
from gpu.presence import absence  # noqa: E402
from gpu.record import RESULTS, Output  # noqa: E402
from gpu.stages import STAGES, Outcome, Stage, Summary, run_stage  # noqa: E402
from gpu.targets import MISSED, PASSED, SKIPPED, SKIPPED_CODE, exit_code  # noqa: E402
from rich.table import Table  # noqa: E402

from pamtri_edge import console  # noqa: E402
from pamtri_edge.errors import InputError  # noqa: E402


def main(
    stage: Annotated[
        list[str] | None, typer.Option(help="A stage; may be given again. [default: all]")
    ] = None,
    output: Output = RESULTS,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Run the stages on a CPU; no figure is one of a GPU.")
    ] = False,
    show_stages: Annotated[bool, typer.Option("--list", help="Print the stages and end.")] = False,
) -> None:
    """Run stages and print what came of them."""
    stages = chosen(stage or [])
    if show_stages:
        console.out.print(_listed(stages))
        return
    why, _ = ("", 0) if rehearse else absence()
    if why:
        console.err.print(f"skipped: the stages need an NVIDIA GPU, and {why}.")
        sys.exit(SKIPPED_CODE)
    done: list[tuple[Stage, list[Outcome], str]] = []
    for one in stages:
        summary = Summary(one, output, rehearse=rehearse)
        outcomes: list[Outcome] = []
        for outcome in run_stage(
            one, output, rehearse=rehearse, announce=lambda text: console.err.rule(text, align="left")
        ):
            outcomes.append(outcome)
            summary.add(outcome)
        done.append((one, outcomes, summary.close(outcomes)))
        console.out.print(f"written: {summary.path}")
    show(done)
    sys.exit(exit_code(overall([verdict for _, _, verdict in done])))


def chosen(names: list[str]) -> list[Stage]:
    """Return the stages of these names, in their order; all, if there are none.

    Raises:
        InputError: a name that no stage has.
    """
    known = [stage.name for stage in STAGES]
    if strange := sorted(set(names) - set(known)):
        raise InputError(f"there is no stage {', '.join(map(repr, strange))}; accepted: {', '.join(known)}.")
    return [stage for stage in STAGES if not names or stage.name in names]


def overall(verdicts: list[str]) -> str:
    """Return the verdict on several stages: missed if one is, skipped if all are."""
    if set(verdicts) == {SKIPPED}:
        return SKIPPED
    return PASSED if set(verdicts) <= {PASSED, SKIPPED} else MISSED


def show(done: list[tuple[Stage, list[Outcome], str]]) -> None:
    """Print the table."""
    table = Table("stage", "step", "verdict", "seconds", "result")
    for stage, outcomes, _ in done:
        for outcome in outcomes:
            color = "green" if outcome.good else "red"
            table.add_row(
                stage.name,
                outcome.step,
                console.styled(outcome.verdict, color),
                f"{outcome.seconds:.0f}",
                "\n".join(outcome.files),
            )
    console.out.print(table)


def _listed(stages: list[Stage]) -> Table:
    table = Table("stage", "minutes", "what")
    for stage in stages:
        table.add_row(stage.name, str(stage.minutes), stage.what)
    return table


if __name__ == "__main__":
    console.guarded(lambda: typer.run(main))
