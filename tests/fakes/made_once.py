# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is made once a run of the tests, though several processes share the tests and each may come first.

folder = made_once.folder(tmp_path_factory, "kernels", lambda folder: compile_into(folder))
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def base(folders: pytest.TempPathFactory) -> Path:
    """Return the folder of this run, which is that of all of its processes."""
    own = folders.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def folder(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first process of the run that asks fills; leave it as it is."""
    final = base(folders) / name
    with alone(final.with_suffix(".lock")):
        if not final.exists():
            part = final.with_suffix(".part")
            part.mkdir(exist_ok=True)  # of one that failed
            make(part)
            part.rename(final)
    return final


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let other processes wait: two that make the same gain nothing."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
