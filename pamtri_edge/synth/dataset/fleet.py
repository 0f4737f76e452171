# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which vehicle each identity of a plan is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.dataset.plan import UNSEEN, SynthPlan
from pamtri_edge.synth.own.meshes import read_meshes
from pamtri_edge.synth.specification.families import FAMILIES
from pamtri_edge.synth.specification.vehicle import VehicleSpec, sample_vehicle

PASSERS_BY: Final = 10
"""Vehicles of no identity that may stand before or behind the one that a picture is of."""

_PASSERS_BEGIN: Final = 10 * UNSEEN


@dataclass(frozen=True)
class Vehicle:
    """A vehicle that can be drawn.

    Attributes:
        mesh: its triangles.
        spec: its paint, glass and dirt.
        color: name, of `vehicle.COLORS`.
        type: name, of `vehicle.TYPES`.
    """

    mesh: Mesh
    spec: VehicleSpec
    color: str
    type: str


class Fleet:
    """The vehicles of a plan, built when they are asked for.

    Args:
        plan: the data set.

    Raises:
        InputError: the plan's meshes cannot be read.
    """

    def __init__(self, plan: SynthPlan) -> None:
        self._plan = plan
        self._meshes = () if plan.meshes is None else read_meshes(plan.meshes)

    def vehicle(self, identity: int) -> Vehicle:
        """Build the vehicle of an identity, numbered within the plan from 0."""
        plan = self._plan
        spec = sample_vehicle(
            plan.seed,
            plan.drawn_identity(identity),
            color=plan.color(identity),
            model=plan.drawn_model(identity),
            shares=plan.types,
        )
        if self._meshes:
            own = self._meshes[identity % len(self._meshes)]
            return Vehicle(own.mesh, spec, spec.color_name, own.type_name)
        return built(spec)

    def passers_by(self) -> tuple[Vehicle, ...]:
        """Return vehicles of no identity, the same for every picture of a seed; built at the first call."""
        return _passers_by(self._plan.seed)


def built(spec: VehicleSpec) -> Vehicle:
    """Build a vehicle from its specification."""
    return Vehicle(build(spec), spec, spec.color_name, spec.type_name)


@lru_cache(maxsize=1)
def _passers_by(seed: int) -> tuple[Vehicle, ...]:
    return tuple(built(_passer_by(seed, _PASSERS_BEGIN + k)) for k in range(PASSERS_BY))


def _passer_by(seed: int, identity: int) -> VehicleSpec:
    """Draw a vehicle of the oldest families alone: new ones leave the pictures of all others as they are."""
    spec = sample_vehicle(seed, identity)
    elder = FAMILIES[spec.family].elder
    return sample_vehicle(seed, identity, family=elder) if elder else spec
