# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How far figures would move with other vehicles: bootstrap intervals over identities.

The queries of one vehicle are alike, so whole vehicles are drawn with replacement, not queries; the gallery
stays as it is. The interval is that of the percentiles. With fewer than about ten vehicles it is too narrow;
it is then a hint, not a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

DRAWS: Final = 10_000
LEVEL: Final = 0.95
"""The share of draws that an interval holds."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A figure and the interval around it.

    Attributes:
        value: the figure.
        low: lower end.
        high: upper end.
        identities: how many vehicles were drawn from.
    """

    value: float
    low: float
    high: float
    identities: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and the share of draws that the interval holds."""
        return {**asdict(self), "level": LEVEL}


@dataclass(frozen=True, eq=False)
class Scores:
    """One figure a query, such as its average precision.

    Attributes:
        values: (Q,) float64; NaN where the query does not count.
        vehicles: (Q,) integers, whose query it is.
    """

    values: Floats
    vehicles: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.values.shape != self.vehicles.shape or self.values.ndim != 1:
            raise InputError(
                f"figures of shape {self.values.shape} for vehicles of shape {self.vehicles.shape}; expected "
                "one for each query."
            )
        if np.isnan(self.values).all():
            raise InputError("no query counts, so there is no interval.")


def mean_interval(sets: Sequence[Scores], *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean over sets (clips) of the means over their queries, with its interval.

    Args:
        sets: one figure a query, for each set; vehicles are drawn within each.
        draws: how often vehicles are drawn.
        seed: of the drawing.
    """
    rng = np.random.default_rng(seed)
    values, totals, identities = [], np.zeros(draws), 0
    for scores in sets:
        sums, counts = _by_vehicle(scores)
        values.append(sums.sum() / counts.sum())
        drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
        totals += (drawn @ sums) / (drawn @ counts)
        identities += len(sums)
    low, high = np.quantile(totals / len(sets), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(np.mean(values)), float(low), float(high), identities)


def difference(
    first: Sequence[Scores], second: Sequence[Scores], *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """Return how much better the first feature is than the second, on the same queries; see `mean_interval`.

    Paired: both features meet the same vehicles in every draw.

    Args:
        first: figures of the first feature, for each set.
        second: figures of the second, of the same queries in the same order.
        draws: how often vehicles are drawn.
        seed: of the drawing.

    Raises:
        InputError: the queries differ, or none counts.
    """
    if len(first) != len(second) or not first:
        raise InputError(
            f"{len(first)} and {len(second)} sets cannot be compared; expected the same, 1 or more."
        )
    for index, (a, b) in enumerate(zip(first, second, strict=True)):
        same = np.array_equal(a.vehicles, b.vehicles)
        if not same or not np.array_equal(np.isnan(a.values), np.isnan(b.values)):
            raise InputError(f"set {index}: the two features were not measured on the same queries.")
    paired = [Scores(a.values - b.values, a.vehicles) for a, b in zip(first, second, strict=True)]
    return mean_interval(paired, draws=draws, seed=seed)


def _by_vehicle(scores: Scores) -> tuple[Floats, Floats]:
    """Return the sum and the number of the figures of each vehicle."""
    counted = ~np.isnan(scores.values)
    _, place = np.unique(scores.vehicles[counted], return_inverse=True)
    sums = np.bincount(place, weights=scores.values[counted]).astype(np.float64)
    return sums, np.bincount(place).astype(np.float64)
