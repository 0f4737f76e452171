# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Of the commands only the one that runs is imported."""

import typer
from typer.testing import CliRunner

from pamtri_edge import cli
from pamtri_edge.cli.lazy import LazyCommand, lazy_group


def test_the_list_of_commands_is_in_the_order_of_work_and_has_a_line_for_each():
    said = CliRunner().invoke(cli.app, ["--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).output
    words = [line.strip().split(maxsplit=1) for line in said.partition("Commands:\n")[2].splitlines()]
    listed = [(one[0], one[1].strip()) for one in words if len(one) == 2 and one[0] in cli.COMMANDS]
    assert listed == [(name, one.short_help) for name, one in cli.COMMANDS.items()]


def test_commands_that_are_registered_as_usual_come_after_them():
    place = "pamtri_edge.cli.doctor:doctor"
    app = typer.Typer(cls=lazy_group({"check": LazyCommand(place, "Look around.")}), rich_markup_mode=None)

    @app.callback()
    def common() -> None:
        """A program."""

    @app.command(short_help="Say hello.")
    def hello() -> None:
        print("good day")

    said = CliRunner().invoke(app, ["--help"]).output
    assert said.index("Look around.") < said.index("Say hello.")
    assert CliRunner().invoke(app, ["hello"]).output == "good day\n"
    assert "Show this message" in CliRunner().invoke(app, ["check", "--help"]).output
    assert "Did you mean" in CliRunner().invoke(app, ["chekc"]).output
