# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin that gives every array memory of its own, so that a sanitizer sees where it ends.

CuPy's pool takes memory in large pieces: what is written behind an array lands in another's, which no tool
can tell from right. `pytest -p gpu.unpooled` switches it off; the variable `PYTORCH_NO_CUDA_MEMORY_CACHING`
does the same for torch.
"""

from __future__ import annotations

import contextlib
from importlib import import_module


def pytest_configure() -> None:
    """Let CuPy ask the driver for every array."""
    with contextlib.suppress(ImportError):
        import_module("cupy").cuda.set_allocator(None)
