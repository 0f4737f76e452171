# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle from the side: the line that runs over front, hood, roof and back, with the keypoints on it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.specification.families import Family
from pamtri_edge.synth.specification.parts import BodyShape

Floats = NDArray[np.float64]

_SPACING = 0.15
"""Meters between two points of the line, where it is straight."""


@dataclass(frozen=True)
class Frame:
    """Where the body's ends and axles are; x forward, the origin between the axles, meters.

    Attributes:
        front_axle: x of the front axle; the rear one is at its negative.
        front: x of the front face's edge (its middle stands before it).
        rear: x of the rear end of body and cargo.
        body_rear: x of the body's rear face: before `rear` where a truck's cab ends.
        sill: height of the body's lower edge.
    """

    front_axle: float
    front: float
    rear: float
    body_rear: float
    sill: float


@dataclass(frozen=True)
class Outline:
    """The line, from the foot of the front face over the roof to the foot of the rear face.

    Attributes:
        points: (n, 2) x, z.
        normals: (n, 2) unit, outward.
        arc: (n,) meters along the line.
        rows: index of the point that a keypoint lies on, by the keypoint's name without its side.
    """

    points: Floats
    normals: Floats
    arc: Floats
    rows: dict[str, int]

    def place(self, name: str) -> float:
        """Return the x of a keypoint's row."""
        return float(self.points[self.rows[name], 0])


def frame_of(shape: BodyShape, family: Family) -> Frame:
    """Place axles and ends."""
    axle = shape.wheelbase / 2
    rear = -axle - shape.rear_overhang + rear_bulge(shape, family)
    cab_end = axle + shape.rear_window_x - 0.05
    return Frame(
        front_axle=axle,
        front=axle + shape.front_overhang - front_bulge(shape, family),
        rear=rear,
        body_rear=cab_end if family.cargo == "box" else rear,
        sill=shape.clearance + 0.03,
    )


def front_bulge(shape: BodyShape, family: Family) -> float:
    """Return how far the front face's middle stands before its edges."""
    return shape.front_bulge * (0.4 if family.upright else 1.0)


def rear_bulge(shape: BodyShape, family: Family) -> float:
    """Return how far the rear face's middle stands behind its edges."""
    return shape.rear_bulge * (0.25 if family.upright or family.cargo != "none" else 1.0)


def outline_of(shape: BodyShape, family: Family) -> Outline:
    """Draw the line through the shape's measures and round its corners."""
    frame = frame_of(shape, family)
    corners = [*_front(shape, frame), *_roof(shape, frame, family), *_back(shape, frame, family)]
    names = [name for name, *_ in corners]
    points, places = _round(
        np.array([(x, z) for _, x, z, _ in corners]), np.array([radius for *_, radius in corners])
    )
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    slope = np.gradient(points, axis=0)
    normals = np.stack([slope[:, 1], -slope[:, 0]], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Outline(
        points=points,
        normals=normals,
        arc=np.concatenate([[0.0], np.cumsum(steps)]),
        rows={name: place for name, place in zip(names, places, strict=True) if name},
    )


_Corner = tuple[str, float, float, float]
"""Keypoint's name or nothing, x, z, radius of the rounding."""


def _front(shape: BodyShape, frame: Frame) -> list[_Corner]:
    x, foot, hood = frame.front, frame.sill, shape.hood_front_z
    belly = (hood + shape.clearance) / 2
    return [
        ("", x - 0.16, foot, 0.0),
        ("front_bumper_bottom", x - 0.02, foot + 0.10, 0.10),
        ("", x, belly, 0.25),
        ("", x - shape.nose_setback * 0.35, hood - 0.13, 0.15),
        ("hood_front", x - shape.nose_setback, hood, 0.22 * shape.nose_round),
    ]


def _roof(shape: BodyShape, frame: Frame, family: Family) -> list[_Corner]:
    axle = frame.front_axle
    first, last = axle + shape.roof_front_x, axle + shape.roof_rear_x
    soft = 0.12 if family.upright else 0.30 * shape.nose_round
    return [
        ("windshield_bottom", axle + shape.cowl_x, shape.cowl_z, 0.12),
        ("windshield_top", first, shape.height - 0.03, soft),
        ("", (first + last) / 2 + 0.1, shape.height, 1.0),
        ("rear_window_top", last, shape.roof_rear_z, 0.16 * shape.nose_round),
        ("rear_window_bottom", axle + shape.rear_window_x, shape.rear_window_z, 0.12),
    ]


def _back(shape: BodyShape, frame: Frame, family: Family) -> list[_Corner]:
    x, foot, deck = frame.body_rear, frame.sill, shape.deck_z
    edge: _Corner = ("trunk_rear_edge", x + shape.deck_inset, deck, 0.10 if family.cargo == "none" else 0.05)
    step: list[_Corner] = []
    if family.cargo == "bed":
        step = [("", frame.front_axle + shape.rear_window_x - 0.03, deck, 0.02)]
    bumper = shape.clearance + 0.34
    return [
        *step,
        edge,
        ("", x, min(bumper + 0.2, deck - 0.1), 0.15),
        ("", x + 0.01, bumper, 0.06),
        ("rear_bumper_bottom", x + 0.03, foot + 0.08, 0.08),
        ("", x + 0.14, foot, 0.0),
    ]


def _round(corners: Floats, radii: Floats, steps: int = 5) -> tuple[Floats, list[int]]:
    """Round a line's corners by parabolas and divide its long edges.

    Returns:
        the points, and for each corner the index of the point that stands for it.
    """
    rounded, marks = [corners[0]], [0]
    share = np.linspace(0, 1, steps)[:, None]
    for before, corner, after, radius in zip(corners, corners[1:], corners[2:], radii[1:], strict=False):
        back, ahead = before - corner, after - corner
        far, near = np.linalg.norm(back), np.linalg.norm(ahead)
        reach = min(radius, 0.45 * far, 0.45 * near)
        start, end = corner + back / far * reach, corner + ahead / near * reach
        marks.append(len(rounded) + steps // 2)
        rounded.extend((1 - share) ** 2 * start + 2 * share * (1 - share) * corner + share**2 * end)
    marks.append(len(rounded))
    rounded.append(corners[-1])
    points, places = [rounded[0]], {0: 0}
    for index, (one, other) in enumerate(itertools.pairwise(rounded), 1):
        parts = int(np.linalg.norm(other - one) / _SPACING) + 1
        points.extend(one + (other - one) * k / parts for k in range(1, parts + 1))
        places[index] = len(points) - 1
    return np.array(points), [places[mark] for mark in marks]
