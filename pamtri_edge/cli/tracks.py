# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri tracks`: from any file of tracks to one plain table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pamtri_edge import console
from pamtri_edge.cli.shared_options import FirstFrameOption, StreamOption
from pamtri_edge.errors import InputError
from pamtri_edge.options import check_output, refuse_inputs
from pamtri_edge.printable import counted


def tracks(
    path: Annotated[
        Path,
        typer.Argument(
            help="MOTChallenge (and its relatives: VisDrone, UAVDT, nvreplay), KITTI's tracking labels, a "
            "folder as DeepStream or Ultralytics write it, UA-DETRAC's or CVAT's XML, JSON of COCO, "
            "Scalabel, Label Studio or of objects with frame, track id and box."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The table to write, NAME.csv.")],
    classes: Annotated[
        str | None,
        typer.Option(
            help="Classes wanted: names or the file's own numbers, with commas; or all. "
            "[default: vehicles, or all where the file's classes are not known]"
        ),
    ] = None,
    stream: StreamOption = None,
    first_frame: FirstFrameOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a table that is there.")] = False,
) -> None:
    """Write tracks of any layout as one plain table, for the GStreamer element pamtritracks.

    The table has the columns frame (from 0), id, x1, y1, x2, y2 in pixels. What is left out and why is told
    as `pamtri run` tells it.
    """
    from pamtri_edge.tracks import read_tracks
    from pamtri_edge.tracks.sets import write_table

    refuse_inputs(output, [path])
    check_output(output, overwrite=overwrite)
    names = None if classes is None else [one for one in classes.split(",") if one.strip()]
    found = read_tracks(path, stream=stream, classes=names, first_frame=first_frame)
    try:
        write_table(found, output)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error
    console.out.print(
        f"{output}: {counted(len(found), 'box', 'boxes')} of {counted(len(found.ids), 'track')} "
        f"in {counted(len(found.frames), 'frame')}"
    )
