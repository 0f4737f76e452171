# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the command-line programs share: the terminal, progress bars, and errors without a traceback.

Text is text: nothing in a string that is printed here is markup, an emoji's name or a terminal's command,
wherever it came from. What is to have a color is made by `styled`. Errors and log messages name no password
that stands in an address.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import IO, Any, Final, NoReturn, cast

import typer
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

from pamtri_edge.addresses import redact_text
from pamtri_edge.errors import PamtriError, is_scarcity
from pamtri_edge.files.disk import NO_TEMPORARY_FOLDER, full_temporary_folder
from pamtri_edge.files.quiet import speak_alone
from pamtri_edge.printable import printable

_log = logging.getLogger(__name__)

_LAYOUT: Final = "\n\t"
_NARROWEST: Final = 40  # columns; a narrower terminal breaks the lines itself
_LONGEST_NAME: Final = 60  # characters of one that is too long
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_INTERRUPTED: Final = 130

_told = False


class OutputError(PamtriError):
    """Standard output cannot be written."""


class _Stream:
    """Standard output or standard error, whichever object is that at the moment.

    What standard error does not take is dropped: no work ends for want of a progress bar. What standard
    output does not take is an `OutputError`.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, text: str) -> int:
        self._try(lambda stream: stream.write(_writable(text, stream)))
        return len(text)

    def flush(self) -> None:
        self._try(lambda stream: stream.flush())

    def __getattr__(self, name: str) -> Any:
        stream = self._stream()
        if stream is None and name == "isatty":
            return lambda: False
        return getattr(stream, name)

    def _stream(self) -> Any:
        stream = getattr(sys, self._name)  # None where the descriptor was closed before the start
        return getattr(stream, "rich_proxied_file", stream)

    def _try(self, use: Callable[[Any], object]) -> None:
        stream = self._stream()
        try:
            if stream is not None:
                use(stream)
        except BrokenPipeError:
            _silence(stream)
            if self._name == "stdout":
                raise SystemExit(1) from None  # the reader has what it wanted, as `head` does
        except OSError as error:
            _silence(stream)
            if self._name == "stdout":
                raise OutputError(f"standard output cannot be written: {error.strerror}.") from error


def _writable(text: str, stream: Any) -> str:
    """Spell the letters that a stream's encoding lacks, such as those of a name in a locale of ASCII."""
    encoding = getattr(stream, "encoding", None)
    return text.encode(encoding, "backslashreplace").decode(encoding) if encoding else text


class _PlainConsole(Console):
    """A console for which strings are nothing but text, and text is nothing but letters."""

    def __init__(self, name: str) -> None:
        super().__init__(file=cast("IO[str]", _Stream(name)), markup=False, emoji=False, highlight=False)

    @property  # type: ignore[misc]  # nothing sets it
    def size(self) -> ConsoleDimensions:
        """Columns and rows: in a terminal that claims next to none, tables would lose cells."""
        found = super().size
        return found._replace(width=max(found.width, _NARROWEST))

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        """Print; lines of text are left whole for the terminal to wrap, tables are fitted into its width."""
        text = all(isinstance(one, (str, Text)) for one in objects)
        super().print(*objects, soft_wrap=text if soft_wrap is None else soft_wrap, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text, keep=_LAYOUT), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text, keep=_LAYOUT), segment.style)

    def status(self, status: RenderableType, **options: Any) -> Status:
        plain = Text(printable(status)) if isinstance(status, str) else status
        return super().status(plain, **options)


out: Final[Console] = _PlainConsole("stdout")
"""Results: what a script may read."""

err: Final[Console] = _PlainConsole("stderr")
"""Progress, warnings and errors."""


def styled(text: object, style: str) -> Text:
    """Return text in a style of Rich, such as "bold red"."""
    return Text(printable(text, keep=_LAYOUT), style)


class _WithoutSecrets(logging.Formatter):
    """Formats log messages, of libraries too, without the passwords in addresses."""

    def format(self, record: logging.LogRecord) -> str:
        return _without_secrets(super().format(record))


def _without_secrets(text: str) -> str:
    return redact_text(text, sys.argv[1:])


def log_handler(*, show_path: bool = False) -> logging.Handler:
    """Return what shows log messages on standard error."""
    handler = RichHandler(
        console=err,
        show_time=False,
        show_path=show_path,
        markup=False,
        highlighter=NullHighlighter(),
    )
    handler.setFormatter(_WithoutSecrets("%(message)s"))
    return handler


def progress(unit: str = "") -> Progress:
    """Return a progress bar with count, time spent and time left, on standard error.

    Tasks may set the field `note` (a short text at the end of the line), such as the current rate.
    """
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(unit, markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=err,
        transient=False,
    )


def say_stopped(what_is_kept: str) -> None:
    """Say that the user stopped the program, and what is left of its work; `run` says no more of it then."""
    global _told
    _told = True
    err.print(styled("interrupted:", "yellow"), what_is_kept)


def run(app: typer.Typer) -> NoReturn:
    """Run a command-line program to its end, `guarded`; its usage errors are printed as all text is."""

    def program() -> None:
        speak_alone()
        _refuse_empty_words(sys.argv[1:])
        try:
            code = app(standalone_mode=False)
        except typer.Abort:
            err.print("aborted")
            sys.exit(1)
        except Exception as error:
            show = getattr(error, "show", None)  # of click's errors, whichever click typer brings
            if show is None or isinstance(error, PamtriError):
                raise
            said = io.StringIO()
            show(file=said)
            err.print(_without_secrets(said.getvalue().rstrip("\n")))
            sys.exit(getattr(error, "exit_code", 2))
        _flush()
        if code == _INTERRUPTED and not _told:  # typer makes this code of Ctrl-C, without a word
            err.print("interrupted")
        sys.exit(code if isinstance(code, int) else 0)

    guarded(program)
    sys.exit(0)


def _refuse_empty_words(words: Iterable[str]) -> None:
    """Refuse an argument without a letter: as a path it would stand for the current folder."""
    for place, word in enumerate(words, 1):
        name, equals, value = word.partition("=")
        if not word or (equals and not value and name.startswith("--")):
            err.print(
                f"Error: argument {place} is empty{f' ({name})' if word else ''}: an unset variable of the "
                "shell? Give it a value, or leave it out."
            )
            sys.exit(2)


def guarded(program: Callable[[], None]) -> None:
    """Run a program; turn what it raises on purpose, and what the system refuses, into one readable line.

    Exit codes: 0 done, 1 refused or failed (`PamtriError`, `OSError`), 2 wrong usage (from the argument
    parser), 130 interrupted.
    """
    try:
        program()
        _flush()
    except PamtriError as error:
        _fail(str(error))
    except BrokenPipeError:
        _silence(sys.stdout)
        sys.exit(1)
    except OSError as error:
        _log.debug("%s", error, exc_info=True)
        if error.errno in _FULL and error.filename is None:
            try:
                out.print()  # was it this? The argument parser, for one, writes its help itself
            except OutputError as refused:
                _fail(str(refused))
        _fail(system_error(error))
    except KeyboardInterrupt:
        err.print("interrupted")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if not is_scarcity(error):
            raise  # a defect
        _log.debug("%s", error, exc_info=True)
        _fail(
            "there is not enough memory for this, or threads. Give it more (in a container its limits count, "
            "and those of ulimit -v and -u), or less work at a time."
        )


def system_error(error: OSError) -> str:
    """Return a sentence for what the system refused: what, and which file or folder.

    A full disk is looked for where temporary files go too, since the error itself seldom says.
    """
    names = [printable(os.fsdecode(name)) for name in (error.filename, error.filename2) if _is_name(name)]
    where = " and ".join(names)
    if error.errno in _FULL:
        place = full_temporary_folder(error.filename) or (f"the disk of {where}" if where else "the disk")
        return f"no space left on {place}; free some, or name another place."
    if error.errno == errno.ENAMETOOLONG:
        shown = where if len(where) <= _LONGEST_NAME else f"{where[:_LONGEST_NAME]}..."
        return (
            f"the name {shown} is too long: at most 255 bytes are accepted, and 4,095 with its folders. "
            "Give a shorter one."
        )
    if error.errno == errno.ENOENT and not where and _is_nowhere():
        return "the folder that this was started in is gone; change to another one and start again."
    reason = error.strerror or str(error) or type(error).__name__
    if not where and "No usable temporary directory" in reason:  # of Python's own tempfile
        return NO_TEMPORARY_FOLDER
    return f"{where}: {reason}." if where else f"{printable(reason)}."


def _is_nowhere() -> bool:
    """Tell whether the current folder was removed."""
    try:
        os.getcwd()  # noqa: PTH109 - for the error alone
    except FileNotFoundError:
        return True
    return False


def _is_name(value: object) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def _fail(message: str) -> NoReturn:
    err.print(styled("error:", "bold red"), _without_secrets(message))
    sys.exit(1)


def _flush() -> None:
    """Have standard output take what it was given, while there is still somebody to say that it does not."""
    _Stream("stdout").flush()


def _silence(stream: Any) -> None:
    """Let what a stream still holds go nowhere, so that the end of the process does not fail over it."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
