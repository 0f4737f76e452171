# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A small data set of drawn vehicles in the layout of VeRi, and recipes that end in a second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pamtri_edge.train import POSE, REID, PoseRecipe, ReidRecipe
from pamtri_edge.train.augment import AugmentSpec


@pytest.fixture(scope="session")
def quick_pose() -> PoseRecipe:
    return replace(POSE["compact"], epochs=1, batch=6, sizes=((0.0, 64),), precision="fp32")


@pytest.fixture(scope="session")
def quick_reid() -> ReidRecipe:
    return replace(
        REID["paper"],
        epochs=2,
        batch=6,
        pictures=2,
        sizes=((0.0, 64),),
        augment=AugmentSpec(flip=0.5, zoom_in=0.1, zoom_out=0.1, erase=0.3),
    )
