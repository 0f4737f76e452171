# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where a small error may rightly change a result: the decisions between heatmaps and embedding.

A network is continuous; what follows the heatmaps is not. The highest cell, the side of a quarter step, and
the gate of a segment each turn on a comparison, and where the two sides nearly tie, any rounding may
settle it the other way. `margins` says how near each keypoint is to that, `flips` which keypoints were
in fact decided otherwise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.vehicle import SEGMENT_CONFIDENCE

Floats = NDArray[np.float32]

MOVED: Final = 1e-3
"""In crop units: less than a decision moves a keypoint (a quarter cell is 4e-3), more than rounding does."""


def margins(heatmaps: Floats, *, gated: bool) -> Floats:
    """Return for each heatmap the least difference on which a decision turns.

    If no cell of a heatmap is wrong by more than e, then a keypoint whose margin is above 2 e is decided
    alike: the two sides of a comparison err by e each. (Where one side is a constant, as for the gate, the
    difference counts twice, so that one rule holds for all.)

    Args:
        heatmaps: (N, K, S, S) of the reference.
        gated: whether the gate of the segments counts.

    Returns:
        (N, K) float32, at least 0.
    """
    count, kinds, side, _ = heatmaps.shape
    flat = heatmaps.reshape(count, kinds, side * side)
    if flat.size == 0:
        return np.zeros((count, kinds), np.float32)
    second, peak = np.moveaxis(np.partition(flat, flat.shape[2] - 2, axis=2)[..., -2:], 2, 0)
    least = np.minimum(peak - second, 2 * np.abs(peak))
    if gated:
        least = np.minimum(least, 2 * np.abs(peak - SEGMENT_CONFIDENCE))
    index = flat.argmax(axis=2)
    row, column = index // side, index % side
    inside = (np.minimum(row, column) > 1) & (np.maximum(row, column) < side - 1)
    for step in (1, side):
        after, before = (
            np.take_along_axis(flat, np.clip(index + sign * step, 0, side * side - 1)[..., None], 2)[..., 0]
            for sign in (1, -1)
        )
        least = np.where(inside, np.minimum(least, np.abs(after - before)), least)
    return np.asarray(least, np.float32)


def flips(expected: Floats, found: Floats, *, gated: bool) -> NDArray[np.bool_]:
    """Return which keypoints were decided otherwise.

    Args:
        expected: (N, K, 3) x, y in crop units and confidence, of the reference.
        found: (N, K, 3) likewise.
        gated: whether the gate of the segments counts.

    Returns:
        (N, K) bool.
    """
    changed = (np.abs(found[..., :2] - expected[..., :2]) > MOVED).any(axis=2)
    if gated:
        drawn, drawn_now = (points[..., 2] >= SEGMENT_CONFIDENCE for points in (expected, found))
        changed |= drawn != drawn_now
    return np.asarray(changed)
