# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The inner loops of the compiled code: those of this processor, or those of any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pamtri_edge import _native


@contextmanager
def loops(*, plain: bool) -> Iterator[None]:
    """Have the compiled code do without the instructions that not every processor has."""
    _native.use_plain_loops(plain)
    try:
        yield
    finally:
        _native.use_plain_loops(False)
