# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our engine with the network of the shipped bundle."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from gate import Pair

from pairs._networks import engine_pair
from pamtri_edge.bundle import default_bundle, open_bundle


def pair(_: Path) -> AbstractContextManager[Pair]:
    """Give our engine beside a plain call of OpenVINO."""
    return engine_pair(open_bundle(default_bundle()).model)
