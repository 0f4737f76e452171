# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The renderer: meshes into samples, samples into linear light. The loops are in `kernels/render`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge import _render
from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.view.camera import Camera, Doubles

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

NOTHING: Final = 255
"""Instance of a sample in which nothing is seen but the background."""

SUN_MAP_SIDE: Final = 176


@dataclass(frozen=True)
class Model:
    """A mesh standing in the world, ready to be drawn.

    Attributes:
        mesh: as built; its `vertices` are where `vertices` below were before they were placed.
        vertices: (V, 3) float32 in the world.
        native: the arrays, checked by the compiled module.
        footprint: (6,) float32 x, y, cosine and sine of its heading, half length, half width.
    """

    mesh: Mesh
    vertices: Floats
    native: _render.Mesh
    footprint: Floats


def place(mesh: Mesh, *, x: float = 0.0, y: float = 0.0, heading: float = 0.0) -> Model:
    """Stand a vehicle on the ground at x, y, turned by `heading` radians from the world's x axis."""
    c, s = math.cos(heading), math.sin(heading)
    vertices, normals = np.ascontiguousarray(mesh.vertices), np.ascontiguousarray(mesh.normals)
    if x or y or heading:
        turn = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]], np.float32)
        vertices = vertices @ turn + np.array([x, y, 0.0], np.float32)
        normals = normals @ turn
    native = _render.Mesh(
        vertices,
        normals,
        np.ascontiguousarray(mesh.uv),
        np.ascontiguousarray(mesh.triangles),
        np.ascontiguousarray(mesh.texture),
        np.ascontiguousarray(mesh.material),
        np.ascontiguousarray(mesh.color),
        np.ascontiguousarray(mesh.material_maps),
        np.ascontiguousarray(mesh.color_maps),
    )
    front, back = float(mesh.vertices[:, 0].max()), float(mesh.vertices[:, 0].min())
    middle = 0.5 * (front + back)
    footprint = np.array(
        [x + c * middle, y + s * middle, c, s, 0.5 * (front - back) - 0.15, 0.5 * mesh.width - 0.06],
        np.float32,
    )
    return Model(mesh, vertices, native, footprint)


class Samples:
    """What is seen in each sample of a picture: the nearest surface of the models drawn so far.

    Attributes:
        inverse_depth: (H, W) float32, 1 / meters along the optical axis; 0 where nothing is.
        triangle: (H, W) int32, of the instance's mesh.
        barycentric: (H, W, 2) float32, weights of the triangle's second and third corner.
        material: (H, W) uint8 of `Material`.
        instance: (H, W) uint8, the number given to `draw`, or `NOTHING`.
    """

    def __init__(self, height: int, width: int) -> None:
        self.inverse_depth = np.zeros((height, width), np.float32)
        self.triangle = np.zeros((height, width), np.int32)
        self.barycentric = np.zeros((height, width, 2), np.float32)
        self.material = np.zeros((height, width), np.uint8)
        self.instance = np.full((height, width), NOTHING, np.uint8)
        self._native = self._bind()

    def _bind(self) -> _render.Samples:
        return _render.Samples(
            self.inverse_depth, self.triangle, self.barycentric, self.material, self.instance
        )

    def copy(self) -> Samples:
        """Return samples of their own with the same contents."""
        return self.thinned(1)

    def thinned(self, step: int) -> Samples:
        """Return every `step`-th sample of every `step`-th row, from the middle of each block on."""
        fewer = object.__new__(Samples)
        pick = slice(step // 2, None, step)
        for name in ("inverse_depth", "triangle", "barycentric", "material", "instance"):
            setattr(fewer, name, np.array(getattr(self, name)[pick, pick], order="C"))
        fewer._native = fewer._bind()
        return fewer

    def draw(self, model: Model, camera: Camera, instance: int) -> None:
        """Draw a model as instance 0..254; triangles that reach behind the camera are left out."""
        _render.draw(model.native, camera.project(model.vertices), instance, self._native)

    def shade(
        self, model: Model, camera: Camera, instance: int, lit: Lit, surface: _render.Surface, out: Floats
    ) -> None:
        """Write linear R, G, B and coverage 1 of one instance's samples into `out` (H, W, 4)."""
        x, y, cosine, sine = model.footprint[:4].tolist()
        surface.front = (cosine, sine, cosine * x + sine * y)
        _render.shade(
            model.native, self._native, instance, native_camera(camera), lit.light, surface, lit.around, out
        )


@dataclass(frozen=True)
class Lit:
    """Light and what it meets, as the renderer takes it.

    Attributes:
        light: sun, sky, haze.
        around: maps of what is seen in each direction, and of what stands in the sun's way.
    """

    light: _render.Light
    around: _render.Around


def native_camera(camera: Camera) -> _render.Camera:
    """Return a camera as the renderer takes it."""
    native = _render.Camera()
    native.eye = tuple(camera.eye.tolist())
    native.rotation = tuple(camera.rotation.ravel().tolist())
    native.intrinsics = (*camera.focal, *camera.center)
    return native


def sun_axes(direction: Doubles) -> Doubles:
    """Return (3, 3) rows: two axes across the sun's rays, and the unit vector toward the sun."""
    overhead = abs(float(direction[2])) > 0.999
    across = np.cross([1.0, 0.0, 0.0] if overhead else [0.0, 0.0, 1.0], direction)
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(direction, across), direction])


def sun_depths(models: Iterable[Model], axes: Doubles, center: Doubles, half: float) -> Floats:
    """Return (side, side) float32: height toward the sun of what stands around `center`, -1e9 for nothing.

    Args:
        models: what throws shadows.
        axes: of `sun_axes`.
        center: (3,) the middle of the map, in the world.
        half: meters from the map's middle to its edge.
    """
    depths = np.full((SUN_MAP_SIDE, SUN_MAP_SIDE), -1e9, np.float32)
    scale = SUN_MAP_SIDE / (2.0 * half)
    stretch = np.array([scale, scale, 1.0])
    turned = (axes * stretch[:, None]).astype(np.float32).T
    shift = (np.array([half * scale, half * scale, 0.0]) - center @ (axes * stretch[:, None]).T).astype(
        np.float32
    )
    for model in models:
        _render.draw_sun_map(
            np.ascontiguousarray(model.vertices @ turned + shift), model.mesh.triangles, depths
        )
    return depths


def background(
    camera: Camera,
    lit: Lit,
    road: _render.Road,
    *,
    noise: Floats,
    blocks: Floats,
    models: Sequence[Model],
    size: tuple[int, int],
    covered: Bytes | None = None,
) -> tuple[Floats, Floats]:
    """Return (H, W, 3) linear color of ground, sky and blocks, and (H, W) how much the models darken it.

    Args:
        camera: whose pixels are those of `size`.
        lit: the light.
        road: the road.
        noise: (N, N) float32 0..1, N a power of two, without seams.
        blocks: (B, 12) float32, see `background.py`.
        models: the vehicles that darken the ground.
        size: height, width.
        covered: (H, W) uint8, 255 where a vehicle hides everything and nothing need be drawn.
    """
    color, shadow = np.zeros((*size, 3), np.float32), np.empty(size, np.float32)
    footprints = np.array([model.footprint for model in models], np.float32).reshape(-1, 6)
    _render.background(
        native_camera(camera), lit.light, road, lit.around, noise, blocks, footprints, covered, color, shadow
    )
    return color, shadow
