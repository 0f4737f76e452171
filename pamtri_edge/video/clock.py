# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Frames a second: which rates are believed, and which rate time stamps speak of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

HIGHEST_RATE: Final = 240.0
"""Frames a second above which a header is not believed: no camera that watches traffic is faster."""

USUAL_RATE: Final = 25.0
"""Frames a second of a source that does not tell; the core's clock takes the same."""


def believable(rate: float | Fraction | None) -> float | None:
    """Return a header's rate in frames a second; None where no video can have it."""
    if rate is None:
        return None
    value = float(rate)
    return value if math.isfinite(value) and 0.0 < value <= HIGHEST_RATE else None


def measured_rate(times: Sequence[float], *, repeats: bool = False) -> float | None:
    """Return the frames a second that time stamps speak of; None where there are too few.

    The mean distance of those neighbors whose distance is about the median one: neither a gap nor a stamp
    that occurs twice counts, and rounding to milliseconds averages out.

    Args:
        times: seconds, in any order.
        repeats: a stamp that occurs again is another frame's, as of cameras that stamp frames in bursts.
    """
    ordered = sorted(times)
    every = [after - before for before, after in pairwise(ordered)]
    steps = [step for step in every if step > 0]
    if len(steps) < 2:
        return None
    usual = statistics.median(steps)
    least = 0.0 if repeats else 0.5 * usual
    near = [step for step in (every if repeats else steps) if least <= step <= 1.5 * usual]
    return believable(1.0 / statistics.fmean(near or [usual]))
