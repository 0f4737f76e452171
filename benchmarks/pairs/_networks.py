# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The networks that pairs run: those of the shipped bundle, and the two small ones apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from gate import Pair
from reference.plain_network import PlainNetwork

from pamtri_edge.bundle import open_bundle
from pamtri_edge.runtime import create_backend

BATCH = 2


def small_networks(folder: Path) -> tuple[Path, Path]:
    """Return the smallest pose and re-identification network, exported once."""
    path = folder / "small.pamtri"
    if not path.exists():
        export = pytest.importorskip("pamtri_edge.export", exc_type=ImportError)
        tiny = pytest.importorskip("pamtri_edge.models.sizes", exc_type=ImportError).TINY
        export.export_bundle(export.ExportOptions(model=tiny, staged=True, output=path, parity_crops=2))
    staged = open_bundle(path).staged
    assert staged is not None
    return staged


@contextmanager
def engine_pair(model: Path) -> Iterator[Pair]:
    """Give our engine on one thread beside a plain call of OpenVINO, both with a batch of two."""
    plain = PlainNetwork(model)
    rng = np.random.default_rng(3)
    inputs = {
        name: rng.uniform(0, 255 if name == "images" else 1, (BATCH, *shape[1:])).astype(np.float32)
        for name, shape in plain.shapes.items()
    }
    backend = create_backend(model, backend="openvino", threads=1)
    try:
        ours, theirs = backend.run(inputs), plain.run(inputs)
        for name, array in theirs.items():
            np.testing.assert_allclose(ours[name], array, atol=1e-4)
        yield Pair(lambda: backend.run(inputs), lambda: plain.run(inputs))
    finally:
        backend.close()
