# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What holds for the options of every command."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
import typer

from our_programs import commands, program
from pamtri_edge.errors import InputError
from pamtri_edge.options import finite, refuse_inputs


def float_options() -> Iterator[tuple[str, list[str]]]:
    """Yield every option that is a number with a fraction: a name, and the words up to it."""
    for words, command in commands():
        function = inspect.unwrap(command.callback) if command.callback else None
        for name, hint in get_type_hints(function, include_extras=True).items() if function else ():
            if _names_float(hint):
                option = [*words, f"--{name.replace('_', '-')}"]
                yield " ".join(option), option


def _names_float(hint: Any) -> bool:
    """Tell whether a type is float, or one of its parts: Python 3.10 has `| None` around Annotated."""
    return hint is float or any(_names_float(part) for part in get_args(hint))


OPTIONS = dict(float_options())


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
def test_no_option_takes_what_is_not_a_number(name):
    first, *words = OPTIONS[name]
    root: Any = typer.main.get_command(program(first))
    with pytest.raises(Exception, match=r"is not a finite number|is not in the range|or equal to") as caught:
        root.main([*words[:-1], f"{words[-1]}=nan"], prog_name="pamtri", standalone_mode=False)
    assert getattr(caught.value, "exit_code", None) == 2, "a usage error, not a defect"


def test_what_such_an_option_takes_is_finite():
    for value in (-float("inf"), float("inf")):
        with pytest.raises(typer.BadParameter, match="is not a finite number"):
            finite(value)
    assert (finite(0.5), finite(None)) == (0.5, None)


def test_an_output_that_is_an_input_is_refused_by_whatever_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    for output, given in (("a", "a"), ("a", "b"), ("b", "a"), ("a/../a", "a")):
        with pytest.raises(InputError, match=r"is the input .* too; give another --output"):
            refuse_inputs(tmp_path / output, [None, "rtsp://camera/x", tmp_path / given])
    refuse_inputs(tmp_path / "c", [tmp_path / "a", tmp_path / "absent", "0"])
    refuse_inputs(None, [tmp_path / "a"])
