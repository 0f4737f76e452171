# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles drawn on the spot: every epoch shows each of them in views that no epoch before had.

Nothing is written. It costs a core about as much as training a small network does, so it suits machines
with many cores, or where there is no room for a folder; a folder that is drawn once suits the others.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pamtri_edge.datasets.data_set import Crop, DataSet, Sample
from pamtri_edge.synth.dataset.fleet import Vehicle
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.dataset.studio import RenderStudio
from pamtri_edge.vehicle import COLORS, TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT: Final = 512  # built vehicles in memory, a megabyte or so each


def drawn_on_the_spot(plan: SynthPlan) -> DataSet:
    """Return a set whose pictures are drawn when they are asked for, each epoch others.

    The keypoints' flags are those of VeRi's labels, as in a folder that `pamtri synth` writes.

    Args:
        plan: what is drawn; an epoch has its number of images. Vehicles are built here, a few hundredths of
            a second each.

    Raises:
        InputError: backgrounds, cameras or meshes of the plan cannot be read.
    """
    studio = _Epochs(plan)
    samples = []
    for identity in range(plan.identities):
        vehicle = studio.vehicle(identity)
        for view in range(plan.views(identity)):
            samples.append(
                Sample(
                    Path(plan.image_name(identity, view)),
                    plan.vehicle_id(identity),
                    plan.camera_id(plan.camera(identity, view)),
                    COLORS.index(vehicle.color),
                    TYPES.index(vehicle.type),
                )
            )
    name = f"{plan.identities} vehicles drawn on the spot (seed {plan.seed}, cameras {plan.prior})"
    return DataSet(name, tuple(samples), studio)


class _Epochs:
    """Draws picture n of epoch e, from any thread."""

    def __init__(self, plan: SynthPlan) -> None:
        self._plan = plan
        self._studio = RenderStudio(plan)
        self._places = [
            (identity, view) for identity in range(plan.identities) for view in range(plan.views(identity))
        ]
        self.vehicle: Callable[[int], Vehicle] = lru_cache(_KEPT)(self._studio.fleet.vehicle)

    def __call__(self, index: int, epoch: int, size: int) -> Crop:
        identity, place = self._places[index]
        view = epoch * self._plan.views(identity) + place
        seen = self._studio.render(self.vehicle(identity), identity, view)
        flags = seen.visible_veri.astype(np.float32)
        return seen.image, np.column_stack([seen.keypoints, flags]).astype(np.float32)
