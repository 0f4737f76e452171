# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""sharpness, eight crops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference import plain_operations

from pamtri_edge import samples
from pamtri_edge.ops import native


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `native.sharpness` beside `cv2.Laplacian`."""
    crops = samples.crops(8, seed=5)
    out = np.zeros(8)
    native.sharpness(crops, out, False)
    np.testing.assert_allclose(out, plain_operations.sharpness(crops), rtol=0.02)
    yield Pair(lambda: native.sharpness(crops, out, False), lambda: plain_operations.sharpness(crops))
