# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A vehicle that is a box, so that what a picture of it must show can be said without a renderer."""

import numpy as np

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_TEXTURE, Mesh

LENGTH, WIDTH, HEIGHT = 4.4, 1.8, 1.5
FACES = {  # axis, sign, segment
    "front": (0, 1, 12),
    "rear": (0, -1, 6),
    "left": (1, 1, 1),
    "right": (1, -1, 4),
    "top": (2, 1, 9),
    "bottom": (2, -1, 255),
}

# Along x and z, as shares of half the length and of the height, of keypoints 0..17.
_PLACES = (
    (-0.6, 0.2), (0.6, 0.2), (0.8, 0.1), (0.7, 0.4), (0.5, 0.4), (0.4, 0.1),
    (-0.4, 0.1), (-0.5, 0.4), (-0.7, 0.4), (-0.8, 0.1), (-1.0, 0.1), (-1.0, 0.6),
    (-1.0, 0.8), (-1.0, 1.0), (1.0, 1.0), (1.0, 0.8), (1.0, 0.6), (1.0, 0.1),
)  # fmt: skip


def box_mesh(*, material: Material = Material.PAINT, holes: tuple[str, ...] = ()) -> Mesh:
    """Return a box of one material; faces named in `holes` are painted with nothing."""
    vertices, normals, triangles, part, texture = [], [], [], [], []
    low = np.array([-LENGTH / 2, -WIDTH / 2, 0.0])
    high = np.array([LENGTH / 2, WIDTH / 2, HEIGHT])
    for name, (axis, sign, segment) in FACES.items():
        first, second = (a for a in range(3) if a != axis)
        for a, b in ((0, 0), (1, 0), (1, 1), (0, 1)):
            point = np.where(sign > 0, high, low).copy()
            point[first], point[second] = (low, high)[a][first], (low, high)[b][second]
            vertices.append(point)
            normals.append(np.eye(3)[axis] * sign)
        base = len(vertices) - 4
        triangles += [(base, base + 1, base + 2), (base, base + 2, base + 3)]
        part += [segment] * 2
        texture += [0 if name in holes else NO_TEXTURE] * 2
    side = np.array([(x * LENGTH / 2, WIDTH / 2, z * HEIGHT) for x, z in _PLACES])
    count = len(triangles)
    return Mesh(
        vertices=np.array(vertices, np.float32),
        normals=np.array(normals, np.float32),
        uv=np.full((len(vertices), 2), 0.5, np.float32),
        triangles=np.array(triangles, np.int32),
        texture=np.array(texture, np.int32),
        material=np.full(count, int(material), np.int32),
        color=np.full((count, 3), 0.5, np.float32),
        part=np.array(part, np.uint8),
        material_maps=np.zeros((1, 8, 8), np.uint8),
        color_maps=np.full((1, 8, 8, 3), 128, np.uint8),
        keypoints=np.concatenate([side, side * [1.0, -1.0, 1.0]]).astype(np.float32),
        length=LENGTH,
        width=WIDTH,
        height=HEIGHT,
    )
