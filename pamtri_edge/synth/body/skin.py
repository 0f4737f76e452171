# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The body's skin: a band over the outline, and two sides that meet it in one rounded edge.

Around its whole outline the body is rounded by a quarter circle. The band carries the half of it that faces
forward, up or back, the sides the half that faces sideways; at 45 degrees they share positions and normals,
so that no fold shows between the front and the fenders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.outline import Floats, Frame, Outline, front_bulge, rear_bulge
from pamtri_edge.synth.specification.families import Family
from pamtri_edge.synth.specification.parts import BodyShape

_SHARED = np.sin(np.pi / 4)
"""Where on the quarter circle band and side meet, across it."""

_DROP = 1 - np.cos(np.pi / 4)
"""How far that is below the outline and within the width, in radii."""

_FLAT = np.array([-1.0, -0.72, -0.42, -0.14, 0.14, 0.42, 0.72, 1.0])
"""Columns of the band between the rounded edges."""

_BOW = np.radians([12.0, 24.0, 35.0, 45.0])
"""Columns of the band on the rounded edge."""

_SIDE_ROWS = 15


@dataclass(frozen=True)
class Skin:
    """The body's surface as grids.

    Attributes:
        band: (n, c, 3) positions; rows follow the outline, columns run from right (-y) to left (+y).
        band_normals: (n, c, 3).
        side: (n, r, 3) positions of the left side (+y); row 0 of the second axis is the sill.
        side_normals: (n, r, 3).
        edge_column: the column of the band, on its left edge, on which the keypoints lie.
        half_width: (n,) y of the band's left edge.
    """

    band: Floats
    band_normals: Floats
    side: Floats
    side_normals: Floats
    edge_column: int
    half_width: Floats


@dataclass(frozen=True)
class Section:
    """The body's width at any place, without the rounding of its outline.

    Attributes:
        shape: the body's measures.
        family: what it is a member of.
        frame: where its ends are.
    """

    shape: BodyShape
    family: Family
    frame: Frame

    def belt(self, x: Floats | float) -> Floats:
        """Return the height of the belt line, where body and cabin meet, at x."""
        shape, frame = self.shape, self.frame
        axle = frame.front_axle
        nose = frame.front - shape.nose_setback
        places = [
            frame.body_rear - 1.0,
            frame.body_rear + shape.deck_inset,
            axle + shape.rear_window_x,
            axle + shape.cowl_x,
            nose,
            frame.front + 1.0,
        ]
        heights = [
            shape.deck_z - 0.03,
            shape.deck_z - 0.03,
            shape.rear_window_z - 0.02,
            shape.cowl_z - 0.03,
            shape.hood_front_z - 0.06,
            shape.hood_front_z - 0.06,
        ]
        order = np.argsort(places)
        return np.asarray(np.interp(x, np.array(places)[order], np.array(heights)[order]))

    def half_width(self, x: Floats, z: Floats) -> Floats:
        """Return y of the left side at (x, z)."""
        shape, frame = self.shape, self.frame
        belt = self.belt(x)
        ends = 0.25 if self.family.upright else 1.0
        ahead = np.clip(x - (frame.front - 1.1), 0, None) / 1.1
        behind = np.clip(frame.body_rear + 0.9 - x, 0, None) / 0.9
        width = shape.width / 2 * (1 - shape.taper * ends * (ahead**2.2 + 0.55 * behind**2.4))
        waist = shape.wheel_radius * 1.7
        below = np.clip((waist - z) / (waist - frame.sill), 0, 1)
        above = np.clip((z - waist) / np.maximum(belt - waist, 0.1), 0, 1)
        width = width * (1 - 0.07 * below**2 - 0.03 * above**2)
        crease = shape.crease * np.exp(-(((z - (belt - 0.24)) / 0.09) ** 2)) * (z < belt)
        lean = np.clip(z - belt, 0, None)
        cabin = shape.shoulder * np.clip(lean / 0.05, 0, 1) + shape.tumblehome * np.clip(lean - 0.02, 0, None)
        return np.asarray(width + crease + self._flares(x, z) - cabin)

    def _flares(self, x: Floats, z: Floats) -> Floats:
        shape, frame = self.shape, self.frame
        within = np.clip((frame.front - 0.10 - x) / 0.15, 0, 1)
        within = within * np.clip((x - frame.body_rear - 0.10) / 0.15, 0, 1)
        arch = shape.wheel_radius + shape.arch_gap
        total = np.zeros_like(x)
        for axle in (frame.front_axle, -frame.front_axle):
            away = np.hypot(x - axle, z - shape.wheel_radius) - arch
            total = total + np.exp(-((np.clip(away, 0, None) / 0.14) ** 2))
        return np.asarray(shape.flare * within * total * (z < 1.3))


def skin_of(section: Section, outline: Outline) -> Skin:
    """Span the surface over an outline."""
    radius = _radii(section, outline)
    edge = outline.points - outline.normals * (radius * _DROP)[:, None]
    full = section.half_width(outline.points[:, 0], outline.points[:, 1])
    band, band_normals, column = _band(section, outline, radius, full)
    side, side_normals = _side(section, outline, radius, edge, full - radius * _DROP)
    shared = band_normals[:, -1] + side_normals[:, -1]
    shared /= np.linalg.norm(shared, axis=1, keepdims=True)
    band_normals[:, -1] = side_normals[:, -1] = shared
    band_normals[:, 0] = shared * np.array([1, -1, 1])
    return Skin(band, band_normals, side, side_normals, column, full - radius * _DROP)


def _radii(section: Section, outline: Outline) -> Floats:
    """Return the radius of the rounded edge at each point of the outline: large at the corners."""
    shape, rows = section.shape, outline.rows
    corner = shape.corner_radius * (0.7 if section.family.upright else 1.0)
    edge = shape.edge_radius
    stations = [
        (0, corner * 0.8),
        (rows["front_bumper_bottom"], corner),
        (rows["hood_front"] - 3, corner),
        (rows["hood_front"] + 1, edge * 1.3),
        (rows["windshield_bottom"] - 1, edge * 1.1),
        (rows["windshield_bottom"] + 2, 0.05),
        (rows["windshield_top"] - 2, 0.05),
        (rows["windshield_top"] + 2, edge),
        (rows["rear_window_top"] - 2, edge),
        (rows["rear_window_top"] + 2, 0.07),
        (rows["trunk_rear_edge"] - 1, 0.08),
        (rows["trunk_rear_edge"] + 3, corner * 0.75),
        (len(outline.points) - 1, corner * 0.7),
    ]
    places = np.maximum.accumulate(np.array([place for place, _ in stations], np.float64))
    raw = np.interp(np.arange(len(outline.points)), places, [radius for _, radius in stations])
    soft = np.convolve(np.pad(raw, 2, mode="edge"), np.array([1, 3, 4, 3, 1]) / 12, mode="valid")
    return np.asarray(soft)


def _band(section: Section, outline: Outline, radius: Floats, full: Floats) -> tuple[Floats, Floats, int]:
    shape, family = section.shape, section.family
    up, ahead = np.clip(outline.normals[:, 1], 0, 1), np.clip(outline.normals[:, 0], 0, 1)
    low = outline.points[:, 1] < shape.cowl_z
    bulge = np.where(low, front_bulge(shape, family), 0.07 if not family.upright else 0.05)
    bulge = np.convolve(np.pad(bulge, 2, mode="edge"), np.full(5, 0.2), mode="valid")
    back = rear_bulge(shape, family) * np.clip(-outline.normals[:, 0], 0, 1)
    arch = shape.crown * up + bulge * ahead + back

    center = (full - radius)[:, None]
    bow = center + radius[:, None] * np.sin(_BOW)[None]
    y = np.concatenate([-bow[:, ::-1], center * _FLAT[None], bow], axis=1)
    edge = (full - radius * _DROP)[:, None]
    over = np.clip(np.abs(y) - center, 0, None) / radius[:, None]
    circle = np.sqrt(np.clip(1 - over**2, 0.05, 1))
    offset = arch[:, None] * (1 - (y / edge) ** 2) - radius[:, None] * (1 - circle)
    band = np.empty((*y.shape, 3))
    band[..., 0] = outline.points[:, :1] + outline.normals[:, :1] * offset
    band[..., 1] = y
    band[..., 2] = outline.points[:, 1:] + outline.normals[:, 1:] * offset

    slope = 2 * arch[:, None] * y / edge**2 + np.sign(y) * over / circle
    lateral = _lateral(section, outline.points[:, 0], outline.points[:, 1])
    normals = np.zeros_like(band)
    normals[..., 0] = outline.normals[:, :1] + np.abs(slope) * lateral[:, :1]
    normals[..., 1] = slope * lateral[:, 1:2]
    normals[..., 2] = outline.normals[:, 1:] + np.abs(slope) * lateral[:, 2:]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return band, normals, y.shape[1] - 3


def _lateral(section: Section, x: Floats, z: Floats) -> Floats:
    """Return (..., 3) the normal, not scaled, of the side before its outline is rounded."""
    step = 0.01
    along = (section.half_width(x + step, z) - section.half_width(x - step, z)) / (2 * step)
    upward = (section.half_width(x, z + step) - section.half_width(x, z - step)) / (2 * step)
    return np.stack([-np.clip(along, -1, 1), np.ones_like(along), -np.clip(upward, -1, 1)], axis=-1)


def _side(
    section: Section, outline: Outline, radius: Floats, edge: Floats, edge_y: Floats
) -> tuple[Floats, Floats]:
    frame = section.frame
    run = np.abs(np.diff(outline.points[:, 0])) + 1e-3
    share = np.concatenate([[0.0], np.cumsum(run)])
    foot = (frame.front - 0.16) + (frame.body_rear + 0.14 - (frame.front - 0.16)) * share / share[-1]
    rise = 1 - (1 - np.linspace(0, 1, _SIDE_ROWS)) ** 1.35
    x = foot[:, None] * (1 - rise) + edge[:, :1] * rise
    z = frame.sill * (1 - rise) + edge[:, 1:] * rise

    nearest, depth = _depth(x, z, outline)
    depth[:, -1] = radius * _DROP
    nearest[:, -1] = np.arange(len(radius))
    local = radius[nearest]
    inset = np.clip(1 - depth / local, 0, _SHARED)
    circle = np.sqrt(1 - inset**2)
    y = section.half_width(x, z) - local * (1 - circle)
    y[:, -1] = edge_y
    normals = _lateral(section, x, z)
    outward = outline.normals[nearest] * (inset / circle)[..., None]
    normals[..., 0] += outward[..., 0]
    normals[..., 2] += outward[..., 1]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return np.stack([x, y, z], axis=-1), normals


def _depth(x: Floats, z: Floats, outline: Outline) -> tuple[NDArray[np.int64], Floats]:
    """Return, for each point, the nearest point of the outline and how deep under its tangent it lies."""
    flat = np.stack([x.ravel(), z.ravel()], axis=1)
    points = outline.points
    square = (flat**2).sum(1)[:, None] - 2 * flat @ points.T + (points**2).sum(1)[None]
    nearest = square.argmin(axis=1)
    depth = ((points[nearest] - flat) * outline.normals[nearest]).sum(axis=1)
    return nearest.reshape(x.shape), np.maximum(depth, 0).reshape(x.shape)
