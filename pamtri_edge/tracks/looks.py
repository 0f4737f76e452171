# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Boxes that look like another convention than the one that they are read by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_NEARLY_ALL: Final = 0.98


def odd_looks(
    frames: NDArray[np.int64], ids: NDArray[np.uint64], boxes: NDArray[np.float64], *, corners: bool
) -> list[str]:
    """Say what is odd about boxes that should be in pixels.

    Args:
        frames: (N,) frames.
        ids: (N,) track ids.
        boxes: (N, 4) x1, y1, x2, y2.
        corners: they stood as x, y, width, height.
    """
    found = []
    if _share(((boxes > -0.5) & (boxes < 1.5)).all(axis=1)) >= _NEARLY_ALL:
        shown = ", ".join(f"{value:g}" for value in boxes[0])
        found.append(
            f"the boxes look like parts of the picture from 0 to 1, such as ({shown}); expected are pixels. "
            "Multiply them by the picture's width and height"
        )
    elif corners and _are_corners(frames, ids, boxes):
        found.append(
            "the boxes look like x1, y1, x2, y2; expected are x, y, width, height. Give x2 - x1 and y2 - y1 "
            "in place of the last two"
        )
    return found


def _are_corners(frames: NDArray[np.int64], ids: NDArray[np.uint64], boxes: NDArray[np.float64]) -> bool:
    """Tell whether what was read as width and height moves with x and y, and is always beyond them.

    Width and height of a vehicle that moves change little; its right and lower edge change as its left and
    upper edge do.
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
