# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The `pamtri` command itself: help, version, errors without a traceback."""

import logging
import re
import sys
import warnings

import pytest
import typer
from typer.testing import CliRunner

import pamtri_edge
from pamtri_edge import cli
from pamtri_edge.errors import InputError


def test_version_is_the_packages():
    result = CliRunner().invoke(cli.app, ["--version"])
    assert result.exit_code == 0
    assert result.stdout.strip() == f"pamtri-edge {pamtri_edge.__version__}"


def test_no_arguments_shows_the_help_and_where_to_begin():
    result = CliRunner().invoke(cli.app, [])
    for command in ("run", "match", "verify", "synth", "train", "evaluate", "pamtri-export", "pamtri doctor"):
        assert command in " ".join(result.output.split())


def test_an_unknown_command_is_wrong_usage():
    result = CliRunner().invoke(cli.app, ["embedd"])
    assert result.exit_code == 2
    assert "No such command 'embedd'" in result.output


def test_an_error_of_ours_is_one_line_and_exit_code_1(capsys, monkeypatch):
    app = typer.Typer(pretty_exceptions_enable=False)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["pamtri"])

    @app.command()
    def fail() -> None:
        raise InputError("crop 3 has no pixels [shape (0, 4, 3)].")

    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    assert capsys.readouterr() == ("", "error: crop 3 has no pixels [shape (0, 4, 3)].\n")


def test_a_warning_reaches_the_user_without_the_line_of_code_that_gave_it(capsys, monkeypatch):
    app = typer.Typer(callback=cli._common)
    app.command("warn")(lambda: warnings.warn("the bundle is untrained", stacklevel=1))
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["pamtri", "warn"])
    monkeypatch.setattr(logging.root, "handlers", [])  # as a program begins
    warnings.simplefilter("default")
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr()
    assert said.out == ""
    assert re.fullmatch(r"WARNING +the bundle is untrained\s+", said.err)
