# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Small draws from a stream of random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

_Thing = TypeVar("_Thing")


def pick(rng: np.random.Generator, choices: Sequence[_Thing]) -> _Thing:
    """Return one of several things, each as likely as the others."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Return True as often as the probability says."""
    return bool(rng.random() < probability)
