# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what one vehicle has for itself: cabin, decals, flaws, cargo, a bus's doors and sign."""

from __future__ import annotations

import dataclasses

import numpy as np

from pamtri_edge.synth.specification.families import Family
from pamtri_edge.synth.specification.marks import Bus, Cargo, Decal, Flaw
from pamtri_edge.synth.specification.parts import BodyShape, Cabin, Rgb
from pamtri_edge.synth.specification.streams import chance, pick

# fmt: off
_INKS: tuple[Rgb, ...] = (
    (0.75, 0.75, 0.75), (0.75, 0.75, 0.75), (0.02, 0.02, 0.02), (0.02, 0.02, 0.02),
    (0.45, 0.02, 0.02), (0.45, 0.02, 0.02), (0.02, 0.05, 0.30), (0.02, 0.05, 0.30),
    (0.03, 0.18, 0.45), (0.02, 0.22, 0.06), (0.20, 0.35, 0.03), (0.65, 0.45, 0.02),
    (0.60, 0.18, 0.01), (0.25, 0.03, 0.22), (0.03, 0.30, 0.32), (0.30, 0.30, 0.31),
)
# fmt: on
"""What company signs are usually printed in."""


def draw_ink(rng: np.random.Generator) -> Rgb:
    """Draw a printed color: one of the usual ones, a little off."""
    base = np.array(pick(rng, _INKS)) * rng.uniform(0.75, 1.15) + rng.uniform(0, 0.02, 3)
    red, green, blue = (float(min(one, 0.85)) for one in base)
    return red, green, blue


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the seed of a pattern."""
    return int(rng.integers(1 << 30))


def _muted(rng: np.random.Generator) -> Rgb:
    """Draw the color of a tarpaulin or a painted box."""
    red, green, blue = (0.55 * one + 0.06 for one in draw_ink(rng))
    return red, green, blue


def _factors(rng: np.random.Generator, low: float, high: float) -> Rgb:
    red, green, blue = rng.uniform(low, high, 3).tolist()
    return red, green, blue


def draw_cabin(name: str, rng: np.random.Generator) -> Cabin:
    """Draw what is seen through the glass."""
    dash = tuple(
        (rng.uniform(-0.85, 0.85), rng.uniform(0.04, 0.12), *_factors(rng, 0.4, 1.9))
        for _ in range(int(rng.integers(0, 3)))
    )
    shelf = tuple(
        (rng.uniform(-0.8, 0.8), rng.uniform(0.06, 0.22), *_factors(rng, 0.4, 1.9))
        for _ in range(int(rng.integers(0, 4)) if chance(rng, 0.4) else 0)
    )
    stickers = tuple(
        (
            pick(rng, (-1, 1)) * rng.uniform(0.6, 0.9),
            rng.uniform(0.08, 0.92),
            rng.uniform(0.02, 0.055),
            *draw_ink(rng),
        )
        for _ in range(max(int(rng.integers(-1, 3)), 0))
    )
    rear_stickers = tuple(
        (rng.uniform(-0.85, 0.85), rng.uniform(0.1, 0.85), rng.uniform(0.06, 0.13), *draw_ink(rng))
        for _ in range(int(rng.integers(1, 3)) if chance(rng, 0.25) else 0)
    )
    return Cabin(
        tint=float(np.exp(rng.uniform(np.log(0.012), np.log(0.09)))),
        privacy=rng.uniform(0.25, 0.6) if chance(rng, 0.3) else 1.0,
        steering=1 if chance(rng, 0.8) else -1,
        seats=rng.uniform(0.75, 1.5),
        driver=chance(rng, 0.85),
        passenger=chance(rng, 0.3),
        headrests=name != "coupe" or chance(rng, 0.3),
        dash=dash,
        shelf=shelf,
        hanger=chance(rng, 0.12),
        stickers=stickers,
        rear_stickers=rear_stickers,
        shade=pick(rng, (-1, 0, 0, 0, 1)),
    )


def draw_decals(name: str, family: Family, rng: np.random.Generator) -> tuple[Decal, ...]:
    """Draw what is stuck on the body: company colors, or a stripe, a word, a sticker."""
    decals: list[Decal] = []
    if chance(rng, family.commercial) and family.cargo != "box":
        decals += _livery(name, rng)
    elif chance(rng, 0.10):
        wide = rng.uniform(1.0, 2.4)
        kind = pick(rng, ("stripe", "twin_stripe", "wedge", "swoosh", "checker"))
        ink, other = draw_ink(rng), draw_ink(rng)
        z, tall = rng.uniform(0.35, 0.8), rng.uniform(0.05, 0.16)
        decals.append(Decal(kind, "both", 0.5, z, wide, tall, ink, other, draw_seed(rng)))
    if chance(rng, 0.05) and not family.upright:
        kind = pick(rng, ("stripe", "twin_stripe"))
        ink = pick(rng, ((0.02, 0.02, 0.02), (0.75, 0.75, 0.75), (0.4, 0.02, 0.02)))
        decals += [Decal(kind, place, 0.5, 0.5, 1.0, 0.22, ink, ink, 0) for place in ("hood", "roof")]
    if chance(rng, 0.10):
        place = pick(rng, ("left", "right", "rear", "hood"))
        size = rng.uniform(0.12, 0.35)
        kind = pick(rng, ("round", "block", "rows"))
        x, z = rng.uniform(0.2, 0.8), rng.uniform(0.45, 0.8)
        ink, other = draw_ink(rng), draw_ink(rng)
        decals.append(Decal(kind, place, x, z, size, 0.8 * size, ink, other, draw_seed(rng)))
    return tuple(decals)


def _livery(name: str, rng: np.random.Generator) -> list[Decal]:
    ink, other = draw_ink(rng), draw_ink(rng)
    large = name in ("bus", "minibus", "van")
    tall = rng.uniform(0.35, 0.7) if large else rng.uniform(0.14, 0.3)
    wide = rng.uniform(1.6, 3.6) if large else rng.uniform(0.8, 1.6)
    if name == "bus":
        wide *= 1.8
    kind = pick(
        rng, ("lettering", "panel", "wedge", "swoosh", "stripe", "twin_stripe", "rows", "round", "checker")
    )
    z = rng.uniform(0.55, 0.8)
    result = [Decal(kind, "both", rng.uniform(0.35, 0.6), z, wide, tall, ink, other, draw_seed(rng))]
    if chance(rng, 0.6):
        place = pick(rng, ("left", "right", "both"))
        kind = pick(rng, ("lettering", "rows", "round", "panel"))
        x, z = rng.uniform(0.25, 0.7), rng.uniform(0.35, 0.7)
        result.append(Decal(kind, place, x, z, 0.5 * wide, 0.5 * tall, other, ink, draw_seed(rng)))
    if chance(rng, 0.5):
        kind, x = pick(rng, ("rows", "lettering")), rng.uniform(0.35, 0.65)
        result.append(Decal(kind, "rear", x, 0.72, 0.7, 0.16, ink, other, draw_seed(rng)))
    if chance(rng, 0.3):
        result.append(Decal("panel", "roof", 0.5, 0.5, 0.9, 0.6, ink, other, draw_seed(rng)))
    if chance(rng, 0.25):
        kind = pick(rng, ("round", "block"))
        result.append(Decal(kind, "hood", 0.5, 0.55, 0.45, 0.45, ink, other, draw_seed(rng)))
    return result


def draw_taxi(tint: Rgb, rng: np.random.Generator) -> tuple[Decal, ...]:
    """Draw what taxis carry besides the sign on the roof: a band or a field on the doors, or nothing."""
    kind = pick(rng, ("checker", "block", "stripe", "lettering", "none"))
    if kind == "none":
        return ()
    wide, tall = rng.uniform(0.7, 2.2), rng.uniform(0.10, 0.26)
    ink = tint if chance(rng, 0.5) else (0.02, 0.02, 0.02)
    x, z = rng.uniform(0.45, 0.6), rng.uniform(0.5, 0.75)
    return (Decal(kind, "both", x, z, wide, tall, ink, draw_ink(rng), draw_seed(rng)),)


def draw_flaws(rng: np.random.Generator) -> tuple[Flaw, ...]:
    """Draw dirt, dents and repairs; most vehicles have one or two that a camera may see."""
    flaws: list[Flaw] = []
    if chance(rng, 0.06):
        level = rng.uniform(0.35, 1.9)
        red, green, blue = (level * rng.uniform(0.8, 1.2, 3)).tolist()
        place = pick(rng, ("left", "right", "hood", "front", "rear"))
        x = rng.uniform(0, 0.99)
        flaws.append(Flaw("panel", place, x, 0.5, 1.0, (red, green, blue), draw_seed(rng)))
    for _ in range(int(rng.poisson(1.3))):
        kind = pick(rng, ("scratch", "dent", "patch", "splash", "dust", "rust"))
        place = pick(rng, ("left", "right", "left", "right", "front", "rear", "hood", "roof"))
        level = {
            "scratch": rng.uniform(0.6, 2.0),
            "dent": rng.uniform(0.6, 0.85),
            "patch": rng.uniform(0.6, 1.6),
            "splash": rng.uniform(0.6, 1.5),
            "dust": rng.uniform(0.85, 1.4),
            "rust": 1.0,
        }[kind]
        size = {
            "scratch": rng.uniform(0.15, 0.5),
            "rust": rng.uniform(0.06, 0.18),
            "dust": rng.uniform(0.4, 0.9),
        }.get(kind, rng.uniform(0.15, 0.4))
        x, z = rng.uniform(0.08, 0.92), rng.uniform(0.25, 0.95)
        flaws.append(Flaw(kind, place, x, z, size, (level, level, level), draw_seed(rng)))
    return tuple(flaws)


def draw_cargo(family: Family, shape: BodyShape, rng: np.random.Generator) -> Cargo | None:
    """Draw what a truck or pickup carries; None for the others."""
    if family.cargo == "none":
        return None
    if family.cargo == "bed":
        kind = pick(rng, ("open", "open", "tonneau", "canopy", "sports_bar", "load"))
        return Cargo(kind, shape.deck_z, (0.3, 0.3, 0.3), 0, chance(rng, 0.5), ())
    kind = pick(rng, ("box", "box", "box", "curtain", "tipper", "flatbed"))
    floor = 2 * shape.wheel_radius + 0.12
    height = floor + rng.uniform(0.5, 0.8) if kind in ("tipper", "flatbed") else rng.uniform(2.45, 3.25)
    plain: tuple[Rgb, ...] = ((0.72, 0.72, 0.70), (0.72, 0.72, 0.71), (0.62, 0.63, 0.64), (0.35, 0.36, 0.37))
    tint = pick(rng, (*plain, _muted(rng), _muted(rng)))
    logo: list[Decal] = []
    if kind in ("box", "curtain") and chance(rng, 0.75):
        ink, other = draw_ink(rng), draw_ink(rng)
        what = pick(
            rng,
            ("lettering", "panel", "round", "swoosh", "rows", "stripe", "twin_stripe", "wedge", "checker"),
        )
        size = (rng.uniform(1.2, 2.8), rng.uniform(0.35, 0.8))
        x, z = rng.uniform(0.4, 0.6), rng.uniform(0.5, 0.72)
        logo.append(Decal(what, "both", x, z, *size, ink, other, draw_seed(rng)))
        if chance(rng, 0.5):
            side = pick(rng, ("left", "right", "both"))
            logo.append(Decal("rows", side, 0.5, 0.22, 1.0, 0.3, other, ink, draw_seed(rng)))
        if chance(rng, 0.5):
            what = pick(rng, ("lettering", "round"))
            logo.append(Decal(what, "rear", 0.5, 0.65, 1.0, 0.3, ink, other, draw_seed(rng)))
    return Cargo(kind, height, tint, int(rng.integers(0, 14)), chance(rng, 0.3), tuple(logo))


def draw_bus(family: Family, rng: np.random.Generator) -> Bus | None:
    """Draw what only buses have; None for the others."""
    if not family.upright or family.cargo != "none":
        return None
    bus = Bus(
        doors=pick(rng, ((0.90,), (0.90, 0.48), (0.90, 0.55), (0.90, 0.52, 0.15))),
        boarding=pick(rng, (1, -1, -1)),
        pitch=rng.uniform(1.1, 1.8),
        sign=pick(rng, ((0.75, 0.45, 0.02), (0.7, 0.7, 0.7), (0.6, 0.1, 0.02), (0.5, 0.65, 0.1))),
        sign_pattern=draw_seed(rng),
        skirt=rng.uniform(0.75, 0.95),
        windows_to_roof=chance(rng, 0.4),
        panel=chance(rng, 0.3),
    )
    if not family.elder:
        return bus
    coolers = pick(rng, ((0.12,), (0.3,), (0.5,), (0.15, 0.75), (0.3, 0.65), (0.6, 0.85)))
    vents = rng.uniform(0.1, 0.95, int(rng.integers(1, 3))).tolist()
    return dataclasses.replace(
        bus,
        panel=chance(rng, 0.08),
        dark_back=chance(rng, 0.35),
        hatches=(*coolers, *vents),
        bright_roof=chance(rng, 0.5),
    )
