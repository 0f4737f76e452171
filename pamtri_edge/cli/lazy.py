# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A group of commands of which only the one that runs is imported.

To import all of them, and to read all of their options, takes longer than most of what a user waits for.
"""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True)
class LazyCommand:
    """Where a command is, and the line that a list of commands has for it.

    Attributes:
        place: "module:name" of a function or of a `typer.Typer`, such as "pamtri_edge.cli.run:run".
        short_help: its line in the list.
        help: name of its help text in the same module; empty where that is the function's docstring.
    """

    place: str
    short_help: str
    help: str = ""

    def load(self, name: str) -> Any:
        """Import it and return the command that it is, under a name."""
        module_name, _, attribute = self.place.partition(":")
        module = import_module(module_name)
        found = getattr(module, attribute)
        app = program()
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
            return typer.main.get_group(app).commands[name]
        app.command(name, help=getattr(module, self.help) if self.help else None)(found)
        return typer.main.get_command(app)


def program(**settings: Any) -> typer.Typer:
    """Return an application as all of ours are: plain text, -h beside --help, no tracebacks of Typer's."""
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        **settings,
    )


def lazy_group(known: Mapping[str, LazyCommand]) -> type[TyperGroup]:
    """Return the class of a group that has these commands, in this order: `typer.Typer(cls=...)`.

    Commands that are registered with the application as usual come after them.
    """

    class Group(TyperGroup):
        def __init__(self, *, commands: Any = None, **settings: Any) -> None:
            lazy: Any = _Commands({**known, **(commands or {})})
            super().__init__(commands=lazy, **settings)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(self.commands)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            rows = [
                (name, known[name].short_help if name in known else self.commands[name].get_short_help_str())
                for name in self.commands
            ]
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    return Group


class _Commands(UserDict[str, Any]):
    """Commands by name, each imported when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        if isinstance(self.data[name], LazyCommand):
            self.data[name] = self.data[name].load(name)
        return self.data[name]
