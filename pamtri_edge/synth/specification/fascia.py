# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle's face, back and license plate as numbers and choices; units as in `specification.parts`."""

from __future__ import annotations

from dataclasses import dataclass

from pamtri_edge.synth.specification.parts import Rgb


@dataclass(frozen=True)
class Plate:
    """A license plate.

    Attributes:
        width: in meters.
        height: in meters.
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
    """The face. Names of shapes are the keys of the painters' tables in `paint.front`.

    Attributes:
        grille: outline of the grille.
        grille_fill: what fills it.
        grille_width: half of it, as a fraction of the half width.
        grille_top: below the hood's edge, in meters.
        grille_height: in meters.
        grille_frame: "chrome", "dark", "paint", "satin".
        grille_bars: how many bars or rows.
        badge: its shape.
        badge_size: in meters.
        badge_tint: color of a filled badge.
        lamp: outline of the headlamps.
        lamp_inner: where the lamp begins, as a fraction of the half width.
        lamp_top: below the hood's edge, in meters.
        lamp_height: in meters.
        lamp_wrap: how far it reaches along the side, in meters.
        lamp_slant: rise of the outer end, in meters.
        lamp_housing: "bright", "dark".
        lamp_lenses: number of round projectors a side, 0..3.
        drl: pattern of the daytime lights.
        intake: outline of the lower air intake.
        intake_height: in meters.
        intake_width: half of it, as a fraction.
        fog: shape of the fog lamps.
        fog_frame: "none", "chrome", "dark".
        insert: "none", "silver", "chrome", "paint", "dark": the skid plate at the foot.
        lip: height of the dark strip at the foot, in meters.
        bumper: "paint", "plastic", "second", "chrome".
        plate_z: height of the plate's middle.
        plate_y: its place across, in meters, usually 0.
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
    """The vehicle's back. Names of shapes are the keys of the painters' tables in `paint.rear`.

    Attributes:
        lamp: outline of the rear lamps.
        lamp_inner: where the lamp begins, as a fraction of the half width.
        lamp_top: height of its upper edge above the ground.
        lamp_height: in meters.
        lamp_wrap: how far it reaches along the side, in meters.
        lamp_pattern: how red, white and amber share it.
        lamp_smoked: 0 clear to 1 dark.
        plate_at: "gate" or "bumper".
        plate_y: its place across, in meters, usually 0.
        recess: whether the plate lies in a dark recess.
        strip: "none", "chrome", "dark", "paint": the bar above the plate.
        badge: shape of the badge.
        badge_size: in meters.
        lettering: widths, in meters, of the words left and right of the middle.
        wiper: whether the rear window has one.
        spoiler: "none", "lip", "roof", "wing".
        insert: "none", "dark", "silver", "diffuser".
        insert_height: in meters.
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
