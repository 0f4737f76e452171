# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The decisions of a video: which view is embedded, when, and what a track is then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference.plain_core import follow
from test_core import FRAMES, VEHICLES, run_frames


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give the core beside plain Python."""
    embedding = np.ones(512, np.float32)
    assert len(follow(FRAMES, VEHICLES, embedding)) == VEHICLES
    run_frames()  # counts its vehicles itself
    yield Pair(run_frames, lambda: follow(FRAMES, VEHICLES, embedding))
