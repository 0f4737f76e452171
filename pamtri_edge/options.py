# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the options of all commands have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import typer

from pamtri_edge.errors import InputError
from pamtri_edge.printable import printable


def finite(value: float | None) -> float | None:
    """Return the value of an option, which must be a number that there is; a callback for every float.

    Raises:
        typer.BadParameter: it is NaN or infinite: neither is below a limit or above one, so that no other
            check finds it.
    """
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number.")
    return value


def refuse_inputs(output: Path | None, inputs: Iterable[Path | str | None]) -> None:
    """Refuse an output that is one of the inputs, by whatever name: it would be replaced or filled up.

    Raises:
        InputError: it is.
    """
    for given in inputs if output is not None else ():
        with suppress(OSError):  # one of them does not exist, or is no path
            if given is not None and output is not None and output.samefile(given):
                names = f"the output {printable(output)} is the input {printable(given)} too"
                raise InputError(f"{names}; give another --output.")
