# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled renderer (kernels/render/bindings.cpp); its arrays are made by `pamtri_edge.synth.raster`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_Triple = tuple[float, float, float] | Sequence[float]

class Camera:
    eye: _Triple
    rotation: Sequence[float]
    intrinsics: Sequence[float]
    def __init__(self) -> None: ...

class Light:
    direction: _Triple
    sun: _Triple
    sky: _Triple
    haze_color: _Triple
    haze: float
    def __init__(self) -> None: ...

class Surface:
    paint: _Triple
    second_paint: _Triple
    interior: _Triple
    metal: float
    gloss: float
    dirt: float
    front: _Triple
    headlamps: float
    taillamps: float
    indicators: float
    def __init__(self) -> None: ...

class Road:
    heading: float
    offset: float
    half_width: float
    lane_width: float
    lane_phase: float
    dash_period: float
    dash_share: float
    mark_strength: float
    edge_strength: float
    center_strength: float
    hatch_strength: float
    crossing: float
    stain: float
    patches: float
    grain: float
    kerb: float
    pavement: float
    slab: float
    wet: float
    asphalt: _Triple
    mark_color: _Triple
    center_color: _Triple
    kerb_color: _Triple
    pavement_color: _Triple
    verge_color: _Triple
    verge_grain: float
    def __init__(self) -> None: ...

class Mesh:
    def __init__(
        self,
        vertices: NDArray[np.float32],
        normals: NDArray[np.float32],
        uv: NDArray[np.float32],
        triangles: NDArray[np.int32],
        texture: NDArray[np.int32],
        material: NDArray[np.int32],
        color: NDArray[np.float32],
        material_maps: NDArray[np.uint8],
        color_maps: NDArray[np.uint8],
    ) -> None: ...

class Samples:
    def __init__(
        self,
        inverse_depth: NDArray[np.float32],
        triangle: NDArray[np.int32],
        barycentric: NDArray[np.float32],
        material: NDArray[np.uint8],
        instance: NDArray[np.uint8],
    ) -> None: ...

class Around:
    def __init__(
        self,
        mirror: NDArray[np.float32],
        glossy: NDArray[np.float32],
        diffuse: NDArray[np.float32],
        depths: NDArray[np.float32],
        sun_rotation: Sequence[float],
        sun_center: _Triple,
        sun_half: float,
        cover: NDArray[np.float32],
        cover_half: float,
    ) -> None: ...

def draw(mesh: Mesh, screen: NDArray[np.float64], instance: int, samples: Samples) -> None: ...
def draw_sun_map(
    vertices: NDArray[np.float32], triangles: NDArray[np.int32], depths: NDArray[np.float32]
) -> None: ...
def shade(
    mesh: Mesh,
    samples: Samples,
    instance: int,
    camera: Camera,
    light: Light,
    surface: Surface,
    around: Around,
    out: NDArray[np.float32],
) -> None: ...
def background(
    camera: Camera,
    light: Light,
    road: Road,
    around: Around,
    noise: NDArray[np.float32],
    blocks: NDArray[np.float32],
    footprints: NDArray[np.float32],
    covered: NDArray[np.uint8] | None,
    color: NDArray[np.float32],
    shadow: NDArray[np.float32],
) -> None: ...
