# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Recipes that end in a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pamtri_edge.train import POSE, REID, PoseRecipe, ReidRecipe, loop
from pamtri_edge.train.augment import AugmentSpec


@pytest.fixture(scope="session", autouse=True)
def without_curves() -> Iterator[None]:
    """Leave the curves undrawn: drawing takes longer than the few steps before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "write_curves", lambda *_: None)
        yield


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
