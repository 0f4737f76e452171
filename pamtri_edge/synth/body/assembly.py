# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Collects pieces of surface and joins them into one mesh."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART, NO_TEXTURE, Mesh
from pamtri_edge.synth.body.outline import Floats

if TYPE_CHECKING:
    from typing_extensions import Unpack

Color = Sequence[float] | Floats

_NEUTRAL = (0.5, 0.5, 0.5)


class Look(TypedDict, total=False):
    """How triangles look, as `Assembly.add` has it."""

    uv: Floats | None
    texture: int
    material: Material
    color: Color
    part: NDArray[np.integer] | int


class Assembly:
    """Pieces of a vehicle, added one by one."""

    def __init__(self) -> None:
        self._vertices: list[Floats] = []
        self._normals: list[Floats] = []
        self._uv: list[Floats] = []
        self._triangles: list[NDArray[np.int32]] = []
        self._texture: list[NDArray[np.int32]] = []
        self._material: list[NDArray[np.int32]] = []
        self._color: list[Floats] = []
        self._part: list[NDArray[np.uint8]] = []
        self._count = 0

    def add(
        self,
        vertices: Floats,
        normals: Floats,
        triangles: NDArray[np.int32],
        *,
        uv: Floats | None = None,
        texture: int = NO_TEXTURE,
        material: Material = Material.DARK,
        color: Color = _NEUTRAL,
        part: NDArray[np.integer] | int = NO_PART,
    ) -> None:
        """Add triangles.

        Args:
            vertices: (v, 3).
            normals: (v, 3), outward; any length.
            triangles: (t, 3) indices into `vertices`.
            uv: (v, 2) where there is a texture.
            texture: index of the maps, or `NO_TEXTURE`.
            material: without a texture, what they are made of.
            color: without a texture, as `Mesh.color`.
            part: segment, for all or (t,) for each.
        """
        count = len(triangles)
        self._vertices.append(vertices)
        self._normals.append(normals)
        self._uv.append(np.zeros((len(vertices), 2)) if uv is None else uv)
        self._triangles.append(triangles + np.int32(self._count))
        self._texture.append(np.full(count, texture, np.int32))
        self._material.append(np.full(count, int(material), np.int32))
        self._color.append(np.broadcast_to(np.asarray(color, np.float64), (count, 3)))
        self._part.append(np.broadcast_to(np.asarray(part, np.uint8), (count,)))
        self._count += len(vertices)

    def grid(self, points: Floats, normals: Floats, **look: Unpack[Look]) -> None:
        """Add a (rows, columns, 3) grid of points.

        `uv` is then (rows, columns, 2); `part` may be (rows - 1, columns - 1), for each of its quads, or for
        each triangle in the order of `grid_triangles`.
        """
        uv, part = look.get("uv"), look.get("part")
        if uv is not None:
            look["uv"] = uv.reshape(-1, 2)
        if isinstance(part, np.ndarray) and part.ndim == 2:
            look["part"] = np.tile(part.ravel(), 2)
        triangles = grid_triangles(*points.shape[:2])
        self.add(points.reshape(-1, 3), normals.reshape(-1, 3), triangles, **look)

    def box(
        self,
        low: Sequence[float],
        high: Sequence[float],
        material: Material,
        *,
        color: Color = _NEUTRAL,
        part: int = NO_PART,
    ) -> None:
        """Add a box along the axes."""
        corners, normals, triangles = _unit_box()
        start, end = np.minimum(low, high), np.maximum(low, high)
        vertices = start + corners * (end - start)
        self.add(vertices, normals, triangles, material=material, color=color, part=part)

    def ellipsoid(
        self, center: Sequence[float], radii: Sequence[float], material: Material, *, color: Color = _NEUTRAL
    ) -> None:
        """Add a rounded lump, squarer than an ellipsoid."""
        points, normals, triangles = _unit_lump()
        vertices = np.asarray(center) + points * np.asarray(radii)
        self.add(vertices, normals, triangles, material=material, color=color)

    def tube(self, path: Floats, radius: float, material: Material, *, color: Color = _NEUTRAL) -> None:
        """Add a tube with six sides along a (n, 3) path that does not run straight up."""
        slope = np.gradient(path, axis=0)
        slope /= np.linalg.norm(slope, axis=1, keepdims=True)
        helper = np.where(np.abs(slope[:, 2:]) > 0.9, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
        first = np.cross(slope, helper)
        first /= np.linalg.norm(first, axis=1, keepdims=True)
        second = np.cross(first, slope)
        angles = np.linspace(0, 2 * np.pi, 7)
        normals = (
            first[:, None] * np.cos(angles)[None, :, None] + second[:, None] * np.sin(angles)[None, :, None]
        )
        self.grid(path[:, None] + radius * normals, normals, material=material, color=color)

    def joined(
        self, material_maps: NDArray[np.uint8], color_maps: NDArray[np.uint8], keypoints: Floats, width: float
    ) -> Mesh:
        """Return everything as one mesh."""
        vertices = np.concatenate(self._vertices).astype(np.float32)
        normals = np.concatenate(self._normals)
        normals = normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)
        return Mesh(
            vertices=vertices,
            normals=normals.astype(np.float32),
            uv=np.concatenate(self._uv).astype(np.float32),
            triangles=np.concatenate(self._triangles).astype(np.int32),
            texture=np.concatenate(self._texture),
            material=np.concatenate(self._material),
            color=np.concatenate(self._color).astype(np.float32),
            part=np.concatenate(self._part),
            material_maps=material_maps,
            color_maps=color_maps,
            keypoints=keypoints.astype(np.float32),
            length=float(np.ptp(vertices[:, 0])),
            width=width,
            height=float(vertices[:, 2].max()),
        )


@cache
def grid_triangles(rows: int, columns: int) -> NDArray[np.int32]:
    """Return the triangles of a grid: first all lower ones in row order, then all upper ones."""
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], axis=-1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


@cache
def _unit_box() -> tuple[Floats, Floats, NDArray[np.int32]]:
    corners: list[Floats] = []
    normals: list[Floats] = []
    triangles: list[tuple[int, int, int]] = []
    for axis in range(3):
        for end in (0.0, 1.0):
            others = [one for one in range(3) if one != axis]
            start = len(corners)
            for a, b in ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)):
                corner = np.zeros(3)
                corner[axis], corner[others[0]], corner[others[1]] = end, a, b
                corners.append(corner)
                normal = np.zeros(3)
                normal[axis] = 2 * end - 1
                normals.append(normal)
            triangles += [(start, start + 1, start + 2), (start, start + 2, start + 3)]
    return np.array(corners), np.array(normals), np.array(triangles, np.int32)


@cache
def _unit_lump() -> tuple[Floats, Floats, NDArray[np.int32]]:
    rows, columns = 7, 9
    tilt = np.linspace(-np.pi / 2, np.pi / 2, rows)[:, None]
    turn = np.linspace(0, 2 * np.pi, columns)[None]
    points = np.stack(
        [
            _squared(np.cos(tilt)) * _squared(np.cos(turn)),
            _squared(np.cos(tilt)) * _squared(np.sin(turn)),
            _squared(np.sin(tilt)) + 0 * turn,
        ],
        axis=-1,
    ).reshape(-1, 3)
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    return points, normals, grid_triangles(rows, columns)


def _squared(values: Floats) -> Floats:
    return np.asarray(np.sign(values) * np.abs(values) ** 0.6)
