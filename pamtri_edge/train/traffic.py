# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How often colors are seen in traffic: most vehicles are white, black, gray or silver.

Where all colors come alike, color alone tells most vehicles apart, and little else is learned.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import UNKNOWN, DataSet
from pamtri_edge.vehicle import COLORS

_SHARES: Final = {
    "white": 0.24,
    "gray": 0.24,
    "black": 0.22,
    "blue": 0.10,
    "red": 0.09,
    "green": 0.03,
    "brown": 0.03,
    "yellow": 0.02,
    "golden": 0.02,
    "orange": 0.01,
}
"""Of new cars, roughly, as makers of paint publish them; silver is gray."""


def traffic_weights(data: DataSet, traffic: float) -> NDArray[np.float64] | None:
    """Return how often each picture's vehicle is to be shown, 1 on average over the vehicles of known color.

    Args:
        data: the pictures.
        traffic: from 0, as they come (then None), to 1, colors as often as in traffic.
    """
    known = data.colors != UNKNOWN
    if not traffic or not known.any():
        return None
    _, first = np.unique(data.labels, return_index=True)
    colors = data.colors[first]
    counts = np.bincount(colors[colors != UNKNOWN], minlength=len(COLORS))
    shares = np.array([_SHARES[color] for color in COLORS]) * (counts > 0)
    wanted = shares / shares.sum() * counts.sum()
    of_color = (1.0 - traffic) + traffic * wanted / np.maximum(counts, 1)
    return np.where(known, of_color[data.colors], 1.0)
