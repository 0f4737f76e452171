# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of Y, U, V and what they are as RGB, in real numbers from the standards' definitions alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "smpte240m": (0.212, 0.087)}
# Where the first value of chroma lies, in pixels: along a row, along a column (ITU-T H.273).
SITES = {"mpeg2": (0.0, 0.5), "jpeg": (0.5, 0.5), "cosited": (0.0, 0.0)}


@dataclass(frozen=True)
class Planes:
    """A frame of 4:2:0: luma (H, W), chroma (H / 2, W / 2), sides rounded up."""

    luma: Plane
    u: Plane
    v: Plane

    def packed(self, form: str) -> bytes:
        """Return the bytes as GStreamer has them, of a width that is a multiple of 8."""
        pairs = (self.u, self.v) if form in ("NV12", "I420") else (self.v, self.u)
        if form in ("NV12", "NV21"):
            return self.luma.tobytes() + np.stack(pairs, axis=-1).tobytes()
        return self.luma.tobytes() + pairs[0].tobytes() + pairs[1].tobytes()


def to_planes(rgb: Plane, matrix: str = "bt601") -> Planes:
    """Return a picture with even sides as planes; chroma lies between its pixels, whatever it is read as."""
    kr, kb = KR_KB[matrix]
    red, green, blue = np.moveaxis(rgb.astype(np.float64) / 255, -1, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    height, width = luma.shape

    def chroma(level: NDArray[np.float64]) -> Plane:
        small = level.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        return np.round(128 + 224 * small).astype(np.uint8)

    return Planes(
        np.round(16 + 219 * luma).astype(np.uint8),
        chroma((blue - luma) / 2 / (1 - kb)),
        chroma((red - luma) / 2 / (1 - kr)),
    )


def to_rgb(planes: Planes, matrix: str, site: str, *, full: bool = False) -> Plane:
    """Return (H, W, 3) RGB: chroma between its places by straight lines, rounded once."""
    kr, kb = KR_KB[matrix]
    black, of_luma, of_chroma = (0, 255, 255) if full else (16, 219, 224)
    luma = (planes.luma - float(black)) / of_luma
    u, v = ((_widened(plane, luma.shape, SITES[site]) - 128) / of_chroma for plane in (planes.u, planes.v))
    red, blue = luma + 2 * (1 - kr) * v, luma + 2 * (1 - kb) * u
    green = (luma - kr * red - kb * blue) / (1 - kr - kb)
    levels = np.floor(255 * np.stack([red, green, blue], axis=-1) + 0.5)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _widened(plane: Plane, shape: tuple[int, ...], site: tuple[float, float]) -> NDArray[np.float64]:
    columns, rows = (
        (np.arange(pixels) - place) / 2 for pixels, place in zip((shape[1], shape[0]), site, strict=True)
    )
    wide = np.stack([np.interp(columns, np.arange(plane.shape[1]), row) for row in plane.astype(float)])
    return np.stack([np.interp(rows, np.arange(plane.shape[0]), column) for column in wide.T], axis=1)
