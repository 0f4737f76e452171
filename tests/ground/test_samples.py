# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn vehicles: the same on every machine, varied enough to calibrate with."""

import numpy as np

from pamtri_edge import samples


def test_crops_are_rgb_pictures_of_the_promised_sizes():
    crops = samples.crops(20)
    assert len(crops) == 20
    for crop in crops:
        assert crop.dtype == np.uint8
        assert crop.ndim == 3
        assert crop.shape[2] == 3
        assert min(crop.shape[:2]) >= 40
        assert max(crop.shape[:2]) <= 400
    assert len({crop.shape for crop in crops}) > 10


def test_the_same_seed_draws_the_same_crops_and_more_of_them_begin_alike_and_another_seed_draws_others():
    first, again, other = samples.crops(3, seed=5), samples.crops(6, seed=5), samples.crops(3, seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=False))
    assert [one.shape for one in first] != [one.shape for one in other]
    assert samples.crops(0) == []


def test_a_crop_has_edges_and_colors():
    for crop in samples.crops(10):
        assert np.ptp(crop, axis=(0, 1)).min() > 60
        assert np.abs(np.diff(crop.astype(int), axis=1)).max() > 12


def test_a_vehicle_is_a_cut_out_that_fills_its_picture():
    cut = samples.vehicle(3, azimuth=40.0, width=120, height=80)
    assert cut.shape == (80, 120, 4)
    assert cut.dtype == np.uint8
    alpha = cut[..., 3]
    assert set(np.unique(alpha)) == {0, 255}
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    assert np.ptp(rows) >= 76
    assert np.ptp(columns) >= 116


def test_a_vehicle_looks_different_from_other_sides_and_is_not_another_vehicle():
    front, side = samples.vehicle(3, azimuth=0.0), samples.vehicle(3, azimuth=90.0)
    assert not np.array_equal(front, side)
    assert not np.array_equal(front, samples.vehicle(4, azimuth=0.0))
    assert np.array_equal(front, samples.vehicle(3, azimuth=0.0))
