# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What Ctrl-C (SIGINT), a service manager's SIGTERM and a lost terminal's SIGHUP do: every handler there is.

SIGHUP is answered as SIGTERM is, except where it is ignored, as `nohup` has it.

Handlers belong to the main thread; in others these blocks change nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

_PATIENCE: Final = 3
"""The signal, of those that wait for the end of something, that is answered at once."""


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end what is done in the block as Ctrl-C does, with `KeyboardInterrupt`."""
    with _handled(_interrupt, signal.SIGTERM, *_lost_terminal()):
        yield


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[None]:
    """Have the first Ctrl-C, SIGTERM or SIGHUP call `stop`, which asks for an end; a second ends at once."""
    numbers = (signal.SIGINT, signal.SIGTERM, *_lost_terminal())
    before = {number: signal.getsignal(number) for number in numbers}

    def first(number: int, frame: object) -> None:
        stop()
        signal.signal(number, before[signal.Signals(number)])

    with _handled(first, *before):
        yield


@contextmanager
def leaving_when_terminated() -> Iterator[None]:
    """Have SIGTERM end the block as an error does, so that what it began is cleaned up; exit code 143.

    Whoever calls it has the earlier answer back afterwards: a process that is forked later would inherit
    this one, and an exception does not end it at every moment.
    """
    with _handled(_leave, signal.SIGTERM):
        yield


@contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """Have Ctrl-C, SIGTERM and SIGHUP wait for the end of the block; gives what tells whether one came.

    `timeout` and terminals that close send theirs twice at once: the second must not end the tidying up after
    the first. A third is answered at once: whoever sends it has seen that the end does not come. What the
    program around us answers itself, or ignores, stays as it is.
    """
    came: list[int] = []
    before = {
        number: answer
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if (answer := signal.getsignal(number)) in (signal.default_int_handler, signal.SIG_DFL, _interrupt)
    }

    def keep(number: int, frame: object) -> None:
        came.append(number)
        if len(came) == _PATIENCE:
            _answer(number, before[signal.Signals(number)])

    try:
        with _handled(keep, *before):
            yield lambda: bool(came)
    finally:
        if 0 < len(came) < _PATIENCE:
            _answer(came[0], before[signal.Signals(came[0])])


def _answer(number: int, answer: Any) -> None:
    """Do what a program would have done about a signal."""
    if callable(answer):
        answer(number, None)
    else:
        signal.signal(number, answer)
        signal.raise_signal(number)


def leave_to_parent() -> None:
    """Let the parent alone answer Ctrl-C, which all processes of a terminal get; SIGTERM ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C back until the end of the block, from processes that are started in it too."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _lost_terminal() -> tuple[signal.Signals, ...]:
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return () if ignored else (signal.SIGHUP,)


@contextmanager
def _handled(handler: Callable[[int, object], None], *numbers: signal.Signals) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler that was not set from Python is None and could not be set again, so it stays.
    before = {number: found for number in numbers if (found := signal.getsignal(number)) is not None}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)
