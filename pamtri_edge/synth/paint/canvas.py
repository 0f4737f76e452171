# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A sheet of material and color that is painted in meters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NEUTRAL
from pamtri_edge.synth.body.outline import Floats

if TYPE_CHECKING:
    from typing_extensions import Unpack

MAP_HEIGHT: Final = 256
MAP_WIDTH: Final = 512

Point = tuple[float, float]
Albedo = Sequence[float] | Floats
Tint = Albedo | float
"""A factor for each of red, green and blue, or one for all."""

_SHIFT: Final = 4
"""Bits of fraction in the coordinates that cv2 is given."""

_LIMIT: Final = float(4096 << _SHIFT)
"""Where coordinates far outside a sheet are cut off."""

BODYWORK: Final = (Material.PAINT, Material.SECOND_PAINT)
"""What decals stick to."""


class Ink(TypedDict, total=False):
    """How a shape is filled, as `Canvas.polygon` has it."""

    tint: Tint | None
    albedo: Albedo | None
    only: Sequence[Material] | None


@dataclass(frozen=True)
class Canvas:
    """One pair of maps and the plane that it covers.

    The plane's axes are called a (columns) and b (rows, upward: the first row is the highest b).

    Attributes:
        material: (H, W) uint8 of `Material`.
        color: (H, W, 3) uint8, as `Mesh.color_maps`.
        low: the smallest (a, b).
        high: the largest (a, b).
    """

    material: NDArray[np.uint8]
    color: NDArray[np.uint8]
    low: Point
    high: Point

    def uv(self, a: Floats, b: Floats) -> Floats:
        """Return (..., 2) texture coordinates of places on the plane."""
        u = (a - self.low[0]) / (self.high[0] - self.low[0])
        v = (self.high[1] - b) / (self.high[1] - self.low[1])
        return np.stack([np.clip(u, 0, 1), np.clip(v, 0, 1)], axis=-1)

    def polygon(
        self,
        points: Iterable[Point] | Floats,
        material: Material,
        *,
        tint: Tint | None = None,
        albedo: Albedo | None = None,
        only: Sequence[Material] | None = None,
    ) -> None:
        """Fill a polygon.

        Args:
            points: its corners (a, b).
            material: what it becomes.
            tint: factor of the material's own color, 0..2; None leaves it as it is.
            albedo: linear color instead, for MATTE and PLATE.
            only: paint over these materials alone; None paints over everything.
        """
        outline = self._pixels(points)
        color = _color(tint, albedo)
        if only is None:
            cv2.fillPoly(self.material, [outline], int(material), shift=_SHIFT)
            cv2.fillPoly(self.color, [outline], color, shift=_SHIFT)
            return
        found = self._chosen(outline, only)
        if found is not None:
            window, chosen = found
            self.material[window][chosen] = int(material)
            self.color[window][chosen] = color

    def shade(self, points: Iterable[Point] | Floats, factor: Tint, *, only: Sequence[Material]) -> None:
        """Multiply the color of a polygon where its material is one of `only`, and leave the material."""
        found = self._chosen(self._pixels(points), only)
        if found is not None:
            window, chosen = found
            field = self.color[window]
            shaded = np.minimum(field * np.broadcast_to(np.asarray(factor, np.float32), 3), np.float32(255))
            np.copyto(field, shaded.astype(np.uint8), where=chosen[..., None])

    def _chosen(
        self, outline: NDArray[np.int32], only: Sequence[Material]
    ) -> tuple[tuple[slice, slice], NDArray[np.bool_]] | None:
        """Return the window around an outline, and where in it the inside is of certain materials."""
        height, width = self.material.shape
        left, top = (int(one) for one in np.maximum((outline.min(axis=0) >> _SHIFT) - 1, 0))
        right, bottom = (int(one) for one in (outline.max(axis=0) >> _SHIFT) + 2)
        right, bottom = min(right, width), min(bottom, height)
        if right <= left or bottom <= top:
            return None
        mask = np.zeros((bottom - top, right - left), np.uint8)
        moved = outline - np.array([left << _SHIFT, top << _SHIFT], np.int32)
        cv2.fillPoly(mask, [moved], 1, shift=_SHIFT)
        window = (slice(top, bottom), slice(left, right))
        return window, (mask & _members(tuple(only))[self.material[window]]).view(np.bool_)

    def box(
        self,
        a0: float,
        a1: float,
        b0: float,
        b1: float,
        material: Material,
        *,
        tint: Tint | None = None,
        albedo: Albedo | None = None,
        only: Sequence[Material] | None = None,
    ) -> None:
        """Fill the rectangle between two corners, at least one texel wide and high on the sheet."""
        scale, offset = self._affine
        height, width = self.material.shape
        ends = [one / (1 << _SHIFT) for one in (scale[0], offset[0], scale[1], offset[1])]
        left, right = sorted((a0 * ends[0] + ends[1], a1 * ends[0] + ends[1]))
        top, bottom = sorted((b0 * ends[2] + ends[3], b1 * ends[2] + ends[3]))
        columns = slice(max(round(max(left, -1.0)), 0), max(round(min(right, width - 1.0)) + 1, 0))
        rows = slice(max(round(max(top, -1.0)), 0), max(round(min(bottom, height - 1.0)) + 1, 0))
        if only is None:
            self.material[rows, columns] = int(material)
            self.color[rows, columns] = _color(tint, albedo)
            return
        field = self.material[rows, columns]
        chosen = _members(tuple(only))[field].view(np.bool_)
        field[chosen] = int(material)
        self.color[rows, columns][chosen] = _color(tint, albedo)

    def ellipse(self, center: Point, radii: Point, material: Material, **ink: Unpack[Ink]) -> None:
        """Fill an ellipse."""
        angles = np.radians(np.linspace(0.0, 360.0, 20))
        points = np.stack(
            [center[0] + radii[0] * np.cos(angles), center[1] + radii[1] * np.sin(angles)], axis=1
        )
        self.polygon(points, material, **ink)

    def line(self, start: Point, end: Point, width: float, material: Material, **ink: Unpack[Ink]) -> None:
        """Draw a line of a width in meters."""
        self.path([start, end], width, material, **ink)

    def path(
        self, points: Sequence[Point] | Floats, width: float, material: Material, **ink: Unpack[Ink]
    ) -> None:
        """Draw a line through several points, of a width in meters."""
        line = np.asarray(points, np.float64)
        across = np.empty_like(line)
        steps = line[1:] - line[:-1]
        across[0], across[-1] = steps[0], steps[-1]
        across[1:-1] = steps[1:] + steps[:-1]
        across = across[:, ::-1] * (-1.0, 1.0)
        across *= width / 2 / (np.sqrt((across**2).sum(axis=1, keepdims=True)) + 1e-9)
        self.polygon(np.concatenate([line + across, (line - across)[::-1]]), material, **ink)

    def _pixels(self, points: Iterable[Point] | Floats) -> NDArray[np.int32]:
        line = np.asarray(points if isinstance(points, np.ndarray) else list(points), np.float64)
        scale, offset = self._affine
        return np.rint(np.minimum(np.maximum(line * scale + offset, -_LIMIT), _LIMIT)).astype(np.int32)

    @cached_property
    def _affine(self) -> tuple[Floats, Floats]:
        """From the plane to pixels, in the fractions that cv2 takes."""
        height, width = self.material.shape
        scale = np.array(
            [width / (self.high[0] - self.low[0]), -height / (self.high[1] - self.low[1])], np.float64
        )
        origin = np.array([self.low[0], self.high[1]])
        return scale * (1 << _SHIFT), (-origin * scale - 0.5) * (1 << _SHIFT)


@cache
def _members(materials: tuple[Material, ...]) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[[int(one) for one in materials]] = 1
    return table


def _color(tint: Tint | None, albedo: Albedo | None) -> tuple[int, int, int]:
    if albedo is not None:
        red, green, blue = (int(255 * np.sqrt(min(max(one, 0.0), 1.0))) for one in albedo)
    elif tint is not None:
        factors = (tint,) * 3 if isinstance(tint, (int, float)) else tint
        red, green, blue = (int(min(max(one * NEUTRAL, 0.0), 255.0)) for one in factors)
    else:
        red = green = blue = NEUTRAL
    return red, green, blue
