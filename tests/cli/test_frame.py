# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The `pamtri` command itself: help, version, errors without a traceback."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

import pamtri_edge
from pamtri_edge import cli, console
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


@pytest.fixture
def failing_command(monkeypatch):
    """Run a command that raises, through main(), as the shell would."""
    app = typer.Typer(pretty_exceptions_enable=False)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["pamtri"])

    def run(error: BaseException) -> int:
        @app.command()
        def fail() -> None:
            raise error

        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0)

    return run


def test_an_error_of_ours_is_one_line_and_exit_code_1(failing_command, capsys, monkeypatch):
    assert failing_command(InputError("crop 3 has no pixels [shape (0, 4, 3)].")) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "error: crop 3 has no pixels [shape (0, 4, 3)].\n"


def test_an_interruption_is_exit_code_130(failing_command):
    assert failing_command(KeyboardInterrupt()) == 130


def test_an_error_that_is_not_ours_keeps_its_traceback(monkeypatch):
    with pytest.raises(ZeroDivisionError):
        console.guarded(lambda: 1 // 0)


def test_a_warning_reaches_the_user_without_the_line_of_code_that_gave_it():
    code = (
        "import warnings; from typer.testing import CliRunner; from pamtri_edge import cli\n"
        "@cli.app.command()\n"
        "def warn(): warnings.warn('the bundle is untrained')\n"
        "import sys; sys.argv = ['pamtri', 'warn']; cli.main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the bundle is untrained" in result.stderr
    assert "UserWarning" not in result.stderr
    assert result.stdout == ""
