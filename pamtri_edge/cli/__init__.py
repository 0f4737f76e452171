# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The `pamtri` command. Each subcommand is one file here that imports what is heavy inside its function."""

from __future__ import annotations

import logging
import warnings
from typing import Annotated, TextIO

import typer

from pamtri_edge import __version__, console
from pamtri_edge.cli.bench import bench
from pamtri_edge.cli.compare import compare
from pamtri_edge.cli.doctor import doctor
from pamtri_edge.cli.embed import embed
from pamtri_edge.cli.evaluate import evaluate
from pamtri_edge.cli.lint import HELP as LINT_HELP
from pamtri_edge.cli.lint import lint
from pamtri_edge.cli.match import match
from pamtri_edge.cli.run import run
from pamtri_edge.cli.synth import app as synth
from pamtri_edge.cli.tracks import tracks
from pamtri_edge.cli.train import app as train
from pamtri_edge.cli.verify import verify

app = typer.Typer(
    help="Pose-aware vehicle re-identification on traffic cameras.",
    epilog="Bundles of your own weights: pamtri-export. What this machine lacks: pamtri doctor.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(short_help="From a video to one event for each vehicle.")(run)
app.command(short_help="From pictures of vehicles to a file of embeddings.")(embed)
app.command(short_help="Do two pictures show one vehicle?")(compare)
app.command(short_help="Which vehicle of one camera is which of another.")(match)
app.command(short_help="From any file of tracks to one plain table.")(tracks)
app.command(short_help="Does a bundle give here what it promises?")(verify)
app.command(help=LINT_HELP, short_help="What is wrong in a configuration of DeepStream?")(lint)
app.add_typer(synth, name="synth", short_help="Draw vehicles with keypoints, colors and types to learn from.")
app.add_typer(train, name="train", short_help="Train the pose and the re-identification network.")
app.command(short_help="How well vehicles are found again, and keypoints found.")(evaluate)
app.command(short_help="How fast a bundle runs on this machine.")(bench)
app.command(short_help="What this machine can run, and how to get the rest.")(doctor)


def _version(asked: bool) -> None:
    if asked:
        console.out.print(f"pamtri-edge {__version__}")
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
