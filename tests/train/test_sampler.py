# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches hold P vehicles with K pictures each, and any epoch can be drawn again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.errors import InputError
from pamtri_edge.train.sampler import Looks, Shuffled, VehiclesByPictures


@given(
    counts=st.lists(st.integers(1, 11), min_size=4, max_size=12),
    vehicles=st.integers(2, 4),
    pictures=st.integers(2, 4),
    seed=st.integers(0, 99),
)
def test_every_batch_holds_p_vehicles_with_k_pictures(counts, vehicles, pictures, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    batches = VehiclesByPictures(labels, vehicles, pictures, seed).epoch(0)
    assert batches
    for batch in batches:
        drawn = labels[batch].reshape(vehicles, pictures)
        assert (drawn == drawn[:, :1]).all()
        assert len(set(drawn[:, 0])) == vehicles
    rich = [label for label, count in enumerate(counts) if count >= pictures]
    for label in rich:
        used = [index for batch in batches for index in batch if labels[index] == label]
        assert len(used) == len(set(used)), "a picture is used at most once an epoch"


def test_epochs_differ_and_repeat():
    sampler = VehiclesByPictures(np.repeat(np.arange(6), 8), 3, 4, seed=3)
    first, again, other = sampler.epoch(1), sampler.epoch(1), sampler.epoch(2)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=False))


def test_vehicles_of_one_color_or_of_one_look_can_share_batches():
    labels = np.repeat(np.arange(120), 4)
    colors, kinds = labels % 2, labels % 3

    def shown(*shares):
        batches = VehiclesByPictures(labels, 8, 4, looks=Looks((colors, kinds), shares)).epoch(0)[:2]
        return [len({*found[batch].tolist()}) for batch in batches for found in (colors, kinds)]

    assert shown(0.0, 0.0) == [2, 3, 2, 3]
    assert shown(1.0, 0.0) == [1, 3, 1, 3]
    assert shown(0.0, 1.0) == [1, 1, 1, 1]


def test_a_vehicle_is_dealt_as_often_as_its_weight_says():
    labels = np.repeat(np.arange(40), 4)
    looks = Looks((labels, labels), (0.0, 0.0), np.where(labels < 20, 1.5, 0.5))
    epochs = [VehiclesByPictures(labels, 4, 4, seed=2, looks=looks).epoch(number) for number in range(10)]
    vehicles = labels[np.concatenate([batch[::4] for epoch in epochs for batch in epoch])]
    assert np.bincount(vehicles // 20) / 200 == pytest.approx([1.5, 0.5], abs=0.2)


def test_weights_leave_enough_vehicles_of_a_small_set_for_a_batch():
    labels = np.repeat(np.arange(4), 4)
    looks = Looks((labels, labels), (0.0, 0.0), np.full(16, 0.01))
    for number in range(5):
        (batch,) = VehiclesByPictures(labels, 4, 4, looks=looks).epoch(number)
        assert (np.bincount(labels[batch]) == 4).all()


def test_fewer_vehicles_than_p_are_refused():
    with pytest.raises(InputError, match=r"there are 3 vehicles, fewer than the 8 of a batch \(P\)"):
        VehiclesByPictures(np.repeat(np.arange(3), 5), 8, 4)
    with pytest.raises(InputError, match="hold no pairs"):
        VehiclesByPictures(np.repeat(np.arange(3), 5), 2, 1)


def test_shuffled_batches_go_through_everything_once():
    batches = Shuffled(10, 3, seed=1).epoch(4)
    assert [len(batch) for batch in batches] == [3, 3, 3]
    assert len(set(np.concatenate(batches).tolist())) == 9
    assert len(Shuffled(5, 32).epoch(0)[0]) == 5, "a set smaller than a batch is a batch"
    with pytest.raises(InputError, match="at least 2"):
        Shuffled(1, 32)
