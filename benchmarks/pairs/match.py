# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbors both ways, 1,000 vehicles with 1,000."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from gate import Pair
from numpy.typing import NDArray

from pamtri_edge.nearest import nearest


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `nearest` beside the matrix of all cosines."""
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    rng = np.random.default_rng(1)
    first, second = (_unit(rng.normal(size=(1000, 256))) for _ in range(2))

    def plain() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        cosines = first @ second.T
        return cosines.argmax(axis=1), cosines.argmax(axis=0)

    with limits(1, "blas"):
        found = nearest(first, second)
        columns, rows = plain()
        assert (found.columns == columns).all()
        assert (found.rows == rows).all()
        yield Pair(lambda: nearest(first, second), plain)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
