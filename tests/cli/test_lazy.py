# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Of the commands only the one that runs is imported."""

import json
import subprocess
import sys

import typer
from typer.testing import CliRunner

from pamtri_edge import cli
from pamtri_edge.cli.lazy import LazyCommand, lazy_group

CALLS = (
    (["--help"], []),
    (["--version"], []),
    ([], []),
    (["embedd"], []),
    (["doctor", "--help"], ["pamtri_edge.cli.doctor"]),
    (["-v", "train", "pose", "--help"], ["pamtri_edge.cli.train"]),
)
"""Arguments, and the modules of commands that they import."""


def test_only_the_command_that_runs_is_imported():
    code = (
        "import json, sys\nfrom contextlib import suppress\nfrom pamtri_edge.cli import COMMANDS, main\n"
        "places, after = {one.place.partition(':')[0] for one in COMMANDS.values()}, []\n"
        f"for arguments in {[arguments for arguments, _ in CALLS]!r}:\n"
        "    there = set(sys.modules)\n    sys.argv = ['pamtri', *arguments]\n"
        "    with suppress(SystemExit):\n        main()\n"
        "    after.append(sorted(places & set(sys.modules) - there))\n"
        "print(json.dumps(after))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout.splitlines()[-1]) == [modules for _, modules in CALLS]


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
