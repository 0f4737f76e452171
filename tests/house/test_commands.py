# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every command teaches its use: `--help` works and names and explains every option."""

import importlib

import pytest
import typer
from typer.testing import CliRunner

PROGRAMS = {"pamtri": "pamtri_edge.cli", "pamtri-export": "pamtri_edge.export.cli"}


def commands():
    """Yield (how it is called, the program's app, arguments before --help, click's command)."""
    for program, module in PROGRAMS.items():
        app = importlib.import_module(module).app
        for words, command in below([], typer.main.get_command(app)):
            yield " ".join([program, *words]), app, words, command


def below(words, command):
    """Yield a command and all that are below it, each with the words that lead to it."""
    yield words, command
    for name, subcommand in getattr(command, "commands", {}).items():
        yield from below([*words, name], subcommand)


ALL = list(commands())


@pytest.mark.parametrize(
    ("app", "arguments", "command"), [row[1:] for row in ALL], ids=[row[0] for row in ALL]
)
def test_help_names_and_explains_every_option(app, arguments, command):
    # Wide, so that no name is cut.
    result = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert result.exit_code == 0
    assert result.stderr == ""
    assert command.help
    for parameter in command.params:
        for name in parameter.opts:
            assert not name.startswith("-") or name in result.stdout
        if parameter.name != "help" and not getattr(parameter, "hidden", False):
            assert getattr(parameter, "help", None), f"{parameter.name} has no help"


def test_one_thing_has_one_name_in_every_command():
    """The same word everywhere: no --out beside --output, no --track beside --tracks."""
    names = {name for *_, command in ALL for parameter in command.params for name in parameter.opts}
    assert names.isdisjoint({"--out", "--outdir", "--track", "--dev", "--dtype", "--quant", "--model-path"})
