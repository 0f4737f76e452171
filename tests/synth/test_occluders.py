# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from box_vehicle import LENGTH, WIDTH, box_mesh

from pamtri_edge.synth.view.occluders import sample_furniture, sample_stands


def test_no_vehicle_stands_in_another():
    mesh = box_mesh()
    count = 0
    for number in range(600):
        rng = np.random.default_rng(number)
        stands = sample_stands(rng, mesh, [mesh, mesh, mesh], azimuth=float(number % 360))
        count += bool(stands)
        for stand in stands:
            assert abs(stand.x) > LENGTH + 0.3 or abs(stand.y) > WIDTH + 0.3
        assert len({stand.index for stand in stands}) == len(stands) <= 2
    assert 0.2 < count / 600 < 0.5
    assert not any(sample_stands(np.random.default_rng(number), mesh, [], 0.0) for number in range(9))


def test_vehicles_stand_more_often_on_the_cameras_side():
    mesh = box_mesh()
    sides = []
    for number in range(600):
        stands = sample_stands(np.random.default_rng(number), mesh, [mesh], azimuth=90.0)
        sides += [stand.y > 0 for stand in stands if abs(stand.y) > WIDTH]
    assert np.mean(sides) > 0.6


def test_furniture_covers_a_part_of_some_pictures():
    drawn = [sample_furniture(np.random.default_rng(number), 120, 90) for number in range(400)]
    shown = [one for one in drawn if one is not None]
    assert 0.1 < len(shown) / len(drawn) < 0.3
    shares = []
    for one in shown:
        assert one.cover.shape == (90, 120)
        assert one.albedo.shape == (90, 120, 3)
        assert 0.0 <= one.cover.min() <= one.cover.max() <= 1.0
        assert (one.albedo >= 0.0).all()
        shares.append(one.cover.mean())
    assert np.median(shares) < 0.2
    assert max(shares) < 0.6
    assert np.mean(np.array(shares) > 0.005) > 0.8
