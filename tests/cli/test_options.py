# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for the options of every command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from pamtri_edge import cli
from pamtri_edge.export import cli as export_cli


def float_options() -> Iterator[tuple[str, Any, Any]]:
    """Yield a name, the command and the parameter of every option that is a number with a fraction."""
    waiting = [
        ("pamtri", typer.main.get_command(cli.app)),
        ("pamtri-export", typer.main.get_command(export_cli.app)),
    ]
    while waiting:
        name, command = waiting.pop()
        for inner, one in getattr(command, "commands", {}).items():
            waiting.append((f"{name} {inner}", one))
        for parameter in command.params:
            if parameter.type.name.startswith("float"):
                yield f"{name} {parameter.opts[0]}", command, parameter


OPTIONS = {name: (command, parameter) for name, command, parameter in float_options()}


def test_there_are_such_options_in_many_commands():
    assert {name.rpartition(" ")[0] for name in OPTIONS} >= {
        "pamtri run",
        "pamtri match",
        "pamtri train pose",
        "pamtri train reid",
        "pamtri synth scene",
        "pamtri-export",
    }


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("value", ["nan", "-nan", "inf", "-inf", "1e400", "Infinity"])
def test_no_option_takes_what_is_not_a_finite_number(name, value):
    command, parameter = OPTIONS[name]
    context = command.context_class(command)
    with pytest.raises(Exception, match=r"is not a finite number|is not in the range") as caught:
        parameter.process_value(context, value)
    assert hasattr(caught.value, "exit_code"), "a usage error, not a defect"
