# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which views a trained network is shown when a layer at its end is made anew, without training.

Apart from what does so, which takes PyTorch: the commands' options begin with these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pamtri_edge.errors import InputError


@dataclass(frozen=True)
class RefitSpec:
    """Which views are looked at, and how far their spread is evened out.

    Attributes:
        vehicles: how many vehicles at most, evenly over the set.
        views: of each, two or more.
        smallest: longer side of the smallest views in pixels; each is shrunk to a side between this and
            `largest`, small ones as often as large ones (evenly on a logarithmic scale).
        largest: of the largest.
        shrinkage: of the mean variance that is added to each direction's: the less, the more the directions
            count along which views hardly differ. For a type: how firmly its weights are kept.
        seed: what views and sizes are drawn from.
    """

    vehicles: int = 800
    views: int = 5
    smallest: int = 22
    largest: int = 80
    shrinkage: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        if self.vehicles < 2 or self.views < 2:
            raise InputError(
                f"{self.vehicles} vehicles with {self.views} views each; how views of one vehicle spread "
                "takes 2 of both, better hundreds of vehicles."
            )
        if not 8 <= self.smallest <= self.largest:
            raise InputError(
                f"views of {self.smallest} to {self.largest} pixels; expected 8 or more, in order."
            )
        if self.shrinkage <= 0:
            raise InputError(f"the shrinkage is {self.shrinkage:g}; expected above 0, such as 0.03.")


WHITENING: Final = RefitSpec()
"""For a whitened half of the embedding, see `train.refit.whiten`."""

DISCRIMINANT: Final = RefitSpec(smallest=18, largest=96, shrinkage=0.3)
"""For an embedding of what tells vehicles apart, see `train.refit.discriminate`: views as small as traffic
cameras have them."""

ONE_TYPE: Final = RefitSpec(vehicles=1000, views=8, smallest=18, largest=96, shrinkage=0.001)
"""For how one type is told, see `train.refit.learn_type`."""
