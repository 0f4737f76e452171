# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in this process, guarded as the real one is."""

from __future__ import annotations

from typing import Any

import typer
from typer.testing import CliRunner

from pamtri_edge import console


def run_in_process(app: typer.Typer, *arguments: Any, columns: int | None = None) -> tuple[int, str, str]:
    """Return the exit code, what was printed and the messages of a command.

    Args:
        app: the command.
        arguments: its words; anything that can be written as one.
        columns: width of the terminal; None for the environment's.
    """
    code = 0
    env = None if columns is None else {"COLUMNS": str(columns)}
    with CliRunner(env=env).isolation() as (out, err, _):
        try:
            console.guarded(lambda: app([str(argument) for argument in arguments], prog_name="pamtri"))
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, out.getvalue().decode(), err.getvalue().decode()
