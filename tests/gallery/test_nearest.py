# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Nearest neighbors of large sets, tile by tile, are those of the whole matrix."""

import numpy as np
import pytest

from pamtri_edge import nearest as module
from pamtri_edge.nearest import nearest
from pamtri_edge.ops import native, reference


@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (5, 31), (40, 67)])
def test_the_compiled_scan_of_a_tile_is_the_reference_of_it(shape):
    rng = np.random.default_rng(5)
    results = []
    tiles = [rng.integers(-3, 4, shape).astype(np.float32) / 2 for _ in range(3)]  # equals, and 1.5
    for operations in (native, reference):
        best = [np.full(n, -np.inf, np.float32) for n in shape]
        which = [np.zeros(n, np.int32) for n in shape]
        for number, tile in enumerate(tiles):
            operations.note_nearest(
                tile.copy(), 7 * number, 100 * number, best[0], which[0], best[1], which[1]
            )
        results.append([array.tolist() for array in (*best, *which)])
    assert results[0] == results[1]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (7, 300), (300, 7), (130, 131), (64, 64)])
@pytest.mark.parametrize("tile", [(16, 32), (64, 64)])
def test_tiles_give_what_the_whole_matrix_gives(monkeypatch, rows, columns, tile):
    monkeypatch.setattr(module, "_ROWS", tile[0])
    monkeypatch.setattr(module, "_COLUMNS", tile[1])
    rng = np.random.default_rng(rows)
    # Few different vectors of exact cosines, so that there are many equals.
    first, second = (np.eye(8, dtype=np.float32)[rng.integers(0, 8, n)] for n in (rows, columns))
    cosines = first @ second.T
    found = nearest(first, second)
    assert found.columns.tolist() == cosines.argmax(axis=1).tolist()
    assert found.rows.tolist() == cosines.argmax(axis=0).tolist()
    assert found.cosines.tolist() == cosines.max(axis=1).tolist()


def test_rounding_beyond_1_leaves_equals_equal(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 2)
    long = np.full((5, 3), np.float32(0.57735035) * np.float32(1.0000002), np.float32)
    found = nearest(long, long)
    assert found.columns.tolist() == [0] * 5
    assert found.rows.tolist() == [0] * 5
    assert found.cosines.max() == 1.0


@pytest.mark.parametrize("tile", [(16, 32), (256, 512)])
def test_only_allowed_pairs_are_looked_at(monkeypatch, tile):
    monkeypatch.setattr(module, "_ROWS", tile[0])
    monkeypatch.setattr(module, "_COLUMNS", tile[1])
    rng = np.random.default_rng(3)
    first, second = (np.eye(8, dtype=np.float32)[rng.integers(0, 8, n)] for n in (70, 90))
    mask = rng.random((70, 90)) < 0.1
    mask[5] = False
    cosines = np.where(mask, first @ second.T, -np.inf)
    found = nearest(first, second, lambda rows, columns: mask[rows, columns])
    assert found.columns.tolist() == cosines.argmax(axis=1).tolist()
    assert found.rows.tolist() == cosines.argmax(axis=0).tolist()
    assert found.cosines[5] == -np.inf
