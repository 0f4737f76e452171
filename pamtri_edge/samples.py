# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn vehicles: pictures to calibrate, check and demonstrate with where no footage is at hand.

A vehicle is a low polygon body under a cabin, seen by a camera above the road, painted flat by face. That
is far from a photograph; it is deterministic, needs no file, and has edges, colors and wheels enough to
make the networks' activations vary as they do on real crops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Paint = tuple[int, int, int]
Face = tuple[NDArray[np.float64], Paint]
"""Corners (N, 3) in meters, and the shaded color."""

_PAINTS: Final = (
    (214, 180, 40), (208, 110, 30), (40, 110, 60), (120, 124, 128), (160, 28, 32),
    (34, 62, 140), (226, 228, 230), (168, 140, 88), (92, 64, 44), (28, 28, 32),
)  # fmt: skip
"""RGB, one for each of VeRi's ten colors, in their order."""

_GLASS: Final = (46, 56, 66)
_TYRE: Final = (20, 20, 22)
_ELEVATION: Final = np.radians(16.0)
_LIGHT: Final = np.array([0.35, 0.45, 0.82])
_FOCAL_DISTANCE: Final = 14.0


@dataclass(frozen=True)
class _Body:
    """Measures of a vehicle in meters; x forward, y to its left, z up, the origin on the road below it."""

    paint: Paint
    length: float
    width: float
    belt: float
    roof: float
    cabin_rear: float
    cabin_front: float
    hood: float

    @classmethod
    def of(cls, identity: int) -> _Body:
        rng = np.random.default_rng([identity, 36])
        shift = rng.integers(-14, 15, 3)
        paint = np.clip(np.array(_PAINTS[identity % len(_PAINTS)]) + shift, 8, 245)
        length = rng.uniform(3.6, 5.2)
        return cls(
            paint=(int(paint[0]), int(paint[1]), int(paint[2])),
            length=length,
            width=rng.uniform(1.65, 1.95),
            belt=rng.uniform(0.85, 1.05),
            roof=rng.uniform(1.38, 1.95),
            cabin_rear=-length * rng.uniform(0.30, 0.49),
            cabin_front=length * rng.uniform(0.12, 0.30),
            hood=rng.uniform(0.72, 0.84),
        )


def vehicle(identity: int, *, azimuth: float = 0.0, width: int = 256, height: int = 192) -> NDArray[np.uint8]:
    """Draw one vehicle, cut out.

    Args:
        identity: which vehicle; its shape and paint follow from this number, its color class is
            `identity % 10` in the order of `vehicle.COLORS`.
        azimuth: where the camera stands, in degrees: 0 before the vehicle, 90 at its left, 180 behind it.
        width: width of the picture in pixels; the vehicle fills it, its proportions give way.
        height: height of the picture in pixels.

    Returns:
        (height, width, 4) uint8 RGBA; alpha is 0 or 255.
    """
    scale = 4  # drawn large and shrunk: smooth edges without a renderer
    body = _Body.of(identity)
    faces = _faces(body)
    camera = _camera(np.radians(azimuth))
    projected = [_project(points, camera) for points, _ in faces]
    everything = np.concatenate([pixels for pixels, _ in projected])
    low, high = everything.min(axis=0), everything.max(axis=0)
    fit = (np.array([width, height]) * scale - 1) / (high - low)
    color = np.zeros((height * scale, width * scale, 3), np.uint8)
    mask = np.zeros((height * scale, width * scale), np.uint8)
    for index in sorted(range(len(faces)), key=lambda i: -projected[i][1]):
        pixels = np.round((projected[index][0] - low) * fit).astype(np.int32)
        cv2.fillPoly(color, [pixels], faces[index][1])
        cv2.fillPoly(mask, [pixels], 255)
    size = (width, height)
    smooth = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    alpha = np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127, 255, 0)
    return np.dstack([smooth, alpha]).astype(np.uint8)


def crops(count: int, *, seed: int = 0) -> list[NDArray[np.uint8]]:
    """Draw crops of vehicles on a road, of various sizes, views, light and sharpness.

    Args:
        count: how many.
        seed: another seed, other crops.

    Returns:
        `count` arrays of shape (H, W, 3), uint8 RGB, with sides between 40 and 400 pixels.
    """
    return [_crop(np.random.default_rng([seed, index, 13]), index) for index in range(count)]


def _crop(rng: np.random.Generator, identity: int) -> NDArray[np.uint8]:
    azimuth = rng.uniform(0.0, 360.0)
    height = int(rng.integers(40, 220))
    width = int(height * (0.95 + 0.5 * abs(np.sin(np.radians(azimuth)))))
    cut_out = vehicle(identity, azimuth=azimuth, width=width, height=height)
    margin_x, margin_y = (int(side * rng.uniform(0.02, 0.1)) for side in (width, height))
    shape = (height + 2 * margin_y, width + 2 * margin_x, 3)
    ground = np.linspace(rng.uniform(90, 150), rng.uniform(60, 110), shape[0])[:, None, None]
    picture = np.broadcast_to(ground, shape) + rng.normal(0.0, 6.0, shape)
    inner = picture[margin_y : margin_y + height, margin_x : margin_x + width]
    inner[:] = np.where(cut_out[..., 3:] > 0, cut_out[..., :3], inner)
    picture = picture * rng.uniform(0.6, 1.15) + rng.normal(0.0, 3.0, shape)
    blurred = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.4))
    return np.clip(blurred, 0, 255).astype(np.uint8)


def _camera(azimuth: float) -> NDArray[np.float64]:
    """Return the rows right, down and away of a camera that looks at the vehicle's middle."""
    along = np.cos(_ELEVATION)
    toward = np.array([np.cos(azimuth) * along, np.sin(azimuth) * along, np.sin(_ELEVATION)])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    up = np.cross(toward, right)
    return np.stack([right, -up, -toward])


def _project(points: NDArray[np.float64], camera: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return a face's picture coordinates and its mean distance."""
    seen = (points - np.array([0.0, 0.0, 0.7])) @ camera.T
    depth = seen[:, 2] + _FOCAL_DISTANCE
    return seen[:, :2] / depth[:, None], float(depth.mean())


def _faces(body: _Body) -> list[Face]:
    """Return the polygons of a vehicle with their shaded colors."""
    front, rear, side = body.length / 2, -body.length / 2, body.width / 2
    inset = side * 0.82
    nose = 0.28
    outline = [  # x, z of the lower body, clockwise seen from the left
        (rear, nose),
        (front, nose),
        (front, body.hood),
        (body.cabin_front + 0.55, body.belt),
        (rear + 0.05, body.belt),
    ]
    cabin = [
        (body.cabin_rear, body.belt),
        (body.cabin_front + 0.55, body.belt),
        (body.cabin_front - 0.15, body.roof),
        (body.cabin_rear + 0.25, body.roof),
    ]
    faces = [_wall(outline, y, body.paint) for y in (side, -side)]
    faces += _band(outline, side, [body.paint] * 5)
    faces += [_wall(cabin, y, body.paint) for y in (inset, -inset)]
    faces += _band(cabin, inset, [body.paint, _GLASS, body.paint, _GLASS])
    shrunk = [(x * 0.9 + 0.05 * body.cabin_front, z - 0.05 if z > body.belt else z + 0.05) for x, z in cabin]
    faces += [_wall(shrunk, y * 1.01, _GLASS) for y in (inset, -inset)]
    for x in (front * 0.62, rear * 0.62):
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        wheel = list(zip(x + 0.33 * np.cos(turn), 0.33 + 0.33 * np.sin(turn), strict=True))
        faces += [_wall(wheel, y * 1.02, _TYRE) for y in (side, -side)]
        hub = [(x + (u - x) * 0.5, 0.33 + (v - 0.33) * 0.5) for u, v in wheel]
        faces += [_wall(hub, y * 1.03, (150, 152, 156)) for y in (side, -side)]
    for y in (side * 0.7, -side * 0.7):
        faces.append(_plate(front + 0.02, y, (235, 232, 210)))
        faces.append(_plate(rear - 0.02, y, (170, 20, 20)))
    return faces


def _wall(outline: list[tuple[float, float]], y: float, paint: Paint) -> Face:
    points = np.array([(x, y, z) for x, z in outline])
    return points, _shade(paint, np.array([0.0, np.sign(y), 0.0]))


def _band(outline: list[tuple[float, float]], side: float, paints: list[Paint]) -> list[Face]:
    """Return the faces that join the two walls along an outline."""
    faces = []
    for (x0, z0), (x1, z1), paint in zip(outline, outline[1:] + outline[:1], paints, strict=True):
        points = np.array([(x0, side, z0), (x1, side, z1), (x1, -side, z1), (x0, -side, z0)])
        normal = np.array([-(z1 - z0), 0.0, x1 - x0])
        normal = normal if normal @ [np.sign(x0 + x1), 0.0, 1.0] > 0 else -normal
        faces.append((points, _shade(paint, normal / max(float(np.linalg.norm(normal)), 1e-9))))
    return faces


def _plate(x: float, y: float, paint: Paint) -> Face:
    points = [(x, y - 0.18, 0.52), (x, y + 0.18, 0.52), (x, y + 0.18, 0.66), (x, y - 0.18, 0.66)]
    return np.array(points), paint


def _shade(paint: Paint, normal: NDArray[np.float64]) -> Paint:
    light = 0.62 + 0.45 * max(float(normal @ _LIGHT), 0.0)
    r, g, b = (int(np.clip(value * light, 0, 255)) for value in paint)
    return r, g, b
