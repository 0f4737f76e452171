# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`Reidentifier.embed` with the shipped bundle, two crops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gate import Pair
from reference.plain_engine import PlainEngine

from pamtri_edge import Reidentifier, samples
from pamtri_edge.bundle import default_bundle, open_bundle


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give the SDK beside `cv2.resize` and OpenVINO."""
    crops = samples.crops(2, seed=5)
    plain = PlainEngine(open_bundle(default_bundle()).model, threads=1)
    with Reidentifier.load(default_bundle(), backend="openvino", threads=1) as reid:
        np.testing.assert_allclose(plain.embed(crops), reid.embed(crops).embeddings, atol=1e-3)
        yield Pair(lambda: reid.embed(crops), lambda: plain.embed(crops))
