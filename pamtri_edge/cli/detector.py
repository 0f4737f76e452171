# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri detector`: what pipelines need to know of a detector's network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pamtri_edge import console
from pamtri_edge.cli.lazy import program
from pamtri_edge.errors import InputError
from pamtri_edge.options import check_output, refuse_inputs

app = program(help="Detectors' networks, for pipelines.", no_args_is_help=True)


@app.callback()
def _detector() -> None:
    """Detectors' networks, for pipelines."""


@app.command(short_help="Write how a network is fed and read.")
def describe(
    model: Annotated[
        Path,
        typer.Argument(
            help="A detector's network (.onnx), of any layout that `pamtri run --detector` takes."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The description to write. The network must lie beside it. [default: NAME.detector.json "
            "beside the network]",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a description that is there.")] = False,
) -> None:
    """Write how a detector's network is fed and read, for the GStreamer element pamtridetect.

    `pamtri run` decides the layout from the graph when it starts. The element needs no Python: it reads
    NAME.detector.json beside NAME.onnx: the layout, the size and form of the picture, the classes with their
    names, which of them are vehicles, and the checksum of the network that this is true of.
    """
    from pamtri_edge.video.detect.description import describe as found_in
    from pamtri_edge.video.detect.description import description_path, write_description

    path = description_path(model) if output is None else output
    refuse_inputs(path, [model])
    check_output(path, overwrite=overwrite)
    if path.absolute().parent.resolve() != model.absolute().parent.resolve():
        raise InputError(
            f"{path} is in another folder than {model}; the network must lie beside its description."
        )
    description, notice = found_in(model)
    write_description(description, path)
    console.out.print(f"{path}: {notice}")
