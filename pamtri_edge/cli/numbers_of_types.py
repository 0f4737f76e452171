# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""An option that gives types a number each, such as truck=0.35,bus=0.25."""

from __future__ import annotations

import math

import typer


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
                f"{part!r} is not a type with its {what}, once each; write {example}.",
                param_hint=option,
            )
        numbers[name] = value
    return numbers
