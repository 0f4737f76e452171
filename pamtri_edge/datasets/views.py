# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is evaluated: pictures of vehicles, as queries and as the gallery, with what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Views:
    """N pictures, each of one vehicle; the pictures themselves are read when they are needed.

    Attributes:
        names: what messages and ranked lists call each.
        vehicles: (N,) int64 identities; below 0 where it is unknown.
        cameras: (N,) int64; `NO_CAMERA` where it is unknown.
        read: gives picture n, (H, W, 3) uint8 RGB of any size: the crop that a detector would cut.
        colors: names of the colors, None where one is not known; None if no color is known.
        types: names of the types, likewise.
        keypoints: (N, 36, 3) float32 x, y in crop units and visibility 0 or 1; None if not known.
        sizes: (N, 2) float32 width and height, in pixels, of the pictures that the keypoints' labels
            speak of; given with them.
    """

    names: tuple[str, ...]
    vehicles: NDArray[np.int64]
    cameras: NDArray[np.int64]
    read: Callable[[int], Picture]
    colors: tuple[str | None, ...] | None = None
    types: tuple[str | None, ...] | None = None
    keypoints: NDArray[np.float32] | None = None
    sizes: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def pictures(self, size: int) -> Iterator[list[Picture]]:
        """Give the pictures, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield [self.read(n) for n in range(start, min(start + size, len(self)))]


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Queries and the gallery that they are looked up in.

    Attributes:
        name: for tables and messages.
        query: the pictures that are looked for.
        gallery: the pictures that they are looked for in.
        across_cameras: whether matches by a query's own camera are left out, as Market-1501 and VeRi do.
        between_cameras: whether all that a query's own camera took is left out, whatever it shows: each
            camera's vehicles are looked up among what the others saw.
    """

    name: str
    query: Views
    gallery: Views
    across_cameras: bool
    between_cameras: bool = False

    def pairs(self, queries: slice) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell, (Q, G) each, which gallery pictures show the vehicles of queries, and which are ranked."""
        vehicles, cameras = self.query.vehicles[queries, None], self.query.cameras[queries, None]
        same = vehicles == self.gallery.vehicles
        ranked = np.broadcast_to(self.gallery.vehicles >= 0, same.shape)
        if self.across_cameras:
            ranked = ranked & ~((same | self.between_cameras) & (cameras == self.gallery.cameras))
        return same, ranked

    @property
    def identities(self) -> int:
        """How many known vehicles the queries show."""
        return len(np.unique(self.query.vehicles[self.query.vehicles >= 0]))
