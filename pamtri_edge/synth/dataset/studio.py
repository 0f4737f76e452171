# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Where the pictures of a plan are drawn: one studio a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.dataset.fleet import Fleet, Vehicle
from pamtri_edge.synth.dataset.plan import Job, SynthPlan
from pamtri_edge.synth.dataset.record import Shot, shot
from pamtri_edge.synth.specification.streams import Stream
from pamtri_edge.synth.specification.vehicle import VehicleSpec
from pamtri_edge.synth.view.backdrops import open_backgrounds
from pamtri_edge.synth.view.prior import camera_prior
from pamtri_edge.synth.view.scene import View, render_view

_OTHERS: Final = 3


class RenderStudio:
    """Draws a plan's pictures with the project's own renderer.

    Args:
        plan: the data set.

    Attributes:
        fleet: builds the plan's vehicles.

    Raises:
        InputError: cameras or meshes of the plan cannot be read.
        SourceError: its backgrounds cannot be read.
    """

    def __init__(self, plan: SynthPlan) -> None:
        self._plan = plan
        self.fleet = Fleet(plan)
        self._prior = camera_prior(plan.prior)
        self._backgrounds = None if plan.backgrounds is None else open_backgrounds(plan.backgrounds)

    def draw(self, job: Job) -> Iterator[Shot]:
        """Draw a job's views in order; each depends on the plan's seed, its identity and its view alone."""
        vehicle = self.fleet.vehicle(job.identity)
        for view in range(job.first, job.first + job.views):
            yield shot(self._plan, job.identity, view, vehicle, self.render(vehicle, job.identity, view))

    def render(self, vehicle: Vehicle, identity: int, view: int) -> View:
        """Render a view of an identity, whose vehicle has been built; from any thread."""
        plan = self._plan
        drawn = plan.drawn_identity(identity)
        return render_view(
            vehicle.mesh,
            vehicle.spec,
            seed=plan.seed,
            identity=drawn,
            view=view,
            camera=plan.drawn_camera(plan.camera(identity, view)),
            prior=self._prior,
            backgrounds=self._backgrounds,
            size=plan.size,
            supersampling=plan.supersampling,
            others=others_of(plan, self.fleet, identity, view),
        )


OpenStudio = Callable[[SynthPlan], RenderStudio]
"""Opens a studio for a plan; called once in every process."""


def others_of(plan: SynthPlan, fleet: Fleet, identity: int, view: int) -> list[tuple[Mesh, VehicleSpec]]:
    """Return the vehicles that may stand near an identity's in a view."""
    rng = np.random.default_rng([plan.seed, plan.drawn_identity(identity), view, Stream.OTHERS])
    passers = fleet.passers_by()
    chosen = [passers[k] for k in rng.choice(len(passers), _OTHERS, replace=False)]
    return [(other.mesh, other.spec) for other in chosen]
