# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle as triangles: what the builder makes and the renderer draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NO_TEXTURE: Final = -1
"""`Mesh.texture` of a triangle that has one material and one color."""

NO_PART: Final = 255
"""`Mesh.part` of a triangle that lies in none of the 13 segments."""

NEUTRAL: Final = 128
"""The value of a color map that leaves a material as it is."""


@dataclass(frozen=True)
class Mesh:
    """Triangles of one vehicle with their materials, and its keypoints.

    x points forward, y to the vehicle's left, z up, in meters; the ground is z = 0 and the origin lies on it
    halfway between the axles. Triangles have no preferred winding: normals say which side is outside.

    Attributes:
        vertices: (V, 3) float32.
        normals: (V, 3) float32, unit length, outward.
        uv: (V, 2) float32, 0..1; the texel is row int(v * H), column int(u * W) of the triangle's map.
        triangles: (T, 3) int32, indices of vertices.
        texture: (T,) int32, index into the maps, or `NO_TEXTURE`.
        material: (T,) int32, a `Material` where there is no texture.
        color: (T, 3) float32, linear RGB 0..1 where there is no texture: the albedo of MATTE and PLATE, a
            tint relative to 0.5 for the others (0.5 leaves the material as it is).
        part: (T,) uint8, segment 0..12 in the order of `vehicle.SEGMENTS`, or `NO_PART`.
        material_maps: (K, H, W) uint8 of `Material`.
        color_maps: (K, H, W, 3) uint8 RGB. Where the material is MATTE or PLATE the albedo is
            (color / 255) squared; elsewhere color / 128 multiplies what the material has by itself. For
            GLASS that is what is seen behind it: seats and wheel lighter, pillars and gaps darker.
        keypoints: (36, 3) float32 in the order of `vehicle.KEYPOINT_NAMES`, by construction.
        length: along x, in meters.
        width: along y without the mirrors, in meters.
        height: of the highest vertex, in meters.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    texture: NDArray[np.int32]
    material: NDArray[np.int32]
    color: NDArray[np.float32]
    part: NDArray[np.uint8]
    material_maps: NDArray[np.uint8]
    color_maps: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    length: float
    width: float
    height: float
