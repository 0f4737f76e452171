# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Options of several commands: which bundle runs and on what, and how tracks are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

BundleOption = Annotated[
    Path | None,
    typer.Option(
        help="The bundle, NAME.pamtri. [default: $PAMTRI_BUNDLE, else the trained one that comes along]"
    ),
]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="CPU threads of the networks. [default: all]")]
DeviceOption = Annotated[str, typer.Option(help="Where the network runs: auto, cpu, cuda, cuda:N.")]
BackendOption = Annotated[str, typer.Option(help="What runs the network: auto, openvino, tensorrt, torch.")]
BuildOption = Annotated[
    bool,
    typer.Option(
        "--build/--no-build",
        help="Build the engine that TensorRT needs for this GPU, where none is cached: takes minutes.",
    ),
]
StreamOption = Annotated[
    str | None,
    typer.Option(help="Of a folder of tracks with several streams, the one to use, such as 00_001."),
]
FirstFrameOption = Annotated[
    int | None,
    typer.Option(
        help="Number that the tracks give to the first frame: 0 or 1. [default: their layout's own]"
    ),
]
