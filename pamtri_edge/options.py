# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the options of all commands have in common."""

from __future__ import annotations

import math

import typer


def finite(value: float | None) -> float | None:
    """Return the value of an option, which must be a number that there is; a callback for every float.

    Raises:
        typer.BadParameter: it is NaN or infinite: neither is below a limit or above one, so that no other
            check finds it.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value
