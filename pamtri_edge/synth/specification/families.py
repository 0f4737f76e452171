# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Families of bodies: the measures around which shapes vary, and what each family is called by VeRi."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Family:
    """What the members of a family have in common; lengths in meters, x relative to the front axle.

    Attributes:
        type_name: one of `vehicle.TYPES`.
        weight: how often it is drawn where no family is asked for.
        doors: "none", "one" (two-door), "two" (four-door), "cab", "slide" (a sliding door behind the first).
        tailgate: the rear window belongs to a gate that opens with it.
        measures: middle values, in the order of `MEASURES`.
        cargo: "none", "bed" (a pickup's) or "box" (a truck's, on a frame behind the cab).
        upright: the front face is one wall: no hood worth the name.
        roof_rails: how likely they are.
        cladding: how likely plastic along the sills is.
        commercial: how likely lettering and company colors are.
        elder: the family out of whose share this one's was cut; empty where the share was always its own.
        haulage: a truck whose load and frame come from `draw_haulage`.
    """

    type_name: str
    weight: float
    doors: str
    tailgate: bool
    measures: tuple[float, ...]
    cargo: str = "none"
    upright: bool = False
    roof_rails: float = 0.0
    cladding: float = 0.04
    commercial: float = 0.05
    elder: str = ""
    haulage: bool = False


MEASURES: Final = (
    "wheelbase",
    "front_overhang",
    "rear_overhang",
    "height",
    "width",
    "wheel_radius",
    "clearance",
    "hood_front_z",
    "cowl_z",
    "cowl_x",
    "roof_front_x",
    "roof_rear_x",
    "roof_rear_z",
    "rear_window_x",
    "rear_window_z",
    "deck_z",
    "deck_inset",
    "tumblehome",
)
"""The measures of `BodyShape` that differ between families."""

# fmt: off
FAMILIES: Final[dict[str, Family]] = {
    "sedan": Family(
        "sedan", 0.20, doors="two", tailgate=False,
        measures=(
            2.72, 0.90, 1.05, 1.46, 1.82, 0.325, 0.19,
            0.74, 0.98, -0.52, -1.22, -2.62, 1.40, -3.22, 1.06, 1.02, 0.08, 0.30,
        ),
    ),
    "suv": Family(
        "suv", 0.12, doors="two", tailgate=True, roof_rails=0.65, cladding=0.6,
        measures=(
            2.72, 0.90, 0.95, 1.70, 1.88, 0.365, 0.25,
            0.93, 1.14, -0.50, -1.10, -3.25, 1.64, -3.58, 1.16, 1.02, 0.04, 0.22,
        ),
    ),
    "van": Family(
        "van", 0.09, doors="slide", tailgate=True, cladding=0.25, commercial=0.5,
        measures=(
            2.95, 0.80, 1.00, 1.98, 1.84, 0.325, 0.20,
            0.88, 1.16, 0.18, -0.72, -3.78, 1.94, -3.90, 1.25, 1.05, 0.03, 0.10,
        ),
    ),
    "hatchback": Family(
        "hatchback", 0.11, doors="two", tailgate=True,
        measures=(
            2.55, 0.82, 0.68, 1.48, 1.74, 0.305, 0.18,
            0.76, 1.00, -0.40, -1.05, -2.70, 1.41, -3.05, 1.05, 0.92, 0.04, 0.28,
        ),
    ),
    "mpv": Family(
        "mpv", 0.08, doors="two", tailgate=True, roof_rails=0.5,
        measures=(
            2.82, 0.88, 0.92, 1.68, 1.82, 0.325, 0.18,
            0.80, 1.08, -0.18, -1.00, -3.30, 1.60, -3.62, 1.14, 0.98, 0.04, 0.20,
        ),
    ),
    "pickup": Family(
        "pickup", 0.08, doors="cab", tailgate=False, cargo="bed", cladding=0.4, commercial=0.15,
        measures=(
            3.25, 0.92, 1.20, 1.80, 1.90, 0.39, 0.30,
            1.00, 1.18, -0.52, -1.08, -2.42, 1.76, -2.58, 1.12, 1.12, 0.03, 0.18,
        ),
    ),
    "bus": Family(
        "bus", 0.025, doors="none", tailgate=False, upright=True, commercial=0.75,
        measures=(
            5.60, 2.20, 2.60, 3.05, 2.50, 0.48, 0.32,
            0.98, 1.22, 2.08, 1.88, -8.10, 3.00, -8.16, 1.75, 1.25, 0.03, 0.03,
        ),
    ),
    "city_bus": Family(
        "bus", 0.025, doors="none", tailgate=False, upright=True, commercial=0.5, elder="bus",
        measures=(
            5.90, 2.65, 3.35, 3.05, 2.54, 0.48, 0.28,
            0.85, 1.05, 2.52, 2.36, -9.15, 3.00, -9.20, 1.70, 1.20, 0.02, 0.02,
        ),
    ),
    "truck": Family(
        "truck", 0.012, doors="cab", tailgate=False, cargo="box", upright=True, commercial=0.6,
        measures=(
            3.60, 1.15, 1.35, 2.20, 2.00, 0.41, 0.34,
            0.98, 1.28, 1.02, 0.72, -0.55, 2.20, -0.72, 1.10, 1.05, 0.02, 0.06,
        ),
    ),
    "semitrailer": Family(
        "truck", 0.026, doors="cab", tailgate=False, cargo="box", upright=True, commercial=0.6,
        elder="truck", haulage=True,
        measures=(
            10.40, 1.42, 1.70, 3.10, 2.44, 0.50, 0.30,
            0.98, 1.72, 1.26, 1.02, -0.72, 3.06, -0.88, 1.50, 1.30, 0.02, 0.04,
        ),
    ),
    "rigid_truck": Family(
        "truck", 0.016, doors="cab", tailgate=False, cargo="box", upright=True, commercial=0.6,
        elder="truck", haulage=True,
        measures=(
            4.90, 1.36, 2.00, 2.72, 2.36, 0.48, 0.32,
            0.98, 1.56, 1.22, 0.96, -0.52, 2.68, -0.66, 1.40, 1.25, 0.02, 0.05,
        ),
    ),
    "hooded_truck": Family(
        "truck", 0.006, doors="cab", tailgate=False, cargo="box", commercial=0.6, elder="truck", haulage=True,
        measures=(
            11.60, 1.10, 1.70, 3.10, 2.30, 0.51, 0.38,
            1.42, 1.78, -0.62, -0.98, -3.05, 3.04, -3.20, 1.60, 1.40, 0.03, 0.06,
        ),
    ),
    "estate": Family(
        "estate", 0.06, doors="two", tailgate=True, roof_rails=0.65, cladding=0.12,
        measures=(
            2.75, 0.90, 1.08, 1.49, 1.82, 0.325, 0.18,
            0.75, 0.99, -0.52, -1.22, -3.36, 1.44, -3.66, 1.04, 0.98, 0.04, 0.28,
        ),
    ),
    "coupe": Family(
        "sedan", 0.04, doors="one", tailgate=False,
        measures=(
            2.60, 0.92, 0.95, 1.30, 1.86, 0.335, 0.14,
            0.66, 0.88, -0.62, -1.40, -2.05, 1.27, -3.02, 0.98, 0.96, 0.10, 0.36,
        ),
    ),
    "minibus": Family(
        "bus", 0.03, doors="slide", tailgate=True, commercial=0.5,
        measures=(
            3.90, 1.00, 1.60, 2.62, 2.00, 0.36, 0.28,
            0.98, 1.26, 0.42, -0.42, -5.36, 2.58, -5.44, 1.55, 1.20, 0.03, 0.07,
        ),
    ),
    "city_car": Family(
        "hatchback", 0.04, doors="one", tailgate=True, cladding=0.1,
        measures=(
            2.34, 0.68, 0.52, 1.52, 1.62, 0.285, 0.16,
            0.78, 1.02, -0.20, -0.88, -2.42, 1.46, -2.74, 1.04, 0.92, 0.03, 0.22,
        ),
    ),
    "coach": Family(
        "bus", 0.010, doors="none", tailgate=False, upright=True, commercial=0.8,
        measures=(
            6.10, 2.40, 3.10, 3.45, 2.50, 0.50, 0.35,
            1.15, 1.45, 2.28, 1.90, -9.05, 3.38, -9.12, 2.20, 1.50, 0.04, 0.04,
        ),
    ),
    "tour_coach": Family(
        "bus", 0.010, doors="none", tailgate=False, upright=True, commercial=0.7, elder="coach",
        measures=(
            6.20, 2.60, 3.30, 3.58, 2.52, 0.50, 0.33,
            1.05, 1.50, 2.42, 1.78, -9.30, 3.50, -9.42, 2.25, 1.45, 0.04, 0.05,
        ),
    ),
    "double_decker": Family(
        "bus", 0.006, doors="none", tailgate=False, upright=True, commercial=0.7,
        measures=(
            5.30, 2.40, 2.50, 4.30, 2.52, 0.48, 0.30,
            0.98, 1.22, 2.26, 2.12, -7.66, 4.24, -7.72, 3.00, 1.30, 0.03, 0.02,
        ),
    ),
    "midi_coach": Family(
        "bus", 0.014, doors="none", tailgate=False, upright=True, commercial=0.6, elder="double_decker",
        measures=(
            4.10, 1.70, 2.30, 3.10, 2.30, 0.42, 0.30,
            0.95, 1.25, 1.50, 1.05, -6.20, 3.04, -6.30, 1.95, 1.30, 0.05, 0.05,
        ),
    ),
    "light_truck": Family(
        "truck", 0.010, doors="cab", tailgate=False, cargo="box", commercial=0.6,
        measures=(
            3.30, 0.86, 1.20, 2.06, 1.92, 0.345, 0.25,
            0.94, 1.20, 0.10, -0.60, -1.32, 2.02, -1.46, 1.20, 1.12, 0.02, 0.09,
        ),
    ),
    "box_truck": Family(
        "truck", 0.020, doors="cab", tailgate=False, cargo="box", upright=True, commercial=0.5,
        elder="light_truck", haulage=True,
        measures=(
            3.50, 1.12, 1.55, 2.24, 1.94, 0.40, 0.32,
            0.90, 1.28, 1.00, 0.70, -0.48, 2.22, -0.62, 1.15, 1.05, 0.02, 0.06,
        ),
    ),
    "crossover": Family(
        "suv", 0.04, doors="two", tailgate=True, roof_rails=0.4, cladding=0.75,
        measures=(
            2.64, 0.88, 0.80, 1.58, 1.80, 0.34, 0.22,
            0.84, 1.06, -0.46, -1.10, -2.80, 1.50, -3.26, 1.12, 1.00, 0.05, 0.26,
        ),
    ),
}
# fmt: on
"""The families by their names."""

_GOLDEN: Final = 0.6180339887498949


def family_at(place: float, number: int, shares: Mapping[str, float] = MappingProxyType({})) -> str:
    """Return the family of a vehicle or model by its number, in the shares of the weights.

    Steps of the golden ratio spread over the families more evenly than chance: few dozen consecutive numbers
    suffice for every type to come.

    Args:
        place: 0..1, where the steps begin; a seed's own.
        number: of the vehicle or model.
        shares: of types, 0..1; the types that it leaves out divide the rest by their families' weights.
    """
    weights = _weights(shares)
    left = (place + number * _GOLDEN) % 1.0 * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return name


def _weights(shares: Mapping[str, float]) -> dict[str, float]:
    if not shares:
        return {name: family.weight for name, family in FAMILIES.items()}
    of_type: dict[str, float] = {}
    for family in FAMILIES.values():
        of_type[family.type_name] = of_type.get(family.type_name, 0.0) + family.weight
    others = sum(weight for name, weight in of_type.items() if name not in shares)
    rest = max(1.0 - sum(shares.values()), 0.0)
    factor = {
        name: shares[name] / weight if name in shares else rest / others for name, weight in of_type.items()
    }
    weights = {name: family.weight * factor[family.type_name] for name, family in FAMILIES.items()}
    return {name: weight for name, weight in weights.items() if weight > 0}
