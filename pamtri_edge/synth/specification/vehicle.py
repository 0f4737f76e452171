# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One synthetic vehicle as numbers and choices, drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pamtri_edge.errors import InputError
from pamtri_edge.synth.specification.families import FAMILIES
from pamtri_edge.synth.specification.fascia import FrontFascia, Plate, RearFascia
from pamtri_edge.synth.specification.marks import Bus, Cargo, Decal, Flaw
from pamtri_edge.synth.specification.parts import BodyShape, Cabin, Paint, Trim, Wheels
from pamtri_edge.synth.specification.sampling import draw
from pamtri_edge.vehicle import COLORS


@dataclass(frozen=True)
class VehicleSpec:
    """Everything that tells one synthetic vehicle from another.

    Attributes:
        seed: of the whole set that the vehicle belongs to.
        identity: which vehicle of that set.
        family: one of `FAMILIES`.
        shape: the body.
        paint: its color.
        front: the face.
        rear: the back.
        plate: the license plate.
        wheels: the wheels.
        trim: what is bolted on.
        cabin: what is seen through the glass.
        dirt: 0 clean to 1: how much of the road sticks to the lower body.
        decals: pictures stuck on the body.
        flaws: what only this vehicle has.
        cargo: box or bed of a truck or pickup, else None.
        bus: what only buses have, else None.
    """

    seed: int
    identity: int
    family: str
    shape: BodyShape
    paint: Paint
    front: FrontFascia
    rear: RearFascia
    plate: Plate
    wheels: Wheels
    trim: Trim
    cabin: Cabin
    dirt: float
    decals: tuple[Decal, ...]
    flaws: tuple[Flaw, ...]
    cargo: Cargo | None
    bus: Bus | None

    @property
    def type_name(self) -> str:
        """The vehicle's type, one of `vehicle.TYPES`."""
        return FAMILIES[self.family].type_name

    @property
    def color_name(self) -> str:
        """The vehicle's color, one of `vehicle.COLORS`."""
        return self.paint.name


def sample_vehicle(
    seed: int,
    identity: int,
    *,
    family: str | None = None,
    color: str | None = None,
    model: int | None = None,
    shares: Mapping[str, float] = MappingProxyType({}),
) -> VehicleSpec:
    """Draw a vehicle; the same arguments give the same vehicle in every process.

    Args:
        seed: of the set, 0 or more.
        identity: which vehicle, 0 or more.
        family: one of `FAMILIES`; drawn where it is None.
        color: one of `vehicle.COLORS`; drawn where it is None.
        model: vehicles of one seed and model share shape, face, back and (where `family` is None) family;
            paint, wheels, equipment and marks stay the identity's own. None: the shape is its own too.
        shares: where `family` is None, how often types come, as `families.family_at` has it.

    Raises:
        InputError: a number is negative or a name unknown.
    """
    for name, number in (("seed", seed), ("identity", identity), ("model", model or 0)):
        if number < 0:
            raise InputError(f"{name} is {number}; expected 0 or more")
    if family is not None and family not in FAMILIES:
        raise InputError(f"family {family!r} is unknown; accepted are {', '.join(FAMILIES)}")
    if color is not None and color not in COLORS:
        raise InputError(f"color {color!r} is unknown; accepted are {', '.join(COLORS)}")
    return VehicleSpec(**draw(seed, identity, family=family, color=color, model=model, shares=shares))
