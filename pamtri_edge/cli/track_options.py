# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The options of every command that reads tracks."""

from __future__ import annotations

from typing import Annotated

import typer

StreamOption = Annotated[
    str | None,
    typer.Option(help="Of a folder of tracks with several streams, the one to use, such as 00_001."),
]
FirstFrameOption = Annotated[
    int | None,
    typer.Option(
        help="Number that the tracks give to the first frame: 0 or 1. [default: their layout's own]",
        show_default=False,
    ),
]
