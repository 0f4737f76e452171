# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What describes a vehicle picture: the interface, and the simple features that a network must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.views import Picture, Views
from pamtri_edge.progress import Progress

Floats = NDArray[np.float32]

BATCH: Final = 32
"""Pictures described at a time."""


@dataclass(frozen=True, eq=False)
class Description:
    """What a describer says of N pictures; what it cannot tell is None.

    Attributes:
        embeddings: (N, D) float32.
        colors: the color of each.
        types: the type of each.
        keypoints: (N, 36, 3) float32 x, y in crop units and confidence.
    """

    embeddings: Floats
    colors: Sequence[str] | None = None
    types: Sequence[str] | None = None
    keypoints: Floats | None = None

    def __len__(self) -> int:
        return len(self.embeddings)


class Describer(Protocol):
    """Turns pictures into features, and perhaps attributes and keypoints.

    Attributes:
        name: for tables and messages.
    """

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe (H, W, 3) uint8 RGB pictures of any sizes, one or more."""
        ...


@dataclass(frozen=True)
class Thumbnail:
    """The picture itself, very small, without its mean brightness: what looks alike at a glance."""

    side: int = 16

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.side}x{self.side} thumbnail"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        small = [
            cv2.resize(picture, (self.side, self.side), interpolation=cv2.INTER_AREA).reshape(-1)
            for picture in pictures
        ]
        values = np.stack(small).astype(np.float32)
        return Description(values - values.mean(axis=1, keepdims=True))


@dataclass(frozen=True)
class ColorHistogram:
    """How often each color occurs: a joint histogram of hue, saturation and value.

    Its square roots are the feature, so that the cosine of two is their Bhattacharyya coefficient.
    """

    bins: int = 8

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"HSV histogram ({self.bins}x{self.bins}x{self.bins})"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        return Description(np.stack([np.sqrt(self._shares(picture)) for picture in pictures]))

    def _shares(self, picture: Picture) -> Floats:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        # Hue ends at 180 in OpenCV's 8 bit form.
        counts = cv2.calcHist([hsv], [0, 1, 2], None, [self.bins] * 3, [0, 180, 0, 256, 0, 256])
        return np.asarray(counts.reshape(-1) / counts.sum(), np.float32)


@dataclass(frozen=True)
class RgbHistogram:
    """The same of red, green and blue: the harder one to beat across cameras."""

    bins: int = 8

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"RGB histogram ({self.bins}x{self.bins}x{self.bins})"

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe pictures; see `Describer`."""
        return Description(np.stack([np.sqrt(self._shares(picture)) for picture in pictures]))

    def _shares(self, picture: Picture) -> Floats:
        counts = cv2.calcHist([picture], [0, 1, 2], None, [self.bins] * 3, [0, 256] * 3)
        return np.asarray(counts.reshape(-1) / counts.sum(), np.float32)


def describe_all(
    describer: Describer, views: Views, *, batch: int = BATCH, progress: Progress | None = None
) -> Description:
    """Describe all views, some at a time.

    Args:
        describer: what describes them.
        views: one or more.
        batch: pictures in memory at a time.
        progress: told how many of how many are done.
    """
    parts: list[Description] = []
    done = 0
    for pictures in views.pictures(batch):
        parts.append(describer.describe(pictures))
        done += len(pictures)
        if progress is not None:
            progress(done, len(views))
    return join(parts)


def join(parts: Sequence[Description]) -> Description:
    """Return several descriptions, one after the other, as one; what one lacks, the whole lacks."""
    colors = [part.colors for part in parts if part.colors is not None]
    types = [part.types for part in parts if part.types is not None]
    keypoints = [part.keypoints for part in parts if part.keypoints is not None]
    count = len(parts)
    return Description(
        np.concatenate([part.embeddings for part in parts]),
        [name for names in colors for name in names] if len(colors) == count else None,
        [name for names in types for name in names] if len(types) == count else None,
        np.concatenate(keypoints) if len(keypoints) == count else None,
    )
