# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What describes a vehicle picture: the interface, and what it says of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

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
        name: what tables and messages call it.
    """

    name: str

    def describe(self, pictures: Sequence[Picture]) -> Description:
        """Describe (H, W, 3) uint8 RGB pictures of any sizes, one or more."""
        ...


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
