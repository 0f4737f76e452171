# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Errors without a traceback, results on standard output, the rest on standard error."""

import errno
import io
import logging
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
import typer
from rich.table import Table
from rich.text import Text

from pamtri_edge import console, errors
from pamtri_edge.files import disk


def raising(error):
    def program():
        raise error

    return program


@pytest.mark.parametrize("kind", [errors.PamtriError, errors.InputError, errors.MissingDependencyError])
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


@pytest.mark.parametrize("kept", [None, "two pictures are kept"])
def test_an_interrupted_command_says_so_once(capsys, monkeypatch, kept):
    app = typer.Typer()

    @app.command()
    def work():
        if kept is not None:
            console.say_stopped(kept)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["work"])
    monkeypatch.setattr(console, "_told", False)
    with pytest.raises(SystemExit) as stop:
        console.run(app)
    assert stop.value.code == 130
    assert capsys.readouterr().err == ("interrupted\n" if kept is None else f"interrupted: {kept}\n")


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(5)])
def test_defects_and_exit_codes_pass_through(error):
    with pytest.raises(type(error)) as caught:
        console.guarded(raising(error))
    assert caught.value is error


def test_progress_goes_to_standard_error_with_count_and_note(capsys):
    with console.progress("crops") as bar:
        task = bar.add_task("embedding", total=4, note="12.5 a second")
        bar.advance(task, 4)
    said = capsys.readouterr()
    assert said.out == ""
    for word in ("embedding", "4/4", "crops", "12.5 a second"):
        assert word in said.err


HOSTILE = "a[/y].pamtri \x1b[2J\x1b]0;title :car: [red]red[/] \x9b31m \u202e \udce9 [link=file:///x]y[/link]"
SHOWN = r"a[/y].pamtri \x1b[2J\x1b]0;title :car: [red]red[/] \u009b31m \u202e \xe9 [link=file:///x]y[/link]"


def table_of(text):
    table = Table("head", title=text)
    table.add_row(text)
    table.add_row(Text(text))
    return table


@pytest.mark.parametrize("form", [str, Text, lambda text: console.styled(text, "bold"), table_of])
@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
def test_text_from_elsewhere_is_neither_markup_nor_emoji_nor_a_command_of_the_terminal(
    capsys, monkeypatch, form, terminal
):
    monkeypatch.setattr(console.out, "_force_terminal", terminal)
    monkeypatch.setattr(console.out, "_color_system", None)
    console.out.print(form(HOSTILE), soft_wrap=True, width=200)
    said = capsys.readouterr().out
    assert SHOWN in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert plain.replace("\n", "").isprintable()


def test_neither_are_a_logged_message_a_task_a_status_and_an_error(capsys):
    handler = console.log_handler()
    handler.emit(logging.LogRecord("x", logging.WARNING, "", 0, "%s", (HOSTILE,), None))
    with console.progress(HOSTILE) as bar:
        bar.add_task(HOSTILE, total=1, note=HOSTILE)
    with console.err.status(HOSTILE):
        pass
    with pytest.raises(SystemExit):
        console.guarded(raising(errors.PamtriError(HOSTILE)))
    said = capsys.readouterr().err
    assert said.replace("\n", "").isprintable()
    assert said.count(":car:") >= 2


def test_a_usage_error_shows_what_was_typed_and_sends_nothing_to_the_terminal(capsys, monkeypatch):
    app = typer.Typer(rich_markup_mode=None)
    app.command()(lambda: None)
    monkeypatch.setattr(sys, "argv", ["program", "--\x1b[2J[/y]:car:"])
    with pytest.raises(SystemExit) as stop:
        console.run(app)
    said = capsys.readouterr().err
    assert stop.value.code == 2
    assert r"--\x1b[2J[/y]:car:" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/srv/a"), "/srv/a: Permission denied."),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "\x1b"), r"\x1b: No such file"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "n" * 300), "is too long: at most 255 bytes"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/d/a"),
            "no space left on the disk of /d/a;",
        ),
        (OSError(errno.ENOSPC, "No space left on device", "/full/a"), "no space left on /full (TMPDIR);"),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/x']"), "TMPDIR=/path"),
        (OSError("what a library says"), "what a library says."),
    ],
)
def test_what_the_system_refuses_is_a_sentence_that_names_the_place(capsys, monkeypatch, error, said):
    monkeypatch.setenv("TMPDIR", "/full")
    with pytest.raises(SystemExit) as stop:
        console.guarded(raising(error))
    assert stop.value.code == 1
    found = capsys.readouterr().err
    assert found.startswith("error: ")
    assert said in found


def test_a_full_folder_of_temporary_files_is_named_where_the_error_names_none(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    usage = {str(tmp_path): 0}
    monkeypatch.setattr(
        disk.shutil, "disk_usage", lambda folder: SimpleNamespace(free=usage.get(str(folder), 10**9))
    )
    with pytest.raises(SystemExit):
        console.guarded(raising(OSError(errno.ENOSPC, "No space left on device")))
    assert f"no space left on {tmp_path} (TMPDIR)" in capsys.readouterr().err.replace("\n", "")


PRINTING = """
import sys
from pamtri_edge import console
def program():
    for number in range(200):  # more than a pipe holds
        console.out.print(1000 * "a", soft_wrap=True)
console.guarded(program)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{} > /dev/full", 1, "error: standard output cannot be written: No space left on device.\n"),
        ("set -o pipefail; {} | head -n 1 > /dev/null", 1, ""),
        ("{} >&- 2> /dev/full", 0, ""),
    ],
    ids=["full", "closed early", "closed before, errors full"],
)
def test_an_output_that_takes_nothing_ends_a_program_without_a_traceback(shell, code, said):
    command = shell.format(f"{shlex.quote(sys.executable)} -c {shlex.quote(PRINTING)}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_letters_that_the_encoding_of_an_output_lacks_are_spelled(monkeypatch, name):
    written = io.BytesIO()
    monkeypatch.setattr(sys, name, io.TextIOWrapper(written, "ascii", "strict", write_through=True))
    (console.out if name == "stdout" else console.err).print("größe")
    assert written.getvalue() == b"gr\\xf6\\xdfe\n"


def test_the_help_of_a_program_too_says_that_nothing_can_be_written(monkeypatch, capsys):
    app = typer.Typer()
    app.command()(lambda: None)
    monkeypatch.setattr(sys, "argv", ["program", "--help"])
    with Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(SystemExit) as stop:
            console.run(app)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "error: standard output cannot be written: No space left on device.\n"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libavcodec.so.62: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        cv2.error("std::bad_alloc"),
    ],
)
def test_too_little_memory_is_a_sentence_whoever_finds_it(capsys, error):
    with pytest.raises(SystemExit) as stop:
        console.guarded(raising(error))
    assert stop.value.code == 1
    assert "error: there is not enough memory for this" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["", "--bundle="])
def test_an_argument_without_a_letter_is_refused_before_it_stands_for_a_folder(capsys, monkeypatch, word):
    monkeypatch.setattr(sys, "argv", ["pamtri", "embed", word])
    with pytest.raises(SystemExit) as stop:
        console.run(typer.Typer())
    assert stop.value.code == 2
    assert "Error: argument 2 is empty" in capsys.readouterr().err


def test_a_current_folder_that_is_gone_is_said(capsys, monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SystemExit):
        console.guarded(lambda: print(Path.cwd()))
    assert "the folder that this was started in is gone" in capsys.readouterr().err


@pytest.mark.parametrize(("columns", "width"), [("0", 40), ("1", 40), ("100", 100)])
def test_no_terminal_is_so_narrow_that_tables_lose_their_cells(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert console._PlainConsole("stdout").size.width == width
