# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles can be drawn on the spot, others each epoch, and mixed with pictures from a folder."""

import numpy as np
import pytest

from pamtri_edge.datasets.data_set import crop_of
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.train import mixed, read_data
from pamtri_edge.train.loader import Loader, Position
from pamtri_edge.train.recipes import REID
from pamtri_edge.train.sampler import VehiclesByPictures
from pamtri_edge.train.synthesis import drawn_on_the_spot

PLAN = SynthPlan(identities=3, images=6, size=64, supersampling=1, cameras=4)


@pytest.fixture(scope="module")
def drawn():
    return drawn_on_the_spot(PLAN)


def test_a_plan_becomes_a_set_with_labels(drawn):
    assert len(drawn) == 6
    assert drawn.identities == (1, 2, 3)
    assert all(sample.color is not None and sample.type is not None for sample in drawn.samples)
    assert drawn.with_keypoints() is drawn


def test_a_picture_is_drawn_with_its_keypoints_and_again_the_same_until_another_epoch(drawn):
    picture, keypoints = crop_of(drawn, 3, 0, 64)
    assert picture.shape == (64, 64, 3)
    assert keypoints.shape == (36, 3)
    assert set(np.unique(keypoints[:, 2])) <= {0.0, 1.0}
    again, _ = crop_of(drawn, 3, 0, 64)
    np.testing.assert_array_equal(picture, again)
    other, _ = crop_of(drawn, 3, 1, 64)
    assert (other != picture).mean() > 0.3


def test_drawn_pictures_mix_with_those_of_a_folder(drawn, veri):
    both = mixed([read_data(veri), drawn])
    assert len(both.identities) == 9
    np.testing.assert_array_equal(crop_of(both, len(both) - 3, 0, 64)[0], crop_of(drawn, 3, 0, 64)[0])
    assert crop_of(both, 0, 0, 64)[0].shape == (62, 72, 3), "from its file"
    loader = Loader(both, VehiclesByPictures(both.labels, 4, 2), REID["paper"].augment, workers=2)
    batches = loader.batches(Position(), lambda number: 64)
    batch = next(batches)
    batches.close()
    assert batch.pictures.shape == (8, 64, 64, 3)
