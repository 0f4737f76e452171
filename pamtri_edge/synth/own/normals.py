# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Normals for triangles that come without good ones: smooth over bends, sharp at edges."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Indices = NDArray[np.int64]

_SHARP: Final = math.cos(math.radians(42.0))
_CROWDED: Final = 64  # triangles at a vertex beyond which they are all averaged: the middle of a disc


def face_normals(vertices: Doubles, triangles: Indices) -> Doubles:
    """Return (T, 3) normals, as long as twice the triangles' areas."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.asarray(np.cross(b - a, c - a))


def with_normals(vertices: Doubles, triangles: Indices) -> tuple[Doubles, Doubles, Indices]:
    """Return vertices, unit normals and triangles; vertices on sharp edges are doubled.

    A corner's normal is the mean, by area, of the triangles around its vertex that bend away from its own
    by less than 42 degrees.

    Args:
        vertices: (V, 3).
        triangles: (T, 3).
    """
    facing = face_normals(vertices, triangles)
    lengths = np.linalg.norm(facing, axis=1, keepdims=True)
    flat = lengths[:, 0] <= 1e-12  # no area, no direction
    units = np.where(flat[:, None], [0.0, 0.0, 1.0], facing / np.maximum(lengths, 1e-12))
    corners = triangles.reshape(-1)
    one, other = _neighbors(corners, len(vertices))
    near = (units[one // 3] * units[other // 3]).sum(axis=1) > _SHARP
    normals = np.zeros((len(corners), 3))
    for axis in range(3):
        weights = facing[other[near] // 3, axis]
        normals[:, axis] = np.bincount(one[near], weights, len(corners))
    sizes = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.where(sizes > 1e-12, normals / np.maximum(sizes, 1e-12), np.repeat(units, 3, axis=0))
    keys = np.column_stack([corners, np.round(normals * 512).astype(np.int64)])
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return vertices[corners[first]], normals[first], place.reshape(-1, 3).astype(np.int64)


def _neighbors(corners: Indices, vertices: int) -> tuple[Indices, Indices]:
    """Return all pairs of corners at one vertex; of a crowded one only those with its first few."""
    order = np.argsort(corners, kind="stable")
    counts = np.bincount(corners, minlength=vertices)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    taken = np.minimum(counts, _CROWDED)[corners]
    one = np.repeat(np.arange(len(corners)), taken)
    offset = np.arange(len(one)) - np.repeat(np.cumsum(taken) - taken, taken)
    return one, order[starts[corners[one]] + offset]
