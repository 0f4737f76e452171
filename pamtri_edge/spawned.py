# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Processes to give work to, on machines that have what they need."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from ctypes import c_bool
from multiprocessing import get_context

from pamtri_edge.errors import PamtriError


class ProcessError(PamtriError):
    """Processes cannot be started on this machine."""


def spawned(count: int, begin: Callable[..., object], *given: object) -> ProcessPoolExecutor:
    """Return processes to give work to.

    They are not forked: a copy of a process that has threads (OpenCV's, a progress bar's) may hang.

    Args:
        count: how many.
        begin: called in each, with `given`, before its work.
        given: what can be sent to a process.

    Raises:
        ProcessError: the machine has no semaphores, which lie in /dev/shm.
    """
    try:
        return ProcessPoolExecutor(count, get_context("spawn"), initializer=begin, initargs=given)
    except (OSError, ImportError) as error:  # ImportError: a Python that was built without them
        raise _not_started(error) from error


class SharedFlag:
    """What all processes see once one has raised it; without a lock, unlike an event of multiprocessing.

    A process that is killed while it looks at an event leaves it locked; whoever sets it then waits forever.

    Raises:
        ProcessError: there is no memory to share.
    """

    def __init__(self) -> None:
        try:
            self._raised = get_context("spawn").RawValue(c_bool, False)
        except OSError as error:
            raise _not_started(error) from error

    def set(self) -> None:
        """Raise it."""
        self._raised.value = True

    def is_set(self) -> bool:
        """Tell whether it is raised."""
        return bool(self._raised.value)


def _not_started(error: Exception) -> ProcessError:
    return ProcessError(
        f"processes cannot be started side by side ({error}): /dev/shm is missing, full or read-only. "
        "Mount it (docker run --shm-size 64m), or ask for one process."
    )
