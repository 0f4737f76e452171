# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A plain car as somebody's own mesh: a file that trimesh reads, with its notes beside it."""

import json

import numpy as np
import pytest

from pamtri_edge.vehicle import KEYPOINT_NAMES

trimesh = pytest.importorskip("trimesh", reason="meshes from files need the extra [synth]")

# x, z of keypoints 0..17 on a plain car's side; the left side stands at y = 0.85.
SIDE = (
    (-1.3, 0.32), (1.3, 0.32), (1.7, 0.3), (1.6, 0.65), (1.0, 0.65), (0.9, 0.3),
    (-0.9, 0.3), (-1.0, 0.65), (-1.6, 0.65), (-1.7, 0.3), (-2.1, 0.3), (-2.1, 0.95),
    (-1.6, 0.95), (-1.0, 1.45), (0.3, 1.45), (0.9, 0.95), (2.1, 0.95), (2.1, 0.3),
)  # fmt: skip


def keypoints():
    return np.array([(x, y, z) for y in (0.85, -0.85) for x, z in SIDE])


def car():
    """A box with a cabin, four wheels, two lamps; x forward, z up, meters."""
    scene = trimesh.Scene()
    add(scene, "shell", "CarPaint_01", trimesh.creation.box((4.2, 1.7, 0.65)), (0, 0, 0.625), [180, 20, 20])
    add(scene, "cabin", "Glass", trimesh.creation.box((1.9, 1.5, 0.5)), (-0.3, 0, 1.2), [40, 40, 50])
    for x in (1.3, -1.3):
        for y in (0.8, -0.8):
            wheel = trimesh.creation.cylinder(0.32, 0.2, sections=24)
            wheel.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
            add(scene, f"wheel{x}{y}", "Tyre", wheel, (x, y, 0.32), [20, 20, 20])
    add(scene, "lamp", "HeadLight", trimesh.creation.box((0.05, 1.2, 0.1)), (2.1, 0, 0.7), [255, 255, 255])
    add(scene, "sign", "Logo", trimesh.creation.box((0.02, 0.1, 0.1)), (2.12, 0, 0.8), [0, 255, 0])
    return scene


def add(scene, node, material, shape, at, color):
    surface = trimesh.visual.material.PBRMaterial(name=material, baseColorFactor=[*color, 255])
    shape.visual = trimesh.visual.TextureVisuals(material=surface)
    move = trimesh.transformations.translation_matrix(at)
    scene.add_geometry(shape, node_name=node, geom_name=node, transform=move)


def write(folder, name, scene, *, turn=None, **notes):
    """Write a mesh and its JSON; `turn` (4, 4) puts both into other coordinates."""
    turn = np.eye(4) if turn is None else turn
    scene = scene.copy()
    scene.apply_transform(turn)
    points = keypoints() @ turn[:3, :3].T + turn[:3, 3]
    scene.export(str(folder / name))
    named = dict(zip(KEYPOINT_NAMES, points.tolist(), strict=True))
    text = json.dumps({"type": "sedan", "keypoints": named} | notes)
    (folder / name).with_suffix(".json").write_text(text)
    return folder / name
