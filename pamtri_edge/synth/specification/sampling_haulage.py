# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what trucks of haulage carry: which load, how tall, in which colors, on how many axles."""

from __future__ import annotations

from typing import Final

import numpy as np

from pamtri_edge.synth.specification.marks import Cargo, Decal
from pamtri_edge.synth.specification.parts import BodyShape, Paint, Rgb
from pamtri_edge.synth.specification.sampling_marks import draw_ink, draw_seed
from pamtri_edge.synth.specification.streams import chance, pick

_KINDS: Final = {
    "box_truck": ("panel", "panel", "panel", "tarp", "flatbed", "tipper"),
    "rigid_truck": ("panel", "panel", "box", "curtain", "tarp", "tarp", "tipper", "tank", "mixer", "flatbed"),
    "semitrailer": (
        *("container", "container", "container", "curtain", "curtain"),
        *("panel", "box", "skeleton", "skeleton", "tank", "flatbed"),
    ),
    "hooded_truck": ("container", "container", "skeleton", "box", "panel", "tank"),
}
"""The loads of each family; one that stands there twice comes twice as often."""

# fmt: off
_PALE: Final[tuple[Rgb, ...]] = (
    (0.62, 0.62, 0.60), (0.56, 0.57, 0.57), (0.48, 0.49, 0.50), (0.34, 0.35, 0.36), (0.58, 0.55, 0.47),
)
_CONTAINERS: Final[tuple[Rgb, ...]] = (
    (0.22, 0.035, 0.025), (0.20, 0.07, 0.03), (0.03, 0.09, 0.22), (0.02, 0.04, 0.12), (0.04, 0.20, 0.08),
    (0.18, 0.32, 0.26), (0.50, 0.17, 0.03), (0.52, 0.48, 0.36), (0.50, 0.51, 0.50), (0.45, 0.06, 0.20),
)
_TARPAULINS: Final[tuple[Rgb, ...]] = (
    (0.06, 0.065, 0.07), (0.14, 0.145, 0.14), (0.05, 0.09, 0.06), (0.04, 0.08, 0.20), (0.20, 0.10, 0.04),
)
_FRAMES: Final[tuple[Rgb, ...]] = (
    (0.03, 0.03, 0.03), (0.03, 0.03, 0.03), (0.06, 0.065, 0.07), (0.26, 0.03, 0.02),
    (0.02, 0.12, 0.08), (0.02, 0.05, 0.18), (0.42, 0.26, 0.03), (0.34, 0.10, 0.03),
)
# fmt: on
_STEEL: Final[Rgb] = (0.46, 0.47, 0.48)

_AXLE_GAP: Final = 1.32
"""Meters between the axles of a group."""

_CLEAR: Final = 1.8
"""Meters between a trailer's foremost axle and the tractor's rearmost, at least."""


def draw_haulage(name: str, shape: BodyShape, paint: Paint, rng: np.random.Generator) -> Cargo:
    """Draw a load and the frame that bears it.

    Args:
        name: of the family.
        shape: the body, whose wheelbase reaches to the rearmost axle.
        paint: of the cab; many loads have its color.
        rng: random numbers of the identity.
    """
    kind = pick(rng, _KINDS[name])
    floor = 2 * shape.wheel_radius + 0.12
    tint = _tint(kind, paint, rng)
    trailer = name in ("semitrailer", "hooded_truck")
    return Cargo(
        kind=kind,
        height=floor + _rise(kind, name, rng),
        tint=tint,
        ribs=int(rng.integers(0, 14)),
        front_unit=chance(rng, 0.45),
        logo=_logo(kind, rng),
        axles=_axles(shape, trailer, rng),
        gap=rng.uniform(0.45, 0.9) if trailer else rng.uniform(0.04, 0.15),
        overhang=rng.uniform(0.06, 0.14) if name == "box_truck" else rng.uniform(0.05, 0.08),
        frame=pick(rng, _FRAMES) if trailer or kind in ("tarp", "mixer") else (0.03, 0.03, 0.03),
        foot=_foot(kind, paint, rng),
    )


def _rise(kind: str, name: str, rng: np.random.Generator) -> float:
    """Draw how tall the load is."""
    small = name == "box_truck"
    low, high = {
        "skeleton": (0.14, 0.20),
        "flatbed": (0.40, 0.62),
        "tipper": (0.55, 0.80) if small else (0.90, 1.45),
        "tank": (1.50, 2.05),
        "mixer": (2.20, 2.60),
        "container": (2.55, 2.90),
        "tarp": (1.70, 2.05) if small else (2.00, 2.50),
    }.get(kind, (1.75, 2.25) if small else (2.30, 2.85))
    return rng.uniform(low, high)


def _tint(kind: str, paint: Paint, rng: np.random.Generator) -> Rgb:
    """Draw the load's color: what is seen most of the vehicle has its name more often than not."""
    level = rng.uniform(0.85, 1.1)
    own = chance(rng, 0.6)
    if kind == "tank":
        base: Rgb = _STEEL if chance(rng, 0.6) else pick(rng, _PALE)
    elif kind == "tarp":
        base = pick(rng, _TARPAULINS)
    elif own or kind == "tipper":
        base = paint.base
    else:
        base = pick(rng, _CONTAINERS if kind == "container" else _PALE)
    red, green, blue = (float(min(one * level + 0.01, 0.74)) for one in base)
    return red, green, blue


def _foot(kind: str, paint: Paint, rng: np.random.Generator) -> Rgb:
    """Draw the color of the boards of a tarpaulin's frame, or of a door's frame."""
    if kind == "tarp":
        return pick(rng, (paint.base, (0.30, 0.22, 0.12), (0.40, 0.41, 0.42), (0.32, 0.05, 0.03)))
    return pick(rng, ((0.42, 0.43, 0.44), (0.55, 0.55, 0.54), (0.12, 0.12, 0.125)))


def _axles(shape: BodyShape, trailer: bool, rng: np.random.Generator) -> tuple[float, ...]:
    """Place the axles between the front and the rearmost one, from the rear."""
    count = int(rng.integers(2, 4)) if trailer else int(rng.integers(1, 3))
    group = [-shape.wheelbase + k * _AXLE_GAP for k in range(1, count)]
    if not trailer:
        return tuple(group)
    drive = -rng.uniform(3.3, 3.9) - (1.6 if shape.cowl_x < 0 else 0.0)
    tractor = [drive - _AXLE_GAP, drive] if chance(rng, 0.45) else [drive]
    return (*(x for x in group if x < tractor[0] - _CLEAR), *tractor)


def _logo(kind: str, rng: np.random.Generator) -> tuple[Decal, ...]:
    if kind in ("skeleton", "flatbed", "tipper") or chance(rng, 0.3):
        return ()
    ink, other = draw_ink(rng), draw_ink(rng)
    what = pick(rng, ("lettering", "lettering", "panel", "round", "swoosh", "rows", "stripe", "wedge"))
    size = (rng.uniform(1.4, 4.0), rng.uniform(0.4, 1.1))
    x, z = rng.uniform(0.3, 0.7), rng.uniform(0.5, 0.75)
    logo = [Decal(what, "both", x, z, *size, ink, other, draw_seed(rng))]
    if chance(rng, 0.6):
        z = rng.uniform(0.4, 0.8)
        what = pick(rng, ("lettering", "rows", "block", "round"))
        wide, tall = rng.uniform(0.4, 1.2), rng.uniform(0.15, 0.4)
        logo.append(Decal(what, "rear", 0.5, z, wide, tall, ink, other, draw_seed(rng)))
    return tuple(logo)
