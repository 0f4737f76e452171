# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""stack of RGB and heatmaps, one vehicle, into memory that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference import plain_operations
from test_stack import inputs

from pamtri_edge.ops import native

VEHICLES = 1


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `native.stack` beside `cv2.resize`."""
    images, heatmaps, _points = (array[:VEHICLES] for array in inputs())
    ours, theirs = (np.zeros((VEHICLES, 39, 256, 256), np.float32) for _ in range(2))
    native.stack(images, heatmaps, None, None, ours, 0.5)
    plain_operations.stack(images, heatmaps, theirs)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    yield Pair(
        lambda: native.stack(images, heatmaps, None, None, ours, 0.5),
        lambda: plain_operations.stack(images, heatmaps, theirs),
    )
