# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every command teaches its use: `--help` works and names and explains every option."""

import pytest
from typer.testing import CliRunner

from our_programs import commands, program

ALL = {" ".join(words): (words, command) for words, command in commands()}


@pytest.mark.parametrize("name", ALL)
def test_help_names_and_explains_every_option(name):
    (first, *words), command = ALL[name]
    wide = {"COLUMNS": "200", "TERMINAL_WIDTH": "200"}  # so that no name is cut
    result = CliRunner().invoke(program(first), [*words, "--help"], env=wide)
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
    names = {name for _, command in ALL.values() for parameter in command.params for name in parameter.opts}
    assert names.isdisjoint({"--out", "--outdir", "--track", "--dev", "--dtype", "--quant", "--model-path"})
