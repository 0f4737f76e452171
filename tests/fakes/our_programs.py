# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our programs and all of their commands, as a user calls them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer

PROGRAMS = {"pamtri": "pamtri_edge.cli", "pamtri-export": "pamtri_edge.export.cli"}


def program(name: str) -> typer.Typer:
    """Return the application of a program."""
    app: typer.Typer = import_module(PROGRAMS[name]).app
    return app


def commands() -> Iterator[tuple[list[str], Any]]:
    """Yield the words that lead to every command, the program's name first, and what typer makes of it."""
    for name in PROGRAMS:
        yield from _below([name], typer.main.get_command(program(name)))


def _below(words: list[str], command: Any) -> Iterator[tuple[list[str], Any]]:
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _below([*words, name], one)
