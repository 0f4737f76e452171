# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a place is on a vehicle's surface."""

import numpy as np


def lies_on(mesh, point, within=0.06):
    """Say whether a point is within so many meters of a vertex or of a triangle, sampled finely."""
    if np.linalg.norm(mesh.vertices - point, axis=1).min() < within:
        return True
    corners = mesh.vertices[mesh.triangles]
    reach = np.linalg.norm(corners - corners.mean(axis=1, keepdims=True), axis=2).max(axis=1)
    near = np.linalg.norm(corners.mean(axis=1) - point, axis=1) < reach + 0.1
    steps = np.linspace(0, 1, 11)
    a, b = (grid.ravel() for grid in np.meshgrid(steps, steps))
    inside = a + b <= 1.0001
    weights = np.stack([1 - a - b, a, b], axis=1)[inside]
    samples = np.einsum("sk,tkc->tsc", weights, corners[near])
    return bool((np.linalg.norm(samples - point, axis=2) < within).any())
