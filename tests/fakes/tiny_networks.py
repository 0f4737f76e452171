# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks smaller than `TINY`, for tests that ask nothing of the pose network's branches.

An export of them takes five eighths of the time, since that goes by the number of layers: the bundle of all
tests is made of them. `TINY` has the paper's four branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pamtri_edge.geometry import Geometry
from pamtri_edge.models import TINY, TINY_LITE, DenseSpec
from pamtri_edge.models.efficientnet import LiteSpec, Stage

SMALLEST: Final = (replace(TINY[0], widths=(8, 8), modules=(1,), blocks=(1,)), TINY[1])
"""The pose network of two branches, which exchange what they see once."""

WHOLE: Final = (
    SMALLEST[0],
    replace(SMALLEST[1], segments=True, backbone=DenseSpec(stem=8, growth=4, blocks=(1, 1))),
)
"""With keypoints, heatmaps and segments: all that stands between two networks, of which this is about."""

ORIGINAL: Final[Mapping[str, Any]] = {"geometry": Geometry.ORIGINAL, "flip_test": True}
"""How tests export `WHOLE`, so that it is exported once."""

SHORT_LITE: Final = replace(
    TINY_LITE, backbone=LiteSpec((Stage(8, 1, 3, 1, 1), Stage(12, 1, 3, 2, 2)), stem=8, head=40)
)
"""`TINY_LITE` of two blocks: one that does not widen, one that does and halves."""
