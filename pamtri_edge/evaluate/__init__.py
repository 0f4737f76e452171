# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How well vehicles are found again, and their attributes and keypoints recognized."""

from pamtri_edge.evaluate.pose import Pck, pck
from pamtri_edge.metrics.ranking import Retrieval, retrieval

__all__ = ["Pck", "Retrieval", "pck", "retrieval"]
