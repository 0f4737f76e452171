# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers and choices that make one synthetic vehicle, grouped by what they describe.

Lengths are meters, colors linear RGB 0..1 unless they say otherwise. Fractions of a width count from the
vehicle's middle (0) to its edge (1); heights are above the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class BodyShape:
    """The body's measures; every x is relative to the front axle, forward positive.

    Attributes:
        wheelbase: distance between the axles.
        front_overhang: from the front axle to the foremost point.
        rear_overhang: from the rear axle to the rearmost point.
        height: of the roof's highest line.
        width: without mirrors.
        wheel_radius: of the tyre.
        clearance: height of the sill above the ground.
        hood_front_z: height of the hood's front edge.
        nose_setback: how far that edge lies behind the foremost point.
        nose_round: roundness of the nose, around 1.
        cowl_x: foot of the windshield.
        cowl_z: its height.
        roof_front_x: top of the windshield.
        roof_rear_x: top of the rear window.
        roof_rear_z: its height.
        rear_window_x: foot of the rear window.
        rear_window_z: its height.
        deck_z: height of the rear edge of the trunk or of the tailgate's shoulder.
        deck_inset: how far that edge lies before the rearmost point.
        tumblehome: how much the cabin leans in, meters a meter of height.
        crown: height of the arch of hood and roof across the vehicle.
        front_bulge: how far the front face's middle stands before its edges.
        rear_bulge: the same behind.
        edge_radius: of the rounding between sides and hood, roof, deck.
        corner_radius: of the rounding, seen from above, between the sides and the front and rear faces.
        taper: how much narrower the ends are, as a fraction of the width.
        shoulder: step between body and cabin at the belt line.
        crease: depth of the crease along the doors.
        flare: how far the wheel arches stand out.
        arch_gap: between tyre and wheel arch.
        rear_pillar: thickness of the rearmost pillar.
        window_kick: how much the side windows' lower edge rises towards the rear.
    """

    wheelbase: float
    front_overhang: float
    rear_overhang: float
    height: float
    width: float
    wheel_radius: float
    clearance: float
    hood_front_z: float
    nose_setback: float
    nose_round: float
    cowl_x: float
    cowl_z: float
    roof_front_x: float
    roof_rear_x: float
    roof_rear_z: float
    rear_window_x: float
    rear_window_z: float
    deck_z: float
    deck_inset: float
    tumblehome: float
    crown: float
    front_bulge: float
    rear_bulge: float
    edge_radius: float
    corner_radius: float
    taper: float
    shoulder: float
    crease: float
    flare: float
    arch_gap: float
    rear_pillar: float
    window_kick: float


@dataclass(frozen=True)
class Paint:
    """The body's color.

    Attributes:
        name: one of `vehicle.COLORS`.
        base: albedo of PAINT.
        second: albedo of SECOND_PAINT.
        metal: 0 solid to 1 metallic flakes.
        roughness: of the clear coat; the specular exponent is 2 / roughness squared (80..500).
    """

    name: str
    base: Rgb
    second: Rgb
    metal: float
    roughness: float


@dataclass(frozen=True)
class Wheels:
    """The wheels.

    Attributes:
        style: name of the pattern, a key of `paint.wheels`.
        spokes: number of them.
        spoke_width: as a fraction of the space there is.
        rim: radius of the rim, as a fraction of the tyre's.
        finish: "bright", "dark", "black", "two_tone", "paint".
        caliper: color of the brake calipers, or None.
        odd_wheel: a wheel that differs (0 front left, 1 front right, 2 rear left, 3 rear right), or -1.
        phase: rotation of the pattern, in radians.
    """

    style: str
    spokes: int
    spoke_width: float
    rim: float
    finish: str
    caliper: Rgb | None
    odd_wheel: int
    phase: float


@dataclass(frozen=True)
class Trim:
    """What is bolted on or painted along the body.

    Attributes:
        rails: "none", "bright", "dark".
        roof_load: "none", "box", "bars", "rack", "bike", "taxi", "beacon", "aircon".
        roof_load_y: where it lies across, in meters.
        load_tint: its color.
        sunroof: "none", "panel", "panorama".
        roof: "body", "black", "second".
        antenna: "none", "fin", "rod".
        antenna_y: place of a rod across, in meters.
        mirrors: "paint", "plastic", "chrome", "second".
        cladding: height of the dark plastic along the sill, 0 for none.
        molding: "none", "dark", "chrome", "paint": the strip along the doors.
        window_line: "none", "chrome", "dark".
        handles: "paint", "dark", "chrome".
        two_tone: "none", "lower", "upper", "sash".
        two_tone_z: height at which the colors meet.
        steps: whether there are running boards.
        bull_bar: whether a bar guards the front.
        visors: whether dark deflectors lie over the windows.
        pillar: "dark" or "paint": the pillar between the doors.
        mud_flaps: whether flaps hang behind the wheels.
        fuel_side: +1 left, -1 right: where the fuel flap is.
    """

    rails: str
    roof_load: str
    roof_load_y: float
    load_tint: Rgb
    sunroof: str
    roof: str
    antenna: str
    antenna_y: float
    mirrors: str
    cladding: float
    molding: str
    window_line: str
    handles: str
    two_tone: str
    two_tone_z: float
    steps: bool
    bull_bar: bool
    visors: bool
    pillar: str
    mud_flaps: bool
    fuel_side: int


@dataclass(frozen=True)
class Cabin:
    """What is seen through the glass.

    Attributes:
        tint: linear RGB of the darkness behind the glass.
        privacy: what is left of it behind the front seats, 0..1.
        steering: +1 left, -1 right.
        seats: brightness of the seats, 0.6..2, where 1 is the tint itself.
        driver: whether somebody sits there.
        passenger: the same beside.
        headrests: whether the rear row's stand out.
        dash: (place across -1..1, size m, red, green, blue) of things on the dashboard; colors are factors
            0..2 of the tint.
        shelf: the same behind the rear window.
        hanger: whether something hangs from the inner mirror.
        stickers: (x -1..1, height 0..1, size m, red, green, blue) on the windshield, albedo 0..1.
        rear_stickers: the same on the rear window.
        shade: +1, -1 or 0: a sun blind in one side's rear window.
    """

    tint: float
    privacy: float
    steering: int
    seats: float
    driver: bool
    passenger: bool
    headrests: bool
    dash: tuple[tuple[float, float, float, float, float], ...]
    shelf: tuple[tuple[float, float, float, float, float], ...]
    hanger: bool
    stickers: tuple[tuple[float, float, float, float, float, float], ...]
    rear_stickers: tuple[tuple[float, float, float, float, float, float], ...]
    shade: int
