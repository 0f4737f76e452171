# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""One view of a synthetic vehicle, from its mesh to JPEG bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate import Pair
from reference.plain_picture import draw


@contextmanager
def pair(_: Path) -> Iterator[Pair]:
    """Give `render_view` beside noise, polygons, blur and JPEG."""
    shape = pytest.importorskip("pamtri_edge.synth.body.shape", exc_type=ImportError)
    scene = pytest.importorskip("pamtri_edge.synth.view.scene", exc_type=ImportError)
    vehicle = pytest.importorskip("pamtri_edge.synth.specification.vehicle", exc_type=ImportError)
    spec = vehicle.sample_vehicle(0, 0)
    mesh = shape.build(spec)

    def render() -> int:
        return len(scene.render_view(mesh, spec, seed=0, identity=0, view=1, camera=1).jpeg)

    assert render() == render() > 1000
    assert draw(1) == draw(1) > 1000
    yield Pair(render, lambda: draw(1))
