# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The file that a measurement writes while it goes, so that what was measured outlives a run cut short."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from machine import describe, gpu
from rich.table import Table

from gpu.targets import Target, verdict, word
from pamtri_edge import console
from pamtri_edge.files.atomic import write_atomically

RESULTS = Path(__file__).parents[1] / "results"

Output = Annotated[Path, typer.Option(help="Folder for the result file.")]
Rehearse = Annotated[
    bool,
    typer.Option(
        "--rehearse", help="Run the logic on the CPU with tiny networks; its figures say nothing of a GPU."
    ),
]


class Record:
    """A result file: who measured, on what, what was found, and what it is worth.

    A rehearsal's file says so in its name and its first field.

    Args:
        step: what is measured; the file is `gpu-STEP-DATE.json` (or `cpu-...`).
        folder: where it goes.
        rehearsal: the logic runs on a CPU.
        on_gpu: a GPU is what is measured.
        facts: what else goes to the head of the file.
    """

    def __init__(
        self, step: str, folder: Path, *, rehearsal: bool = False, on_gpu: bool = True, **facts: Any
    ) -> None:
        now = datetime.now(timezone.utc)
        prefix = "rehearsal" if rehearsal else "gpu" if on_gpu else "cpu"
        self.path = folder / f"{prefix}-{step}-{now:%Y-%m-%d-%H%M%S}.json"
        self._rehearsal = rehearsal
        self._targets: list[Target] = []
        self._content: dict[str, Any] = {
            "rehearsal": rehearsal,
            "date": f"{now:%Y-%m-%d}",
            "verdict": "unfinished",
            "targets": [],
            **describe(),
            "gpu": gpu() if on_gpu and not rehearsal else None,
            **facts,
        }
        folder.mkdir(parents=True, exist_ok=True)
        self._write()

    def note(self, **facts: Any) -> None:
        """Add facts, or replace them, and write the file."""
        self._content.update(facts)
        self._write()

    def judge(self, targets: Sequence[Target]) -> None:
        """Add targets that are settled now, and write the file."""
        self._targets += targets
        self._content["targets"] = [asdict(target) for target in self._targets]
        self._write()

    def close(self) -> str:
        """Write the verdict, print the targets and the file's name; return the verdict."""
        result = verdict(self._targets, rehearsal=self._rehearsal)
        self.note(verdict=result)
        table = Table("target", "found", "")
        for target in self._targets:
            table.add_row(target.what, target.found, word(target.met))
        console.out.print(table)
        if self._rehearsal:
            console.out.print("A rehearsal on the CPU: none of these figures is one of a GPU.")
        console.out.print(f"written: {self.path}")
        return result

    def _write(self) -> None:
        write_atomically(self.path, (json.dumps(self._content, indent=2) + "\n").encode())
