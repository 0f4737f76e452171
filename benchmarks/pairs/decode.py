# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""decode, one vehicle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference import plain_operations

from pamtri_edge.ops import native


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `native.decode` beside argmax in NumPy."""
    heatmaps = np.random.default_rng(0).uniform(-0.2, 1.0, (1, 36, 64, 64)).astype(np.float32)
    out = np.zeros((1, 36, 3), np.float32)
    native.decode(heatmaps, out, True)
    np.testing.assert_allclose(out, plain_operations.decode(heatmaps), atol=0.3 / 64)
    yield Pair(lambda: native.decode(heatmaps, out, True), lambda: plain_operations.decode(heatmaps))
