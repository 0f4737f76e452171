# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One synthetic vehicle as numbers and choices: drawn from a seed, written to JSON, read back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pamtri_edge.errors import InputError
from pamtri_edge.synth.specification.families import FAMILIES, TYPE_OF_FAMILY
from pamtri_edge.synth.specification.fascia import FrontFascia, Plate, RearFascia
from pamtri_edge.synth.specification.marks import Bus, Cargo, Decal, Flaw
from pamtri_edge.synth.specification.parts import BodyShape, Cabin, Paint, Trim, Wheels
from pamtri_edge.vehicle import COLORS

__all__ = ["FAMILIES", "VehicleSpec", "sample_vehicle"]

SCHEMA = 2
"""Of the JSON; counted up when an older reader could not understand it."""


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
        return TYPE_OF_FAMILY[self.family]

    @property
    def color_name(self) -> str:
        """The vehicle's color, one of `vehicle.COLORS`."""
        return self.paint.name

    def to_json(self) -> str:
        """Return the specification as one JSON object; floats keep every digit."""
        return json.dumps({"schema": SCHEMA, **dataclasses.asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> VehicleSpec:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not JSON, of another schema, lacks a field, or has one too many.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"the vehicle's specification is not JSON: {error}") from error
        if not isinstance(values, dict) or values.pop("schema", None) != SCHEMA:
            raise InputError(
                f"not a vehicle's specification of schema {SCHEMA}; write it with VehicleSpec.to_json"
            )
        spec = _read(cls, values, "vehicle")
        assert isinstance(spec, VehicleSpec)
        if spec.family not in FAMILIES or spec.paint.name not in COLORS:
            raise InputError(
                f"family {spec.family!r} or color {spec.paint.name!r} is unknown; "
                f"accepted are {', '.join(FAMILIES)} and {', '.join(COLORS)}"
            )
        return spec


def _read(kind: Any, value: Any, where: str) -> Any:
    """Return `value`, as json gives it, as an instance of the annotated type `kind`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if value is None:
            return None
        return _read(next(one for one in arguments if one is not type(None)), value, where)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        if not isinstance(value, dict) or set(value) != set(hints):
            found = sorted(value) if isinstance(value, dict) else type(value).__name__
            raise InputError(f"{where} has {found}; expected exactly the fields {sorted(hints)}")
        fields = {name: _read(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
        return typing.cast(Any, kind)(**fields)
    if origin is tuple:
        return _read_tuple(arguments, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{where} is {value!r}; expected {kind.__name__}")
    return value


def _read_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise InputError(f"{where} is {value!r}; expected a list")
    if arguments[-1] is Ellipsis:
        arguments = arguments[:1] * len(value)
    if len(arguments) != len(value):
        raise InputError(f"{where} has {len(value)} values; expected {len(arguments)}")
    return tuple(
        _read(kind, one, f"{where}[{index}]")
        for index, (kind, one) in enumerate(zip(arguments, value, strict=True))
    )


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
    from pamtri_edge.synth.specification.sampling import draw

    for name, number in (("seed", seed), ("identity", identity), ("model", model or 0)):
        if number < 0:
            raise InputError(f"{name} is {number}; expected 0 or more")
    if family is not None and family not in FAMILIES:
        raise InputError(f"family {family!r} is unknown; accepted are {', '.join(FAMILIES)}")
    if color is not None and color not in COLORS:
        raise InputError(f"color {color!r} is unknown; accepted are {', '.join(COLORS)}")
    return VehicleSpec(**draw(seed, identity, family=family, color=color, model=model, shares=shares))
