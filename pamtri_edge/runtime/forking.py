# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a process from being forked in the middle of a computation.

A forked process has a copy of every lock of its parent, but of its threads only the one that forked. A lock
inside a library that another thread held just then stays locked in the child for ever, and the first call
that needs it hangs. So computations say when they run, and a fork waits until none does: a moment, as long
as the batch at hand takes. New ones wait meanwhile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final


class _Gate:
    """Many computations, or one fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._forking = False
        self._own = threading.local()

    @contextmanager
    def computing(self) -> Iterator[None]:
        depth = getattr(self._own, "depth", 0)
        if depth == 0:
            with self._changed:
                self._changed.wait_for(lambda: not self._forking)
                self._running += 1
        self._own.depth = depth + 1
        try:
            yield
        finally:
            self._own.depth = depth
            if depth == 0:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

    def close(self) -> None:
        # A signal handler may fork in the thread that computes: waiting for itself would never end.
        own = int(getattr(self._own, "depth", 0) > 0)
        with self._changed:
            self._changed.wait_for(lambda: not self._forking)
            self._forking = True
            self._changed.wait_for(lambda: self._running <= own)

    def open(self) -> None:
        with self._changed:
            self._forking = False
            self._changed.notify_all()


_gate = _Gate()


@contextmanager
def computing() -> Iterator[None]:
    """Do something, which may use any library's threads and locks, while no fork happens."""
    with _gate.computing():
        yield


def _begin_anew() -> None:
    global _gate  # the locks of the parent may be held by threads that are not here
    _gate = _Gate()


FORKS: Final = hasattr(os, "register_at_fork")
"""Whether processes can be forked here: everywhere but on Windows."""

if FORKS:
    os.register_at_fork(
        before=lambda: _gate.close(), after_in_parent=lambda: _gate.open(), after_in_child=_begin_anew
    )
