# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""crop, one vehicle of a 1080p frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference import plain_operations
from test_crop import BOXES as ALL_BOXES
from test_crop import FRAME

from pamtri_edge.ops import native

BOXES = ALL_BOXES[3:4]
"""One of them: what stays in a core's own cache, neighbors do not disturb."""


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `native.crop` beside `cv2.resize`."""
    ours, theirs = (np.zeros((len(BOXES), 3, 256, 256), np.float32) for _ in range(2))
    native.crop(FRAME, BOXES, ours, False)
    plain_operations.crop(FRAME, BOXES, theirs)
    np.testing.assert_allclose(ours, theirs, atol=1)
    yield Pair(
        lambda: native.crop(FRAME, BOXES, ours, False), lambda: plain_operations.crop(FRAME, BOXES, theirs)
    )
