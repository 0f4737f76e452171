# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What libraries of pictures write on standard error by themselves, kept out of what a program says.

libjpeg names what a file lacks, but not the file, on descriptor 2. A program that tells such things itself
says so once; a library must not turn off another's standard error, so nothing is kept out until then.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STDERR: Final = 2

_lock: Final = threading.Lock()
_asked = False
_inside = 0
_kept = -1


def speak_alone() -> None:
    """Have this program's `sys.stderr` alone write on standard error while pictures are decoded."""
    global _asked
    os.environ.setdefault("OPENCV_LOG_LEVEL", "FATAL")  # read when OpenCV is imported, here and in children
    try:
        if _asked or sys.stderr.fileno() != _STDERR:
            return
        own = os.dup(_STDERR)
    except (AttributeError, OSError, ValueError):  # there is none, or it is no file
        return
    sys.stderr.flush()
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)
    _asked = True


@contextmanager
def decoding() -> Iterator[None]:
    """Keep what is written on descriptor 2 in the block out, where the program speaks alone."""
    if not _asked:
        yield
        return
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _kept
    with _lock:
        _inside += 1
        if _inside == 1:
            _kept = os.dup(_STDERR)
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if _inside == 0:
            os.dup2(_kept, _STDERR)
            os.close(_kept)
