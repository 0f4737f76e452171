# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Draws vehicles: shape, paint, wheels and trim; faces and marks are drawn by the modules beside this one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from pamtri_edge.synth.specification.families import FAMILIES, MEASURES, Family, family_at
from pamtri_edge.synth.specification.parts import BodyShape, Paint, Rgb, Trim, Wheels
from pamtri_edge.synth.specification.sampling_fascia import draw_front, draw_plate, draw_rear
from pamtri_edge.synth.specification.sampling_haulage import draw_haulage
from pamtri_edge.synth.specification.sampling_marks import (
    draw_bus,
    draw_cabin,
    draw_cargo,
    draw_decals,
    draw_flaws,
    draw_taxi,
)
from pamtri_edge.synth.specification.streams import chance, pick

SWATCHES: Final[dict[str, tuple[Rgb, ...]]] = {
    "yellow": ((0.74, 0.50, 0.03), (0.70, 0.56, 0.10), (0.62, 0.40, 0.01)),
    "orange": ((0.68, 0.19, 0.015), (0.60, 0.23, 0.04), (0.50, 0.11, 0.01)),
    "green": ((0.03, 0.18, 0.07), (0.015, 0.07, 0.04), (0.12, 0.30, 0.05), (0.10, 0.26, 0.20)),
    "gray": ((0.15, 0.155, 0.165), (0.08, 0.085, 0.09), (0.28, 0.285, 0.29), (0.42, 0.425, 0.43)),
    "red": ((0.45, 0.015, 0.02), (0.26, 0.01, 0.02), (0.38, 0.05, 0.05), (0.16, 0.01, 0.015)),
    "blue": ((0.02, 0.07, 0.32), (0.012, 0.03, 0.13), (0.06, 0.22, 0.48), (0.14, 0.26, 0.38)),
    "white": ((0.78, 0.78, 0.77), (0.72, 0.73, 0.75), (0.74, 0.72, 0.67)),
    "golden": ((0.46, 0.34, 0.15), (0.52, 0.42, 0.24), (0.40, 0.28, 0.10)),
    "brown": ((0.085, 0.038, 0.018), (0.055, 0.028, 0.016), (0.12, 0.055, 0.028)),
    "black": ((0.008, 0.008, 0.009), (0.014, 0.014, 0.016), (0.005, 0.006, 0.009)),
}
"""Linear albedos of each color's usual shades; a paint lies between two of them."""

# fmt: off
_COLOR_WEIGHTS: Final = {
    "yellow": 0.06, "orange": 0.05, "green": 0.07, "gray": 0.16, "red": 0.11,
    "blue": 0.12, "white": 0.18, "golden": 0.05, "brown": 0.06, "black": 0.14,
}
# fmt: on

_METALLIC: Final = {"white": 0.15, "yellow": 0.2, "orange": 0.4, "red": 0.5, "golden": 0.9, "black": 0.5}
"""How likely metallic paint is; of the other colors two in three."""


_FACES: Final = {
    "coach": "bus",
    "double_decker": "bus",
    "city_bus": "bus",
    "midi_coach": "bus",
    "tour_coach": "bus",
    "light_truck": "van",
    "box_truck": "truck",
    "rigid_truck": "truck",
    "semitrailer": "truck",
    "hooded_truck": "truck",
}
"""Families with faces, backs and company colors of another."""


def draw(
    seed: int,
    identity: int,
    *,
    family: str | None,
    color: str | None,
    model: int | None,
    shares: Mapping[str, float],
) -> dict[str, Any]:
    """Return the fields of a `VehicleSpec`.

    What belongs to a model comes from one stream of random numbers, what belongs to the identity from
    another, and each group of fields from its own, so that a new option in one group leaves the others.
    """
    key = ("identity", identity) if model is None else ("model", model)

    def of_model(group: str) -> np.random.Generator:
        return _stream(seed, key[1], f"{key[0]} {group}")

    def of_identity(group: str) -> np.random.Generator:
        return _stream(seed, identity, f"own {group}")

    if family is None:
        family = family_at(_stream(seed, 0, f"{key[0]} families").random(), key[1], shares)
    if color is None:
        names = list(_COLOR_WEIGHTS)
        weights = np.array(list(_COLOR_WEIGHTS.values()))
        color = names[int(of_identity("color").choice(len(names), p=weights / weights.sum()))]
    kind = FAMILIES[family]
    shape = _shape(family, kind, of_model("shape"))
    trim = _trim(family, kind, shape, of_identity("trim"), of_model("trim"))
    face = _FACES.get(family, family)
    paint = _paint(color, kind, of_identity("paint"))
    front = draw_front(face, kind, shape, of_model("front"), of_identity("front"))
    rear = draw_rear(face, kind, shape, of_model("rear"), of_identity("rear"))
    decals = draw_decals(face, kind, of_identity("decals"))
    if trim.roof_load == "taxi":
        decals += draw_taxi(trim.load_tint, of_identity("taxi"))
    return {
        "seed": seed,
        "identity": identity,
        "family": family,
        "shape": shape,
        "paint": paint,
        "front": front,
        "rear": rear,
        "plate": draw_plate(of_identity("plate")),
        "wheels": _wheels(family, kind, of_identity("wheels")),
        "trim": trim,
        "cabin": draw_cabin(family, of_identity("cabin")),
        "dirt": _dirt(of_identity("dirt")),
        "decals": decals,
        "flaws": draw_flaws(of_identity("flaws")),
        "cargo": draw_haulage(family, shape, paint, of_identity("cargo"))
        if kind.haulage
        else draw_cargo(kind, shape, of_identity("cargo")),
        "bus": draw_bus(kind, of_identity("bus")),
    }


def _stream(seed: int, number: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, number, zlib.crc32(name.encode())])


def _dirt(rng: np.random.Generator) -> float:
    return rng.uniform(0, 0.9) ** 2 if chance(rng, 0.6) else 0.0


_SPREAD: Final = {
    "wheelbase": 0.055,
    "front_overhang": 0.09,
    "rear_overhang": 0.11,
    "height": 0.035,
    "width": 0.03,
    "wheel_radius": 0.05,
    "clearance": 0.15,
    "tumblehome": 0.22,
}
"""How far a measure strays from its family's, as a fraction."""

_SHIFT: Final = {"cowl_x": 0.09, "roof_front_x": 0.11, "roof_rear_x": 0.13, "rear_window_x": 0.07}
"""The same in meters."""


_SETBACKS: Final = {
    "bus": 0.04,
    "coach": 0.06,
    "double_decker": 0.04,
    "truck": 0.05,
    "minibus": 0.10,
    "van": 0.20,
    "city_bus": 0.03,
    "midi_coach": 0.06,
    "tour_coach": 0.07,
    "box_truck": 0.05,
    "rigid_truck": 0.05,
    "semitrailer": 0.05,
}
"""How far the hood's edge lies behind the foremost point where there is hardly a hood."""


_LENGTHS: Final = {
    "box_truck": (0.85, 1.25),
    "rigid_truck": (0.78, 1.25),
    "semitrailer": (0.66, 1.10),
    "hooded_truck": (0.72, 1.08),
}
"""Factors of a hauling truck's wheelbase."""


def _shape(name: str, family: Family, rng: np.random.Generator) -> BodyShape:
    measures = dict(zip(MEASURES, family.measures, strict=True))
    middle = dict(measures)
    for key, spread in _SPREAD.items():
        measures[key] *= 1 + spread * rng.uniform(-1, 1)
    if family.upright and family.cargo == "none":
        measures["wheelbase"] *= rng.uniform(0.85, 1.15)
    if name in ("van", "minibus", "light_truck"):
        raised = max(0.0, rng.uniform(-0.25, 0.55)) if name != "light_truck" else rng.uniform(-0.05, 0.2)
        measures["height"] += raised
        measures["wheelbase"] *= rng.uniform(0.97, 1.14)
        middle["roof_rear_z"], middle["height"] = measures["height"] - 0.04, measures["height"]
    if family.haulage:  # the load is longer or shorter, not the cab
        measures["wheelbase"] *= rng.uniform(*_LENGTHS[name])
        measures["height"] *= rng.uniform(0.96, 1.04) if name == "box_truck" else rng.uniform(0.92, 1.16)
        for key in ("wheelbase", "height"):
            middle[key] = measures[key]
        middle["roof_rear_z"] = measures["height"] - 0.04
    if name == "pickup" and chance(rng, 0.3):  # a single cab
        measures["roof_rear_x"] += 0.62
        measures["rear_window_x"] += 0.62
    squareness = _square(measures, rng)
    together = rng.uniform(-0.05, 0.05)
    for key in ("hood_front_z", "cowl_z", "rear_window_z", "deck_z"):
        measures[key] += together + rng.uniform(-0.02, 0.02)
    drop = (middle["height"] - middle["roof_rear_z"]) * rng.uniform(0.5, 1.5)
    measures["roof_rear_z"] = measures["height"] - drop
    for key, spread in _SHIFT.items():
        measures[key] += spread * rng.uniform(-1, 1)
    longer = measures["wheelbase"] - middle["wheelbase"]
    measures["roof_rear_x"] -= longer
    measures["rear_window_x"] -= longer
    upright = _SETBACKS.get(name)
    softness = 1 - squareness
    roundness = 0.5 + 0.9 * softness
    setback = upright if upright is not None else 0.11 + 0.17 * roundness * rng.uniform(0.5, 1.2)
    bulge = rng.uniform(0.10, 0.22)
    gap = rng.uniform(0.04, 0.085)
    measures["rear_overhang"] = max(measures["rear_overhang"], measures["wheel_radius"] + gap + 0.26)
    measures["rear_window_x"] = min(measures["rear_window_x"], measures["roof_rear_x"] - 0.06)
    nose = measures["front_overhang"] - bulge * (0.4 if family.upright else 1.0) - setback
    measures["cowl_x"] = min(measures["cowl_x"], nose - 0.06)
    measures["roof_front_x"] = min(measures["roof_front_x"], measures["cowl_x"] - 0.15)
    return BodyShape(
        **measures,
        nose_setback=setback,
        nose_round=roundness,
        crown=rng.uniform(0.02, 0.035) + 0.035 * softness,
        front_bulge=bulge,
        rear_bulge=rng.uniform(0.06, 0.15),
        edge_radius=rng.uniform(0.05, 0.07) + 0.08 * softness,
        corner_radius=rng.uniform(0.11, 0.15) + 0.14 * softness,
        taper=rng.uniform(0.03, 0.05) + 0.08 * softness,
        shoulder=rng.uniform(0.015, 0.05),
        crease=rng.uniform(0.0, 0.02),
        flare=rng.uniform(0.004, 0.022),
        arch_gap=gap,
        rear_pillar=rng.uniform(0.13, 0.34),
        window_kick=rng.uniform(0.0, 0.16) if chance(rng, 0.6) and family.doors != "slide" else 0.0,
    )


def _square(measures: dict[str, float], rng: np.random.Generator) -> float:
    """Draw how square the vehicle is, 0..1, and set its windows up accordingly; return it."""
    squareness = rng.uniform(0, 1)
    more = squareness - 0.5
    measures["cowl_x"] += 0.10 * more
    measures["roof_front_x"] += 0.18 * more
    measures["roof_rear_x"] -= 0.24 * more
    measures["hood_front_z"] += 0.08 * more
    measures["tumblehome"] *= 1 - 0.5 * more
    return squareness


# fmt: off
_SECOND: Final = np.array([
    (0.70, 0.70, 0.70), (0.03, 0.03, 0.035), (0.30, 0.30, 0.31), (0.10, 0.10, 0.11),
    (0.02, 0.06, 0.20), (0.40, 0.03, 0.03), (0.05, 0.20, 0.10),
])
# fmt: on
"""Second colors; the first four, without a hue, are all private cars have: the first color names them."""

_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])


def _paint(name: str, family: Family, rng: np.random.Generator) -> Paint:
    swatches = SWATCHES[name]
    one, other = pick(rng, swatches), pick(rng, swatches)
    share = rng.uniform(0, 1)
    base = (1 - share) * np.array(one) + share * np.array(other)
    base = np.clip(base * rng.uniform(0.9, 1.1) + rng.normal(0, 0.008, 3) * (base + 0.02), 0.004, 0.88)
    metallic = chance(rng, _METALLIC.get(name, 0.66))
    choices = _SECOND if family.commercial > 0.2 else _SECOND[:4]
    luminance = float(base @ _LUMINANCE)
    apart = [
        one for one in choices if abs(np.log((float(one @ _LUMINANCE) + 0.02) / (luminance + 0.02))) > 1.0
    ]
    second = apart[int(rng.integers(len(apart)))]
    return Paint(
        name=name,
        base=(float(base[0]), float(base[1]), float(base[2])),
        second=(float(second[0]), float(second[1]), float(second[2])),
        metal=rng.uniform(0.3, 0.75) if metallic else rng.uniform(0, 0.1),
        roughness=rng.uniform(0.065, 0.155),
    )


def _wheels(name: str, family: Family, rng: np.random.Generator) -> Wheels:
    if family.upright or name in ("minibus", "light_truck", "hooded_truck"):
        style = pick(rng, ("truck", "truck", "steel", "cover"))
        finish = pick(rng, ("bright", "satin", "dark", "paint"))
    elif name in ("van", "pickup") or chance(rng, 0.22):
        style = pick(rng, ("steel", "cover", "spokes", "star", "disc", "double"))
        finish = pick(rng, ("black", "satin", "bright", "dark", "paint"))
    else:
        style = pick(rng, ("spokes", "double", "turbine", "net", "fork", "star", "windmill", "cover", "disc"))
        finish = pick(rng, ("bright", "bright", "satin", "dark", "black", "two_tone"))
    return Wheels(
        style=style,
        spokes=int(pick(rng, (5, 5, 5, 6, 7, 8, 9, 10, 12))),
        spoke_width=rng.uniform(0.25, 0.62),
        rim=rng.uniform(0.60, 0.66) if family.upright else rng.uniform(0.62, 0.78),
        finish=finish,
        caliper=pick(rng, ((0.5, 0.02, 0.02), (0.6, 0.45, 0.02), (0.02, 0.08, 0.4)))
        if chance(rng, 0.12)
        else None,
        odd_wheel=int(rng.integers(4)) if chance(rng, 0.07) else -1,
        phase=rng.uniform(0, 2 * np.pi),
    )


_LOADS: Final = {
    "box": ((0.02, 0.02, 0.02), (0.6, 0.6, 0.6), (0.25, 0.25, 0.26), (0.08, 0.12, 0.3)),
    "bike": ((0.5, 0.02, 0.02), (0.02, 0.2, 0.4), (0.6, 0.6, 0.1), (0.03, 0.03, 0.03)),
    "rack": ((0.5, 0.4, 0.2), (0.6, 0.6, 0.6), (0.4, 0.1, 0.02)),
    "taxi": ((0.75, 0.55, 0.05), (0.8, 0.8, 0.8), (0.1, 0.4, 0.15), (0.05, 0.1, 0.5)),
    "beacon": ((0.6, 0.25, 0.0), (0.02, 0.05, 0.6), (0.5, 0.02, 0.02)),
    "aircon": ((0.7, 0.7, 0.7), (0.5, 0.5, 0.5)),
    "bars": ((0.03, 0.03, 0.03),),
}


_WORKING: Final = ("van", "minibus", "pickup", "light_truck", "hooded_truck")
"""Families with a hood that are not passenger cars."""


def _trim(
    name: str, family: Family, shape: BodyShape, rng: np.random.Generator, model: np.random.Generator
) -> Trim:
    cargo = family.cargo != "none"
    loads = _loads_for(name, family)
    load = pick(rng, loads) if loads and chance(rng, 0.75 if family.upright else 0.13) else "none"
    tints = _LOADS.get(load, ((0.03, 0.03, 0.03),))
    passenger_car = not family.upright and name not in _WORKING
    two_tone = "none"
    if chance(
        rng,
        0.62 if name in ("bus", "coach", "midi_coach", "tour_coach") else 0.35 if name == "minibus" else 0.05,
    ):
        two_tone = pick(rng, ("lower", "upper", "sash") if not passenger_car else ("lower", "upper"))
    rails = "none"
    if chance(rng, family.roof_rails):
        rails = pick(rng, ("bright", "dark"))
    clad = chance(model, family.cladding)
    roof = pick(rng, ("black", "second")) if passenger_car and chance(rng, 0.11) else "body"
    mirrors = pick(rng, ("paint",) * 9 + ("plastic",) * 4 + ("chrome", "second"))
    if mirrors == "second" and roof != "second" and two_tone == "none":
        mirrors = "paint"
    return Trim(
        rails=rails,
        roof_load=load,
        roof_load_y=rng.uniform(-0.28, 0.28) if load in ("box", "bike", "rack") else 0.0,
        load_tint=pick(rng, tints),
        sunroof=pick(rng, ("panel", "panel", "panorama")) if passenger_car and chance(rng, 0.28) else "none",
        roof=roof,
        antenna="none" if family.upright else pick(rng, ("none", "fin", "fin", "rod")),
        antenna_y=rng.uniform(-0.35, 0.35),
        mirrors=mirrors,
        cladding=model.uniform(0.06, 0.20) if clad else 0.0,
        molding=pick(rng, ("dark", "chrome", "paint")) if passenger_car and chance(rng, 0.3) else "none",
        window_line=pick(rng, ("chrome", "dark")) if passenger_car and chance(rng, 0.45) else "none",
        handles=pick(rng, ("paint", "paint", "dark", "chrome")),
        two_tone=two_tone,
        two_tone_z=shape.cowl_z
        * (rng.uniform(0.42, 0.72) if two_tone != "upper" else rng.uniform(0.88, 1.0)),
        steps=name in ("suv", "pickup", "minibus") and chance(rng, 0.3),
        bull_bar=name in ("suv", "pickup") and chance(rng, 0.12),
        visors=not family.upright and chance(rng, 0.15),
        pillar="dark" if chance(model, 0.72) else "paint",
        mud_flaps=chance(rng, 0.5 if cargo or name == "van" else 0.1),
        fuel_side=pick(model, (1, -1)),
    )


def _loads_for(name: str, family: Family) -> tuple[str, ...]:
    if name in ("bus", "coach"):
        return ("aircon",)
    if family.upright and family.cargo == "none" and family.elder:  # hatches and coolers are the bus's own
        return ()
    if name == "minibus":
        return ("aircon", "bars")
    if family.cargo == "box" or name == "double_decker":
        return ()
    if family.cargo == "bed":
        return ("beacon", "bars")
    if name == "van":
        return ("rack", "rack", "bars", "beacon")
    if name == "coupe":
        return ("bars",)
    return ("box", "bars", "bike", "taxi", "taxi", "box")
