# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The wheels as surfaces."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.draft import WHEELS, Draft
from pamtri_edge.synth.body.material import Material

_TURNS = np.linspace(0, 2 * np.pi, 25)
_FACE = ((0.0, 0.030), (0.6, 0.038), (0.9, 0.0))
"""Radius, in wheel radii, and depth in meters of the rings of a wheel's face."""


def wheel_y(draft: Draft) -> tuple[float, float]:
    """Return y of the left front and the left rear wheel's outer face."""
    axle, radius = draft.frame.front_axle, draft.spec.shape.wheel_radius
    places = []
    for x in (axle, -axle):
        inner = max(x, draft.frame.body_rear + 0.4)
        width = float(draft.section.half_width(np.array(inner), np.array(radius * 1.4)))
        places.append(width - 0.045)
    return places[0], places[1]


def add_wheels(assembly: Assembly, draft: Draft) -> None:
    """Add four wheels, and those of further axles: tyres, and faces that show the wheels' sheet."""
    shape, axle = draft.spec.shape, draft.frame.front_axle
    heavy = draft.family.upright or draft.has_box or draft.spec.family == "minibus"
    outer = wheel_y(draft)
    for index, (x, sign) in enumerate(((axle, 1), (axle, -1), (-axle, 1), (-axle, -1))):
        y = outer[0] if x > 0 else outer[1]
        width = (0.26 if heavy else 0.205) * (2.0 if heavy and x < 0 else 1.0)
        _tyre(assembly, x, y, sign, shape.wheel_radius, width)
        dish = 1.8 if heavy and x < 0 else 1.0
        _face(assembly, x, y, sign, shape.wheel_radius, dish, draft.spec.wheels.odd_wheel == index)
    if draft.spec.cargo is not None:
        for place in draft.spec.cargo.axles:
            for sign in (1, -1):
                _tyre(assembly, axle + place, outer[1], sign, shape.wheel_radius, 0.52)
                _face(assembly, axle + place, outer[1], sign, shape.wheel_radius, 1.8, False)


def _tyre(assembly: Assembly, x: float, y: float, sign: int, radius: float, width: float) -> None:
    profile = ((0.90, 0.0), (0.985, 0.028), (1.0, 0.055), (1.0, width))
    points = np.empty((len(profile), len(_TURNS), 3))
    normals = np.empty_like(points)
    for row, (share, depth) in enumerate(profile):
        points[row, :, 0] = x + radius * share * np.cos(_TURNS)
        points[row, :, 1] = sign * (y - depth)
        points[row, :, 2] = radius + radius * share * np.sin(_TURNS)
        normals[row, :, 0], normals[row, :, 2] = np.cos(_TURNS), np.sin(_TURNS)
        normals[row, :, 1] = sign * max(0.0, 1 - 0.45 * row)
    assembly.grid(points, normals, material=Material.TYRE)


def _face(assembly: Assembly, x: float, y: float, sign: int, radius: float, dish: float, odd: bool) -> None:
    points = np.empty((len(_FACE), len(_TURNS), 3))
    normals = np.zeros_like(points)
    uv = np.empty((len(_FACE), len(_TURNS), 2))
    middle = 0.75 if odd else 0.25
    for row, (share, depth) in enumerate(_FACE):
        points[row, :, 0] = x + radius * share * np.cos(_TURNS)
        points[row, :, 1] = sign * (y - depth * dish)
        points[row, :, 2] = radius + radius * share * np.sin(_TURNS)
        uv[row, :, 0] = middle + 0.25 * share * np.cos(_TURNS)
        uv[row, :, 1] = 0.5 - 0.5 * share * np.sin(_TURNS)
        lean = 0.25 * row / 2
        normals[row, :, 0], normals[row, :, 2] = -lean * np.cos(_TURNS), -lean * np.sin(_TURNS)
        normals[row, :, 1] = sign
    assembly.grid(points, normals, uv=uv, texture=WHEELS)
