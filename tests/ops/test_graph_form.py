# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The same operations inside the fused graph, written in torch: the three forms agree."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import ops

torch = pytest.importorskip("torch", reason="the networks need torch")
operators = pytest.importorskip("pamtri_edge.models.operators")

Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def heatmaps() -> Floats:
    """Return blobs and noise: peaks everywhere, at borders, tied, at and below zero."""
    rng = np.random.default_rng(5)
    maps = rng.normal(0.0, 0.1, (2, 36, 64, 64)).astype(np.float32)
    y, x = np.mgrid[:64, :64]
    for vehicle in range(2):
        for k in range(30):
            column, row = rng.integers(0, 64, 2)
            maps[vehicle, k] += np.exp(-((x - column) ** 2 + (y - row) ** 2) / 8) * rng.uniform(0.3, 1.2)
    maps[0, 31] = -np.abs(maps[0, 31])
    maps[0, 32] = 0.0
    maps[0, 33, 10:14, 20:24] = 2.0  # equal peaks
    return maps


def test_decode_is_the_same(heatmaps: Floats) -> None:
    in_the_graph = operators.crop_keypoints(*operators.peaks(torch.from_numpy(heatmaps)))

    np.testing.assert_array_equal(ops.decode(heatmaps), in_the_graph.numpy())


def test_segments_between_decoded_keypoints_are_the_same(rng: np.random.Generator) -> None:
    """Decoded corners are whole pixels, so that many centers lie exactly on an outline of either form."""
    cells = rng.integers(0, 256, (24, 36, 2))
    keypoints = np.concatenate([cells / 256, rng.uniform(0.4, 1.2, (24, 36, 1))], axis=2).astype(np.float32)

    in_the_graph = operators.segments(torch.from_numpy(keypoints)).numpy()

    assert np.count_nonzero(in_the_graph.sum(axis=(2, 3))) > 8
    np.testing.assert_array_equal(ops.segments(keypoints), in_the_graph)


def test_the_stack_is_the_same_to_rounding(heatmaps: Floats, rng: np.random.Generator) -> None:
    images = rng.uniform(0, 255, (2, 3, 256, 256)).astype(np.float32)
    keypoints = ops.decode(heatmaps)
    in_the_graph = torch.cat(
        [
            operators.normalize_rgb(torch.from_numpy(images)),
            operators.enlarge(operators.coarse_heatmaps(torch.from_numpy(heatmaps))),
            operators.stack_segments(torch.from_numpy(keypoints)),
        ],
        dim=1,
    )

    result = ops.stack(images, heatmaps, keypoints=keypoints)

    np.testing.assert_allclose(result, in_the_graph.numpy(), rtol=0, atol=3e-6)
