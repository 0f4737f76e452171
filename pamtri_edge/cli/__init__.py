# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The `pamtri` command. Each subcommand is one file here, imported when it is asked for."""

from __future__ import annotations

import logging
import warnings
from typing import Annotated, Final, TextIO

import typer

from pamtri_edge import console
from pamtri_edge.cli.lazy import LazyCommand, lazy_group, program
from pamtri_edge.version import VERSION

COMMANDS: Final = {
    "run": LazyCommand("pamtri_edge.cli.run:run", "From a video to one event for each vehicle."),
    "embed": LazyCommand("pamtri_edge.cli.embed:embed", "From pictures of vehicles to a file of embeddings."),
    "compare": LazyCommand("pamtri_edge.cli.compare:compare", "Do two pictures show one vehicle?"),
    "match": LazyCommand("pamtri_edge.cli.match:match", "Which vehicle of one camera is which of another."),
    "tracks": LazyCommand("pamtri_edge.cli.tracks:tracks", "From any file of tracks to one plain table."),
    "detector": LazyCommand("pamtri_edge.cli.detector:app", "What pipelines need to know of a detector."),
    "verify": LazyCommand("pamtri_edge.cli.verify:verify", "Does a bundle give here what it promises?"),
    "lint": LazyCommand(
        "pamtri_edge.cli.lint:lint", "What is wrong in a configuration of DeepStream?", help="HELP"
    ),
    "evaluate": LazyCommand(
        "pamtri_edge.cli.evaluate:evaluate", "How well vehicles are found again, and keypoints found."
    ),
    "bench": LazyCommand("pamtri_edge.cli.bench:bench", "How fast a bundle runs on this machine."),
    "doctor": LazyCommand(
        "pamtri_edge.cli.doctor:doctor", "What this machine can run, and how to get the rest."
    ),
    "synth": LazyCommand(
        "pamtri_edge.cli.synth:app", "Draw vehicles with keypoints, colors and types to learn from."
    ),
    "train": LazyCommand("pamtri_edge.cli.train:app", "Train the pose and the re-identification network."),
}

app = program(
    cls=lazy_group(COMMANDS),
    help="Pose-aware vehicle re-identification on traffic cameras.",
    epilog="Bundles of your own weights: pamtri-export. What this machine lacks: pamtri doctor.",
    no_args_is_help=True,
)


def _version(asked: bool) -> None:
    if asked:
        console.out.print(f"pamtri-edge {VERSION}")
        raise typer.Exit


@app.callback()
def _common(
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, help="Say more; twice for debugging.", show_default=False
        ),
    ] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    handler = console.log_handler(show_path=verbose > 1)
    logging.basicConfig(level=level, format="%(message)s", handlers=[handler])
    warnings.showwarning = _one_line


def _one_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning to a user: what it says, not the line of code that says it."""
    logging.getLogger("pamtri_edge").warning("%s", message)


def main() -> None:
    """Run `pamtri`."""
    console.run(app)
