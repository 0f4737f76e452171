# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One type learned anew: its row of the classifier is the best one, and nothing else of the network moves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pamtri_edge import samples
from pamtri_edge.datasets.data_set import DataSet
from pamtri_edge.errors import InputError
from pamtri_edge.models import TINY, TINY_LITE, ReidNet, load_reid, save_checkpoint, seeded
from pamtri_edge.refit import RefitSpec
from pamtri_edge.train import read_data
from pamtri_edge.train.refit import learn_type, type_row
from pamtri_edge.vehicle import TYPES
from tiny_networks import SMALLEST

FEW = RefitSpec(vehicles=6, views=5, smallest=16, largest=48, shrinkage=0.001)
RGB = replace(TINY_LITE, keypoints=False, heatmaps=False)
BUS = TYPES.index("bus")


@pytest.fixture
def network():
    return seeded((SMALLEST[0], RGB), pictures=samples.crops(4))[1]


@pytest.fixture
def buses(veri):
    """Return a set of which every second vehicle is a bus, and one picture's type is not known."""
    data = read_data(veri)
    told = [replace(one, type=BUS if one.vehicle % 2 else 0) for one in data.samples]
    return DataSet(data.name, (replace(told[0], type=None), *told[1:]))


def test_the_row_is_where_the_loss_with_its_penalty_is_flat():
    rng = np.random.default_rng(0)
    hidden, others = rng.normal(size=(500, 4)), rng.normal(size=500)
    shown = hidden[:, 1] + 0.5 * rng.normal(size=500) > 0.3
    before = rng.normal(size=5)
    found = torch.tensor(type_row(hidden, others, shown, before, shrinkage=0.01), requires_grad=True)
    logits = torch.tensor(np.column_stack([hidden, np.ones(500)])) @ found
    both = torch.stack([torch.tensor(others), logits], dim=1)  # all other types count as one
    loss = torch.nn.functional.cross_entropy(both, torch.tensor(shown).long())
    loss = loss + 0.005 * float(hidden.var(axis=0).mean()) * ((found - torch.tensor(before))[:4] ** 2).sum()
    loss.backward()
    assert found.grad.abs().max() < 1e-7


def test_a_row_that_is_kept_firmly_hardly_moves_and_types_that_part_cleanly_do_no_harm():
    hidden = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    shown = hidden[:, 0] > 0
    firm, free = (type_row(hidden, np.zeros(4), shown, np.zeros(2), shrinkage=s) for s in (1e6, 1e-6))
    assert abs(firm[0]) < 1e-5
    assert 5 < free[0] < 50
    assert np.isfinite(free).all()


def test_one_row_changes_and_tells_the_type_better(network, buses, tmp_path):
    done = []
    result = learn_type(network, None, buses, FEW, name="bus", advance=done.append)
    assert sum(done) == 29, "but for the one whose type is not known"
    after = load_reid(save_checkpoint(result, tmp_path / "reid.safetensors")).state_dict()
    for name, before in network.state_dict().items():
        if name in ("classifier_vtype.weight", "classifier_vtype.bias"):
            others = [row for row in range(len(TYPES)) if row != BUS]
            assert torch.equal(before[others], after[name][others])
            assert not torch.equal(before[BUS], after[name][BUS])
        else:
            assert torch.equal(before, after[name]), name
    weight = after["classifier_vtype.weight"][BUS]
    assert torch.equal(weight, weight.half().float()), "as weights are shipped"


@pytest.mark.parametrize(
    ("change", "name", "message"),
    [
        ({}, "tram", "unknown types: tram; accepted: sedan"),
        ({"type": BUS}, "bus", "30 of 30 pictures with a known type show a bus; it takes pictures of it and"),
        ({"type": 0}, "bus", "0 of 30 pictures with a known type show a bus"),
        ({"type": None}, "bus", "0 of 0 pictures with a known type"),
    ],
    ids=["another type", "nothing else", "none of it", "no types"],
)
def test_pictures_of_it_and_of_others_are_needed(network, veri, change, name, message):
    data = read_data(veri)
    data = DataSet(data.name, tuple(replace(one, **change) for one in data.samples))
    with pytest.raises(InputError, match=message):
        learn_type(network, None, data, FEW, name=name)


def test_a_network_that_tells_no_types_is_refused(buses):
    with pytest.raises(InputError, match="does not tell the 9 types, of which one could be learned"):
        learn_type(ReidNet(replace(TINY[1], multitask=False)), None, buses, FEW, name="bus")
