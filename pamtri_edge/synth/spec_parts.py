# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers and choices that make one synthetic vehicle, grouped by what they describe.

Lengths are metres, colors linear RGB 0..1 unless they say otherwise. Fractions of a width count from the
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
        tumblehome: how much the cabin leans in, metres a metre of height.
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
class Plate:
    """A licence plate.

    Attributes:
        width: in metres.
        height: in metres.
        ground: its color.
        ink: the color of its characters.
        band: color of the band at its left end, or None.
        layout: "one_row", "two_rows", or "picture" (lighter middle, darker top and foot).
        pattern: seed of its characters.
    """

    width: float
    height: float
    ground: Rgb
    ink: Rgb
    band: Rgb | None
    layout: str
    pattern: int


@dataclass(frozen=True)
class FrontFascia:
    """The face. Names of shapes are the keys of the painters' tables in `paint_front`.

    Attributes:
        grille: outline of the grille.
        grille_fill: what fills it.
        grille_width: half of it, as a fraction of the half width.
        grille_top: below the hood's edge, in metres.
        grille_height: in metres.
        grille_frame: "chrome", "dark", "paint", "satin".
        grille_bars: how many bars or rows.
        badge: its shape.
        badge_size: in metres.
        badge_tint: color of a filled badge.
        lamp: outline of the headlamps.
        lamp_inner: where the lamp begins, as a fraction of the half width.
        lamp_top: below the hood's edge, in metres.
        lamp_height: in metres.
        lamp_wrap: how far it reaches along the side, in metres.
        lamp_slant: rise of the outer end, in metres.
        lamp_housing: "bright", "dark".
        lamp_lenses: number of round projectors a side, 0..3.
        drl: pattern of the daytime lights.
        intake: outline of the lower air intake.
        intake_height: in metres.
        intake_width: half of it, as a fraction.
        fog: shape of the fog lamps.
        fog_frame: "none", "chrome", "dark".
        insert: "none", "silver", "chrome", "paint", "dark": the skid plate at the foot.
        lip: height of the dark strip at the foot, in metres.
        bumper: "paint", "plastic", "second", "chrome".
        plate_z: height of the plate's middle.
        plate_y: its place across, in metres, usually 0.
        hood_lines: number of creases on the hood a side.
        hood_scoop: whether the hood has an opening.
        washer: whether the windshield's foot has a dark panel.
    """

    grille: str
    grille_fill: str
    grille_width: float
    grille_top: float
    grille_height: float
    grille_frame: str
    grille_bars: int
    badge: str
    badge_size: float
    badge_tint: Rgb
    lamp: str
    lamp_inner: float
    lamp_top: float
    lamp_height: float
    lamp_wrap: float
    lamp_slant: float
    lamp_housing: str
    lamp_lenses: int
    drl: str
    intake: str
    intake_height: float
    intake_width: float
    fog: str
    fog_frame: str
    insert: str
    lip: float
    bumper: str
    plate_z: float
    plate_y: float
    hood_lines: int
    hood_scoop: bool
    washer: bool


@dataclass(frozen=True)
class RearFascia:
    """The vehicle's back. Names of shapes are the keys of the painters' tables in `paint_rear`.

    Attributes:
        lamp: outline of the rear lamps.
        lamp_inner: where the lamp begins, as a fraction of the half width.
        lamp_top: height of its upper edge above the ground.
        lamp_height: in metres.
        lamp_wrap: how far it reaches along the side, in metres.
        lamp_pattern: how red, white and amber share it.
        lamp_smoked: 0 clear to 1 dark.
        plate_at: "gate" or "bumper".
        plate_y: its place across, in metres, usually 0.
        recess: whether the plate lies in a dark recess.
        strip: "none", "chrome", "dark", "paint": the bar above the plate.
        badge: shape of the badge.
        badge_size: in metres.
        lettering: widths, in metres, of the words left and right of the middle.
        wiper: whether the rear window has one.
        spoiler: "none", "lip", "roof", "wing".
        insert: "none", "dark", "silver", "diffuser".
        insert_height: in metres.
        reflectors: "none", "bar", "round".
        exhausts: "none", "left", "right", "both", "wide", "center".
        spare_wheel: whether one hangs on the tailgate.
        ladder: whether a ladder hangs there.
        gate: "hatch", "doors", "trunk": its seams.
        window_scale: width of the rear window, as a fraction.
    """

    lamp: str
    lamp_inner: float
    lamp_top: float
    lamp_height: float
    lamp_wrap: float
    lamp_pattern: str
    lamp_smoked: float
    plate_at: str
    plate_y: float
    recess: bool
    strip: str
    badge: str
    badge_size: float
    lettering: tuple[float, float]
    wiper: bool
    spoiler: str
    insert: str
    insert_height: float
    reflectors: str
    exhausts: str
    spare_wheel: bool
    ladder: bool
    gate: str
    window_scale: float


@dataclass(frozen=True)
class Wheels:
    """The wheels.

    Attributes:
        style: name of the pattern, a key of `paint_wheels`.
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
        roof_load_y: where it lies across, in metres.
        load_tint: its color.
        sunroof: "none", "panel", "panorama".
        roof: "body", "black", "second".
        antenna: "none", "fin", "rod".
        antenna_y: place of a rod across, in metres.
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


@dataclass(frozen=True)
class Decal:
    """A picture stuck on the body.

    Attributes:
        kind: "stripe", "wedge", "panel", "lettering", "round", "checker", "swoosh", "rows", "block".
        place: "left", "right", "both", "hood", "roof", "rear".
        x: where its middle is, 0 rear end to 1 front end (across from left to right on a hood, roof or rear).
        z: where its middle is, 0 foot to 1 belt line (along the surface on a hood or roof).
        width: in metres.
        height: in metres.
        ink: its color.
        second_ink: the color of what is written on it.
        pattern: seed of what is written.
    """

    kind: str
    place: str
    x: float
    z: float
    width: float
    height: float
    ink: Rgb
    second_ink: Rgb
    pattern: int


@dataclass(frozen=True)
class Flaw:
    """Something that only this vehicle has: dirt, a scratch, a dent, a panel of another color.

    Attributes:
        kind: "panel", "scratch", "dent", "patch", "rust", "splash", "dust".
        place: "left", "right", "front", "rear", "hood", "roof".
        x: as in `Decal`; of a panel, which door or fender it is.
        z: as in `Decal`.
        size: in metres.
        tint: factor of the albedo there, 0..2.
        pattern: seed of its outline.
    """

    kind: str
    place: str
    x: float
    z: float
    size: float
    tint: Rgb
    pattern: int


@dataclass(frozen=True)
class Cargo:
    """The load-bearing part of trucks and pickups.

    Attributes:
        kind: for trucks "box", "curtain", "tipper", "flatbed"; for pickups "open", "tonneau",
            "canopy", "sports_bar", "load".
        height: of its top above the ground.
        tint: its color.
        ribs: number of vertical ribs a side.
        front_unit: whether a cooler hangs over the cab, or a rack stands behind it.
        logo: decals on its sides, coordinates relative to the side (0 rear to 1 front, 0 foot to 1 top).
    """

    kind: str
    height: float
    tint: Rgb
    ribs: int
    front_unit: bool
    logo: tuple[Decal, ...]


@dataclass(frozen=True)
class Bus:
    """What only buses have.

    Attributes:
        doors: x of the doors' middles on the boarding side, from 0 (rear end) to 1 (front end).
        boarding: +1 left, -1 right: the side with the doors.
        pitch: distance between window posts.
        sign: color of the route sign's lights.
        sign_pattern: seed of what it shows.
        skirt: height of the lower flaps' seam.
        windows_to_roof: whether the band of windows reaches into the roof's curve.
        panel: advertising on the rear face instead of a window.
    """

    doors: tuple[float, ...]
    boarding: int
    pitch: float
    sign: Rgb
    sign_pattern: int
    skirt: float
    windows_to_roof: bool
    panel: bool
