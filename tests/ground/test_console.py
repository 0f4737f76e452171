# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Errors without a traceback, results on standard output, the rest on standard error."""

import pytest

from pamtri_edge import console, errors


def raising(error):
    def program():
        raise error

    return program


def test_a_program_that_ends_well_exits_by_returning():
    ran = []
    assert console.guarded(lambda: ran.append(1)) is None
    assert ran == [1]


@pytest.mark.parametrize(
    "kind",
    [
        errors.PamtriError,
        errors.InputError,
        errors.BundleError,
        errors.CheckpointError,
        errors.ExportError,
        errors.MissingDependencyError,
        errors.SourceError,
    ],
)
def test_every_error_of_ours_is_one_line_on_standard_error_and_exit_code_1(kind, capsys):
    message = "crop [3] of " + 30 * "long " + "path, [bold]not markup[/]"
    with pytest.raises(SystemExit) as stop:
        console.guarded(raising(kind(message)))
    assert stop.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: {message}\n"


def test_an_interruption_is_exit_code_130(capsys):
    with pytest.raises(SystemExit) as stop:
        console.guarded(raising(KeyboardInterrupt()))
    assert stop.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_other_errors_pass_through_since_they_are_defects():
    with pytest.raises(ZeroDivisionError):
        console.guarded(raising(ZeroDivisionError()))


def test_an_exit_code_passes_through():
    with pytest.raises(SystemExit) as stop:
        console.guarded(raising(SystemExit(5)))
    assert stop.value.code == 5


def test_progress_goes_to_standard_error_with_count_and_note(capsys):
    with console.progress("crops") as bar:
        task = bar.add_task("embedding", total=4, note="12.5 a second")
        bar.advance(task, 4)
    said = capsys.readouterr()
    assert said.out == ""
    for word in ("embedding", "4/4", "crops", "12.5 a second"):
        assert word in said.err
