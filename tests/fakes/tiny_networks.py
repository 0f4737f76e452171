# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks smaller than `TINY`, for tests that ask nothing of the pose network's branches.

An export of them takes five eighths of the time, since that goes by the number of layers: the bundle of all
tests is made of them. `TINY` has the paper's four branches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pamtri_edge.models import TINY

SMALLEST: Final = (replace(TINY[0], widths=(8, 8), modules=(1,), blocks=(1,)), TINY[1])
"""The pose network of two branches, which exchange what they see once."""

WHOLE: Final = (SMALLEST[0], replace(SMALLEST[1], segments=True))
"""The same with keypoints, heatmaps and segments: all that stands between two networks."""
