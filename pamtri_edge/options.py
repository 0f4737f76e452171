# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the options of all commands have in common."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import typer

from pamtri_edge.errors import InputError
from pamtri_edge.printable import counted, printable


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


def check_output(
    path: Path | None, *, overwrite: bool, suffixes: Sequence[str] = (), option: str = "--output"
) -> None:
    """Refuse, before any work is done, a file that could not be written at its end.

    Args:
        path: the file; None for one that is not wanted.
        overwrite: whether one that is there may be replaced.
        suffixes: what its name may end in; none for any name.
        option: what names it, for the error.

    Raises:
        typer.BadParameter: its name ends otherwise.
        InputError: it is there, or is a folder, or its own folder is none that can be written.
    """
    if path is None:
        return
    if suffixes and path.suffix not in suffixes:
        raise typer.BadParameter(f"{path} does not end in {' or '.join(suffixes)}.", param_hint=option)
    folder = path.absolute().parent
    if path.is_dir():
        raise InputError(f"{printable(path)} is a folder; give the name of a file.")
    if os.path.lexists(path) and not overwrite:
        raise InputError(f"{printable(path)} exists; give another name, or --overwrite to replace it.")
    if not folder.is_dir():
        raise InputError(f"there is no folder {printable(folder)} for {option}; make it first.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"the folder {printable(folder)} cannot be written.")


def check_count(option: str, values: Sequence[object] | None, things: Sequence[object], noun: str) -> None:
    """Refuse an option that is given, but not once for each of some things, which are called `noun`.

    Raises:
        typer.BadParameter: it is.
    """
    if values and len(values) != len(things):
        raise typer.BadParameter(
            f"it is given {counted(len(values), 'time')} for {counted(len(things), noun)}; give it once for "
            "each, in their order.",
            param_hint=option,
        )


def numbers_of_types(text: str, option: str, what: str, example: str) -> dict[str, float]:
    """Return types and their numbers, given as NAME=NUMBER,...; which there are, others know.

    Args:
        text: what was given.
        option: the option, for the error.
        what: what the number is called there.
        example: how it is written, for the error.

    Raises:
        typer.BadParameter: it is not written so.
    """
    numbers: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, number = (one.strip() for one in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or name in numbers:
            raise typer.BadParameter(
                f"{part!r} is not a type with its {what}, once each; write {example}.", param_hint=option
            )
        numbers[name] = value
    return numbers
