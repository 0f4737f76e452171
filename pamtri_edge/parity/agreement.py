# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How well two sets of results agree: cosines of embeddings, classes and probabilities of attributes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.runtime.selftest import row_cosines

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Cosines:
    """Cosines between two sets of embeddings.

    Attributes:
        crops: how many.
        minimum: the least; None for no crops.
        mean: None for no crops.
    """

    crops: int
    minimum: float | None
    mean: float | None

    @classmethod
    def of(cls, a: Floats, b: Floats) -> Cosines:
        """Compare the rows of two arrays (N, D)."""
        if len(a) == 0:
            return cls(0, None, None)
        values = row_cosines(a, b)
        return cls(len(values), float(values.min()), float(values.mean()))


@dataclass(frozen=True)
class Attribute:
    """How well an attribute agrees.

    Attributes:
        crops: how many.
        agreement: share of the crops with the same most probable class; None for no crops.
        difference: largest difference of a probability; None for no crops.
    """

    crops: int
    agreement: float | None
    difference: float | None

    @classmethod
    def of(cls, a: Floats, b: Floats) -> Attribute:
        """Compare probabilities (N, C)."""
        if len(a) == 0:
            return cls(0, None, None)
        alike = a.argmax(axis=1) == b.argmax(axis=1)
        return cls(len(a), float(alike.mean()), float(np.abs(a - b).max()))
