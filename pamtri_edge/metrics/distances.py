# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How two features are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.words import METRICS, Metric

Floats = NDArray[np.float32]

_BLOCK: Final = 1 << 24
"""Distances computed at a time: 64 MB."""


def distance_blocks(query: Floats, gallery: Floats, metric: Metric = "cosine") -> Iterator[Floats]:
    """Give the matrix of distances, some rows at a time.

    Args:
        query: (Q, D) features.
        gallery: (G, D) features.
        metric: see `Metric`.

    Raises:
        InputError: an unknown metric, or features that do not fit each other, are not finite, or have no
            direction where directions are compared.
    """
    if metric not in METRICS:
        raise InputError(f"the metric is {metric!r}; accepted: {', '.join(METRICS)}.")
    sides = [_checked(query, "query"), _checked(gallery, "gallery")]
    if sides[0].shape[1] != sides[1].shape[1]:
        raise InputError(
            f"queries have {sides[0].shape[1]} features and the gallery {sides[1].shape[1]}: they come from "
            "different networks."
        )
    if metric != "euclidean":
        sides = [_scaled(side, metric) for side in sides]
    return _blocks(sides[0], sides[1], metric)


def distances(query: Floats, gallery: Floats, metric: Metric = "cosine") -> Floats:
    """Return the (Q, G) float32 matrix of distances; see `distance_blocks`."""
    blocks = list(distance_blocks(query, gallery, metric))
    return np.concatenate(blocks) if blocks else np.zeros((0, len(gallery)), np.float32)


def _blocks(query: Floats, gallery: Floats, metric: Metric) -> Iterator[Floats]:
    size = max(_BLOCK // max(len(gallery), 1), 1)
    lengths = (gallery**2).sum(axis=1) if metric == "euclidean" else None
    for start in range(0, len(query), size):
        part = query[start : start + size]
        products = part @ gallery.T
        if lengths is None:
            yield 1.0 - products
        else:
            yield np.maximum((part**2).sum(axis=1)[:, None] + lengths - 2.0 * products, 0.0)


def _checked(features: Floats, what: str) -> Floats:
    array = np.ascontiguousarray(features, np.float32)
    if array.ndim != 2:
        raise InputError(f"the {what} features have shape {array.shape}; expected (N, D).")
    if not np.isfinite(array).all():
        row = int((~np.isfinite(array)).any(axis=1).argmax())
        raise InputError(f"the features of {what} picture {row} are not finite; check the network.")
    return array


def _scaled(features: Floats, metric: Metric) -> Floats:
    """Return unit vectors: the features', or the square roots of the distributions."""
    if metric == "bhattacharyya":
        features = np.sqrt(np.maximum(features, 0.0))
    # A feature of length 0 is as far from everything: its row of products is 0.
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1.0), np.float32)
