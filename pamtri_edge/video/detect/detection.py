# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a detector gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detection:
    """A vehicle in a picture.

    Attributes:
        box: x1, y1, x2, y2 in frame pixels, inside the frame.
        score: 0 to 1; 1 where the detector gives none.
    """

    box: tuple[float, float, float, float]
    score: float = 1.0


class Detector(Protocol):
    """Finds vehicles in pictures; may learn from picture to picture."""

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the vehicles in a (H, W, 3) uint8 RGB picture."""

    def restart(self) -> None:
        """Forget the pictures so far: another scene, or another picture size, follows."""
