# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes that look like another convention than the one that they are read by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_NEARLY_ALL: Final = 0.98


def are_parts(boxes: NDArray[np.float64]) -> bool:
    """Tell whether boxes, (N, 4) x1, y1, x2, y2, are in parts of the picture: no vehicle has one pixel."""
    return _share(((boxes > -0.5) & (boxes < 1.5)).all(axis=1)) >= _NEARLY_ALL


def are_corners(frames: NDArray[np.int64], ids: NDArray[np.uint64], boxes: NDArray[np.float64]) -> bool:
    """Tell whether what was read as width and height moves with x and y, and is always beyond them.

    Width and height of a vehicle that moves change little; its right and lower edge change as its left and
    upper edge do.

    Args:
        frames: (N,) frames.
        ids: (N,) track ids.
        boxes: (N, 4) x1, y1, x2, y2, which stood as x, y, width, height.
    """
    first, second = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    if _share((second > first).all(axis=1)) < _NEARLY_ALL:
        return False
    order = np.lexsort((frames, ids))
    step = ids[order][1:] == ids[order][:-1]
    moved = np.abs(np.diff(first[order], axis=0)[step]).sum()
    changed = np.abs(np.diff(second[order], axis=0)[step]).sum()
    between = np.abs(np.diff((second - first)[order], axis=0)[step]).sum()
    return bool(moved > 0 and changed > 0.5 * moved and between < 0.7 * changed)


def _share(holds: Any) -> float:
    return float(np.mean(holds)) if np.size(holds) else 0.0
