# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A driver, as far as the operations look, and nothing remembered of another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pamtri_edge.ops import cuda, driver


@contextmanager
def pretended_driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let there be a driver for CUDA 13; what was loaded before and meanwhile is forgotten."""
    remembered = (driver.load_cupy, cuda._kernel, cuda._module)
    for function in remembered:
        function.cache_clear()
    monkeypatch.setattr(driver, "check_driver", lambda *_: 13000)
    yield
    for function in remembered:
        function.cache_clear()
