# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Draws faces, backs and plates. A model's face is its own; equipment lines and mountings vary within it."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.specification.families import Family
from pamtri_edge.synth.specification.fascia import FrontFascia, Plate, RearFascia
from pamtri_edge.synth.specification.parts import BodyShape, Rgb
from pamtri_edge.synth.specification.streams import chance, pick

_BADGES = ("round", "round", "oval", "ring", "bow_tie", "bar", "diamond", "rings", "star", "words", "none")
# fmt: off
_BADGE_TINTS: tuple[Rgb, ...] = (
    (0.02, 0.05, 0.30), (0.40, 0.02, 0.02), (0.02, 0.02, 0.02), (0.60, 0.45, 0.10), (0.50, 0.50, 0.52),
)
_GRILLES = (
    "trapezoid", "shield", "hexagon", "flared", "box", "slit", "two_slits",
    "kidneys", "quarters", "wings", "mouth", "spindle", "slots", "closed",
)
_FILLS = (
    "bars", "bars", "thick_bars", "uprights", "one_bar", "wing_bar", "net", "dots", "hollow", "paint",
)
_HEADLAMPS = {
    "city_car": ("round", "bug_eye", "almond", "almond", "swept", "triangle"),
    "truck": (
        "rectangle", "rectangle", "trapezoid", "round", "stacked", "twin_round", "swept", "vertical",
    ),
    "bus": ("rectangle", "trapezoid", "stacked", "twin_round", "almond", "swept", "round"),
    "pickup": ("rectangle", "trapezoid", "stacked", "hook", "swept", "split", "twin_round"),
    "van": ("trapezoid", "vertical", "swept", "triangle", "rectangle", "almond", "stacked"),
}
_COMMON_HEADLAMPS = (
    "swept", "swept", "rectangle", "trapezoid", "slim", "almond", "almond", "triangle",
    "hook", "boomerang", "split", "stacked", "twin_round", "vertical",
)
_TAILLAMPS = {
    "pickup": ("vertical", "square", "vertical", "c_shape", "tall"),
    "bus": ("square", "round_stack", "vertical", "two_bars", "round_pair"),
    "truck": ("square",),
    "coupe": ("round_pair", "bar", "thin_bar", "slim", "horizontal", "boomerang", "triangle"),
}
_COMMON_TAILLAMPS: tuple[str, ...] = (
    "horizontal", "wedge", "square", "bar", "thin_bar", "l_shape", "c_shape",
    "triangle", "slim", "boomerang", "two_bars", "round_pair", "vertical", "round_one",
)
_TAIL_PATTERNS = (
    "plain", "white_low", "white_mid", "amber_top", "amber_low",
    "amber_out", "white_in", "clear", "led", "bright_rim",
)
# fmt: on


def draw_front(
    name: str, family: Family, shape: BodyShape, model: np.random.Generator, own: np.random.Generator
) -> FrontFascia:
    """Draw a face.

    Args:
        name: of the family.
        family: it.
        shape: the body, whose face is between sill and hood.
        model: random numbers that all vehicles of the model share.
        own: random numbers of the identity.
    """
    room = shape.hood_front_z - shape.clearance
    grille = pick(model, _GRILLES)
    lamp = pick(model, _HEADLAMPS.get(name, _COMMON_HEADLAMPS))
    tall_lamp = lamp in ("vertical", "stacked", "split", "round", "bug_eye")
    lamp_height = room * (model.uniform(0.24, 0.36) if tall_lamp else model.uniform(0.14, 0.27))
    if lamp in ("slim", "boomerang"):
        lamp_height = room * model.uniform(0.11, 0.17)
    grille_height = room * {
        "slit": model.uniform(0.12, 0.2),
        "spindle": model.uniform(0.50, 0.62),
        "mouth": model.uniform(0.30, 0.5),
        "shield": model.uniform(0.30, 0.5),
        "two_slits": model.uniform(0.2, 0.3),
    }.get(grille, model.uniform(0.17, 0.36))
    lamp_inner = model.uniform(0.46, 0.68)
    if lamp in ("round", "bug_eye", "vertical"):
        lamp_inner = model.uniform(0.58, 0.70)
    wide_grille = chance(model, 0.25)
    grille_width = model.uniform(0.30, 0.55) if not wide_grille else lamp_inner - 0.02
    if family.upright:
        grille_width = model.uniform(0.45, 0.75)
    return FrontFascia(
        grille=grille,
        grille_fill=pick(model, _FILLS),
        grille_width=grille_width,
        grille_top=model.uniform(0.03, 0.09),
        grille_height=grille_height,
        grille_frame=pick(own, ("chrome", "chrome", "satin", "dark", "dark", "paint")),
        grille_bars=int(model.integers(2, 7)),
        badge=pick(model, _BADGES),
        badge_size=model.uniform(0.040, 0.075),
        badge_tint=pick(model, _BADGE_TINTS),
        lamp=lamp,
        lamp_inner=lamp_inner,
        lamp_top=model.uniform(0.02, 0.07),
        lamp_height=lamp_height,
        lamp_wrap=model.uniform(0.06, 0.16) if family.upright else model.uniform(0.12, 0.42),
        lamp_slant=model.uniform(-0.01, 0.035),
        lamp_housing=pick(model, ("bright", "bright", "dark")),
        lamp_lenses=int(model.integers(0, 4)) if not tall_lamp else 1,
        drl=pick(model, ("none", "foot", "brow", "hook", "tick", "bars", "frame")),
        intake=pick(model, ("wide", "smile", "frown", "three", "three", "corners", "slot", "none")),
        intake_height=room * model.uniform(0.12, 0.26),
        intake_width=model.uniform(0.45, 0.80),
        fog=pick(own, ("none", "none", "round", "slot", "upright", "amber", "double")),
        fog_frame=pick(model, ("none", "chrome", "dark", "dark")),
        insert=pick(
            model,
            ("silver", "chrome", "dark")
            if name in ("suv", "crossover", "pickup")
            else ("none", "none", "none", "silver", "paint", "dark"),
        ),
        lip=model.uniform(0.02, 0.10),
        bumper=_bumper(name, own),
        plate_z=shape.clearance + room * model.uniform(0.20, 0.50),
        plate_y=own.uniform(-0.42, 0.42) if chance(own, 0.08) else own.normal(0, 0.008),
        hood_lines=int(model.integers(0, 4)),
        hood_scoop=chance(model, 0.06) and name in ("sedan", "coupe", "suv", "pickup", "hatchback"),
        washer=chance(model, 0.5),
    )


def _bumper(name: str, own: np.random.Generator) -> str:
    if name in ("van", "pickup", "truck", "minibus"):
        return pick(own, ("paint", "paint", "plastic", "plastic", "chrome" if name == "pickup" else "second"))
    return "plastic" if chance(own, 0.06) else "paint"


def draw_rear(
    name: str, family: Family, shape: BodyShape, model: np.random.Generator, own: np.random.Generator
) -> RearFascia:
    """Draw a back; the arguments are those of `draw_front`."""
    gate = "trunk"
    if family.tailgate:
        gate = "doors" if name in ("van", "minibus") and chance(model, 0.55) else "hatch"
    lamp = _taillamp(name, gate, model)
    height, top = _taillamp_place(lamp, shape, model)
    spoiler = "none"
    if family.tailgate and chance(own, 0.55):
        spoiler = "roof"
    elif not family.tailgate and chance(own, 0.25):
        spoiler = pick(own, ("lip", "lip", "wing"))
    words = (own.uniform(0.1, 0.35), own.uniform(0.08, 0.3))
    return RearFascia(
        lamp=lamp,
        lamp_inner={"bar": 0.66, "thin_bar": 0.66}.get(lamp, model.uniform(0.42, 0.66)),
        lamp_top=top,
        lamp_height=height,
        lamp_wrap=model.uniform(0.05, 0.10) if family.upright else model.uniform(0.10, 0.34),
        lamp_pattern=pick(model, _TAIL_PATTERNS),
        lamp_smoked=model.uniform(0.3, 1.0) if chance(model, 0.18) else 0.0,
        plate_at="bumper"
        if chance(model, 0.4) or (name in ("pickup", "van") and chance(model, 0.5))
        else "gate",
        plate_y=own.uniform(-0.4, 0.4)
        if name in ("van", "truck") and chance(own, 0.4)
        else own.normal(0, 0.008),
        recess=chance(model, 0.5),
        strip=pick(model, ("none", "chrome", "chrome", "dark", "paint")),
        badge=pick(model, _BADGES),
        badge_size=model.uniform(0.035, 0.06),
        lettering=words if chance(own, 0.7) else (0.0, words[1]),
        wiper=family.tailgate and chance(model, 0.8),
        spoiler=spoiler,
        insert=pick(model, ("none", "dark", "dark", "silver", "diffuser")),
        insert_height=model.uniform(0.05, 0.22),
        reflectors=pick(model, ("none", "bar", "bar", "round")),
        exhausts=pick(own, ("none", "left", "right", "both", "wide", "center", "none")),
        spare_wheel=name in ("suv", "crossover") and chance(model, 0.10),
        ladder=name in ("van", "minibus", "mpv") and chance(own, 0.12),
        gate=gate,
        window_scale=model.uniform(0.84, 1.0),
    )


def _taillamp(name: str, gate: str, model: np.random.Generator) -> str:
    if gate == "doors":
        return pick(model, ("tall", "vertical", "square", "round_stack"))
    common = _COMMON_TAILLAMPS
    if gate == "hatch":
        common = (*common, "tall", "tall", "vertical", "l_shape", "round_stack")
    return pick(model, _TAILLAMPS.get(name, common))


def _taillamp_place(lamp: str, shape: BodyShape, model: np.random.Generator) -> tuple[float, float]:
    """Return height and upper edge of the rear lamps."""
    deck = shape.deck_z
    if lamp in ("tall", "vertical", "round_stack") and shape.roof_rear_z > deck + 0.35 and shape.height < 2.3:
        top = min(shape.roof_rear_z - 0.22, deck + model.uniform(0.05, 0.5))
        return max(top - deck + model.uniform(0.15, 0.3), 0.3), top
    if lamp in ("thin_bar", "slim"):
        return model.uniform(0.10, 0.15), deck - model.uniform(0.04, 0.10)
    height = (
        model.uniform(0.26, 0.38)
        if lamp in ("vertical", "tall", "round_stack", "c_shape", "l_shape")
        else model.uniform(0.14, 0.25)
    )
    return height, deck - model.uniform(0.03, 0.09)


_PLATES: tuple[tuple[Rgb, Rgb, Rgb | None, str, float, float], ...] = (
    ((0.80, 0.80, 0.78), (0.02, 0.02, 0.02), (0.02, 0.08, 0.45), "one_row", 0.52, 0.115),
    ((0.80, 0.80, 0.78), (0.02, 0.02, 0.02), None, "one_row", 0.52, 0.115),
    ((0.72, 0.52, 0.05), (0.02, 0.02, 0.02), (0.02, 0.08, 0.45), "one_row", 0.52, 0.115),
    ((0.02, 0.06, 0.38), (0.80, 0.80, 0.80), None, "one_row", 0.44, 0.14),
    ((0.10, 0.45, 0.25), (0.02, 0.02, 0.02), None, "one_row", 0.48, 0.14),
    ((0.78, 0.78, 0.76), (0.04, 0.20, 0.08), None, "two_rows", 0.33, 0.165),
    ((0.70, 0.60, 0.08), (0.02, 0.02, 0.02), None, "two_rows", 0.33, 0.165),
    ((0.76, 0.78, 0.80), (0.05, 0.08, 0.30), None, "picture", 0.305, 0.155),
    ((0.70, 0.75, 0.80), (0.25, 0.03, 0.03), None, "picture", 0.305, 0.155),
    ((0.02, 0.02, 0.02), (0.75, 0.75, 0.75), None, "two_rows", 0.34, 0.20),
)


def draw_plate(rng: np.random.Generator) -> Plate:
    """Draw a license plate of one of the world's usual kinds."""
    ground, ink, band, layout, width, height = pick(rng, _PLATES)
    return Plate(width, height, ground, ink, band, layout, int(rng.integers(1 << 30)))
