# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is stuck on, has happened to, or is carried by a vehicle; units as in `specification.parts`."""

from __future__ import annotations

from dataclasses import dataclass

from pamtri_edge.synth.specification.parts import Rgb


@dataclass(frozen=True)
class Decal:
    """A picture stuck on the body.

    Attributes:
        kind: "stripe", "wedge", "panel", "lettering", "round", "checker", "swoosh", "rows", "block".
        place: "left", "right", "both", "hood", "roof", "rear".
        x: where its middle is, 0 rear end to 1 front end (across from left to right on a hood, roof or rear).
        z: where its middle is, 0 foot to 1 belt line (along the surface on a hood or roof).
        width: in meters.
        height: in meters.
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
        size: in meters.
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
        kind: for trucks "box", "curtain", "tipper", "flatbed", of haulage also "panel", "container", "tarp",
            "tank", "mixer" and "skeleton" (a frame for containers, empty); for pickups "open", "tonneau",
            "canopy", "sports_bar", "load".
        height: of its top above the ground.
        tint: its color.
        ribs: number of vertical ribs a side.
        front_unit: whether a cooler hangs over the cab, or a rack stands behind it.
        logo: decals on its sides, coordinates relative to the side (0 rear to 1 front, 0 foot to 1 top).
        axles: x, relative to the front axle, of axles beside the front and the rearmost one.
        gap: between the cab and the load.
        overhang: how far the load is wider than the cab, a side.
        frame: color of the frame under it.
        foot: color of the boards along its foot, or of its door's frame.
    """

    kind: str
    height: float
    tint: Rgb
    ribs: int
    front_unit: bool
    logo: tuple[Decal, ...]
    axles: tuple[float, ...] = ()
    gap: float = 0.04
    overhang: float = 0.06
    frame: Rgb = (0.03, 0.03, 0.03)
    foot: Rgb = (0.6, 0.6, 0.6)


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
        dark_back: the rear face is dark glass down to the engine's cover.
        hatches: where, from 0 (front) to 1 (rear), hatches and cooling units stand on the roof.
        bright_roof: the roof is white, whatever the sides are.
    """

    doors: tuple[float, ...]
    boarding: int
    pitch: float
    sign: Rgb
    sign_pattern: int
    skirt: float
    windows_to_roof: bool
    panel: bool
    dark_back: bool = False
    hatches: tuple[float, ...] = ()
    bright_roof: bool = False
