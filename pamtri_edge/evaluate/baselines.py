# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The simple features that a network must beat, by the names that the command line knows them by."""

from __future__ import annotations

from typing import Final

from pamtri_edge.evaluate.features import ColorHistogram, Describer, RgbHistogram, Thumbnail
from pamtri_edge.evaluate.handmade import ColorsAndTexture

BASELINES: Final[dict[str, Describer]] = {
    "thumbnail": Thumbnail(),
    "histogram": ColorHistogram(),
    "rgb-histogram": RgbHistogram(),
    "fact": ColorsAndTexture(),
}
