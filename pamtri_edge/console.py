# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the command-line programs share: the terminal, progress bars, and errors without a traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pamtri_edge.errors import PamtriError

out: Final = Console(highlight=False)
"""Results: what a script may read."""

err: Final = Console(stderr=True, highlight=False)
"""Progress, warnings and errors."""


def progress(unit: str = "") -> Progress:
    """Return a progress bar with count, time spent and time left, on standard error.

    Tasks may set the field `note` (a short text at the end of the line), such as the current rate.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=err,
        transient=False,
    )


def guarded(program: Callable[[], None]) -> None:
    """Run a program; turn what it raises on purpose into one readable line and an exit code.

    Exit codes: 0 done, 1 refused or failed (`PamtriError`), 2 wrong usage (from the argument parser),
    130 interrupted.
    """
    try:
        program()
    except PamtriError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(130)
