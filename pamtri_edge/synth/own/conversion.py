# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From the triangles of a foreign file to a `Mesh`: turned, scaled, thinned, its parts found."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART, NO_TEXTURE, Mesh
from pamtri_edge.synth.own.normals import face_normals, with_normals
from pamtri_edge.vehicle import BODY_PARTS, KEYPOINT_NAMES, SEGMENTS

_log = logging.getLogger(__name__)

MAX_TRIANGLES: Final = 40_000
"""More cost time in every picture and show in none: a pixel is a centimetre or more."""

_COARSEST: Final = 0.05  # metres; what is thinned further loses its shape
_NEAR: Final = 0.25  # metres from a segment within which a triangle belongs to it
_SAMPLES: Final = 9  # along a segment's side
_WHEELBASE: Final = (1.2, 12.0)

_FRONT_WHEELS: Final = (KEYPOINT_NAMES.index("left_front_wheel"), KEYPOINT_NAMES.index("right_front_wheel"))
_REAR_WHEELS: Final = (KEYPOINT_NAMES.index("left_rear_wheel"), KEYPOINT_NAMES.index("right_rear_wheel"))

_NEUTRAL_TINT: Final = (0.5, 0.5, 0.5)
_OWN_COLOR: Final = (Material.MATTE, Material.PLATE)


@dataclass(frozen=True)
class Piece:
    """Triangles of one material.

    Attributes:
        vertices: (V, 3) float64.
        triangles: (T, 3) int64.
        material: what they are made of.
        albedo: linear RGB 0..1, for what is matt.
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]
    material: Material
    albedo: tuple[float, float, float]


def assemble(
    pieces: Sequence[Piece], keypoints: NDArray[np.float64], metres_per_unit: float, *, label: str
) -> Mesh:
    """Put pieces together in the vehicle's frame.

    Args:
        pieces: in the file's coordinates.
        keypoints: (36, 3) in the same, in the order of `vehicle.KEYPOINT_NAMES`.
        metres_per_unit: of these coordinates.
        label: how messages call the mesh.

    Raises:
        InputError: the keypoints do not fit a vehicle, or it has too many triangles to be thinned.
    """
    rotation, middle = _frame(keypoints, label)
    placed = [
        replace(piece, vertices=(piece.vertices - middle) @ rotation.T * metres_per_unit) for piece in pieces
    ]
    points = (keypoints - middle) @ rotation.T * metres_per_unit
    ground = min(float(piece.vertices[:, 2].min()) for piece in placed)
    up = np.array([0.0, 0.0, ground])
    placed = [replace(piece, vertices=piece.vertices - up) for piece in placed]
    points = points - up
    _check(points, placed, label)
    return _join(_thinned(placed, label), points)


def _frame(keypoints: NDArray[np.float64], label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation into the vehicle's frame and the point halfway between the axles."""
    front, rear = keypoints[list(_FRONT_WHEELS)].mean(axis=0), keypoints[list(_REAR_WHEELS)].mean(axis=0)
    left, right = keypoints[:18].mean(axis=0), keypoints[18:].mean(axis=0)
    forward = _unit(front - rear)
    across = left - right
    sideways = _unit(across - forward * (across @ forward))
    up = np.cross(forward, sideways)
    roof = keypoints[list(BODY_PARTS["windshield_front"])].mean(axis=0)
    if not np.isfinite(up).all() or np.linalg.norm(across) < 1e-9:
        raise InputError(f"{label}: its keypoints say no direction: wheels or sides lie upon each other.")
    if (roof - (front + rear) / 2) @ up <= 0:
        raise InputError(
            f"{label}: its roof lies below its wheels; left and right (or front and rear) keypoints are "
            "confused. Left is the driver's left, looking forward."
        )
    return np.stack([forward, sideways, up]), (front + rear) / 2


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(vector / np.linalg.norm(vector))


def _check(points: NDArray[np.float64], pieces: Sequence[Piece], label: str) -> None:
    wheelbase = float(points[_FRONT_WHEELS[0], 0] - points[_REAR_WHEELS[0], 0])
    if not _WHEELBASE[0] <= wheelbase <= _WHEELBASE[1]:
        raise InputError(
            f"{label}: its wheels stand {wheelbase:.3g} m apart, expected {_WHEELBASE[0]:g} to "
            f'{_WHEELBASE[1]:g}; set "metres_per_unit" (0.01 for centimetres).'
        )
    corners = np.concatenate([piece.vertices for piece in pieces])
    low, high = corners.min(axis=0) - 0.3, corners.max(axis=0) + 0.3
    outside = [KEYPOINT_NAMES[k] for k in np.flatnonzero(((points < low) | (points > high)).any(axis=1))]
    if outside:
        raise InputError(
            f"{label}: {', '.join(outside)} lie outside the mesh; keypoints are in its own coordinates."
        )


def _thinned(pieces: Sequence[Piece], label: str) -> list[Piece]:
    """Return pieces of no more than `MAX_TRIANGLES` together: vertices that lie in one cell become one."""
    total = sum(len(piece.triangles) for piece in pieces)
    if total <= MAX_TRIANGLES:
        return list(pieces)
    cell = 0.004
    while cell <= _COARSEST:
        thinned = [_cluster(piece, cell) for piece in pieces]
        left = sum(len(piece.triangles) for piece in thinned)
        if left <= MAX_TRIANGLES:
            _log.warning("%s has %d triangles; thinned to %d of %.0f mm", label, total, left, 1000 * cell)
            return thinned
        cell *= 1.25
    raise InputError(
        f"{label} has {total} triangles and keeps {left} where {1000 * _COARSEST:.0f} mm are made one; at "
        f"most {MAX_TRIANGLES} are accepted. Leave away what cannot be seen (materials: null) or decimate it."
    )


def _cluster(piece: Piece, cell: float) -> Piece:
    keys = np.floor(piece.vertices / cell).astype(np.int64)
    _, cluster, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    cluster = cluster.reshape(-1)
    sums = np.stack([np.bincount(cluster, piece.vertices[:, k], len(count)) for k in range(3)], axis=1)
    triangles = cluster[piece.triangles]
    whole = (triangles != np.roll(triangles, 1, axis=1)).all(axis=1)
    _, first = np.unique(np.sort(triangles[whole], axis=1), axis=0, return_index=True)
    return replace(piece, vertices=sums / count[:, None], triangles=triangles[whole][np.sort(first)])


def _join(pieces: Sequence[Piece], points: NDArray[np.float64]) -> Mesh:
    counts = [len(piece.vertices) for piece in pieces]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    vertices = np.concatenate([piece.vertices for piece in pieces])
    triangles = np.concatenate([piece.triangles + start for piece, start in zip(pieces, starts, strict=True)])
    many = [len(piece.triangles) for piece in pieces]
    colors = [piece.albedo if piece.material in _OWN_COLOR else _NEUTRAL_TINT for piece in pieces]
    vertices, normals, triangles = with_normals(vertices, triangles)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return Mesh(
        vertices=vertices.astype(np.float32),
        normals=normals.astype(np.float32),
        uv=np.zeros((len(vertices), 2), np.float32),
        triangles=triangles.astype(np.int32),
        texture=np.full(len(triangles), NO_TEXTURE, np.int32),
        material=np.repeat([int(piece.material) for piece in pieces], many).astype(np.int32),
        color=np.repeat(np.array(colors, np.float32), many, axis=0),
        part=_parts(vertices[triangles].mean(axis=1), face_normals(vertices, triangles), points),
        material_maps=np.full((1, 1, 1), int(Material.PAINT), np.uint8),
        color_maps=np.full((1, 1, 1, 3), 128, np.uint8),
        keypoints=points.astype(np.float32),
        length=float(high[0] - low[0]),
        width=float(high[1] - low[1]),
        height=float(high[2]),
    )


def _parts(
    centres: NDArray[np.float64], facing: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return the segment of each triangle: the nearest of those that face its way, if near enough."""
    t = np.linspace(0.0, 1.0, _SAMPLES)
    u, v = (grid.reshape(-1, 1) for grid in np.meshgrid(t, t))
    outward = facing / np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-12)
    nearest = np.full(len(centres), _NEAR)
    parts = np.full(len(centres), NO_PART, np.uint8)
    for index, segment in enumerate(SEGMENTS):
        a, b, c, d = points[list(segment.corners)]
        surface = (1 - u) * ((1 - v) * a + v * d) + u * ((1 - v) * b + v * c)
        normal = np.cross(c - a, d - b)
        normal = normal / max(float(np.linalg.norm(normal)), 1e-12)
        for start in range(0, len(centres), 4096):  # so that the table of distances stays small
            rows = slice(start, start + 4096)
            gaps = np.linalg.norm(centres[rows, None] - surface[None], axis=2).min(axis=1)
            # Winding says nothing of inside and outside in foreign files, so either way counts.
            gaps = gaps + 0.3 * (1.0 - np.abs(outward[rows] @ normal))
            better = gaps < nearest[rows]
            nearest[rows][better] = gaps[better]
            parts[rows][better] = index
    return parts
