# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How far an exported file may be from the network that it was made of, for each precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Limits:
    """What a comparison with PyTorch in float32 must keep.

    Attributes:
        cosine: least cosine of an embedding with the reference's.
        mean_cosine: least mean of these cosines.
        heatmap: largest error of a cell of a heatmap, and of a confidence; where the reference passes 1,
            a part of their largest magnitude.
        heatmap_cosine: least cosine of a crop's heatmaps, all together, with the reference's.
        probability: largest difference of an attribute's probability.
        tied_cosine: least mean of the cosines of crops with a tie, for where no heatmaps are at hand to judge
            them by. (A tie changes an embedding; another picture or network changes it altogether.)
        tied_share: if more than this part of the crops has a decision that fell otherwise, the report says
            that the end-to-end figure rests on few crops.
    """

    cosine: float
    mean_cosine: float
    heatmap: float
    heatmap_cosine: float
    probability: float
    tied_cosine: float
    tied_share: float

    def heatmap_error(self, largest: float) -> float:
        """Return the largest error allowed beside a reference whose heatmaps reach this magnitude."""
        return self.heatmap * max(1.0, largest)


LIMITS: Final[Mapping[str, Limits]] = {
    "fp32": Limits(
        cosine=0.99999,
        mean_cosine=0.99999,
        heatmap=1e-4,
        heatmap_cosine=0.99999,
        probability=1e-3,
        tied_cosine=0.95,
        tied_share=0.05,
    ),
    "fp16": Limits(
        cosine=0.9999,
        mean_cosine=0.9999,
        heatmap=0.03,
        heatmap_cosine=0.999,
        probability=0.03,
        tied_cosine=0.95,
        tied_share=0.5,
    ),
    "int8": Limits(
        cosine=0.9,
        mean_cosine=0.95,
        heatmap=1.0,
        heatmap_cosine=0.7,
        probability=0.5,
        tied_cosine=0.8,
        tied_share=1.0,
    ),
}
