# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our engine with the re-identification network, small and alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from gate import Pair

from pairs._networks import engine_pair, small_networks


def pair(folder: Path) -> AbstractContextManager[Pair]:
    """Give our engine beside a plain call of OpenVINO."""
    return engine_pair(small_networks(folder)[1])
