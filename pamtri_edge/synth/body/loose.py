# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Goods that lie open on a truck."""

from __future__ import annotations

import numpy as np

from pamtri_edge.synth.body.assembly import Assembly
from pamtri_edge.synth.body.box import Box
from pamtri_edge.synth.body.draft import Draft
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.outline import Floats
from pamtri_edge.synth.specification.streams import Surface


def goods_color(rng: np.random.Generator) -> Floats:
    """Draw the color of wood, cardboard, tarpaulin or steel."""
    return np.asarray(rng.uniform(0.04, 0.4) * (1 + 0.7 * rng.uniform(-0.5, 0.5, 3)))


def add_goods(assembly: Assembly, draft: Draft, box: Box) -> None:
    """Add crates and bundles on an open floor."""
    rng = np.random.default_rng([draft.spec.seed, draft.spec.identity, Surface.GOODS])
    for _ in range(int(rng.integers(1, 5))):
        x = rng.uniform(box.rear + 0.4, box.front - 0.5)
        y = rng.uniform(-0.5, 0.5) * box.half_width
        half = rng.uniform(0.2, 0.5, 2)
        color = goods_color(rng)
        assembly.box(
            (x - half[0], y - half[1], box.floor),
            (x + half[0], y + half[1], box.floor + rng.uniform(0.3, 1.0)),
            Material.MATTE,
            color=color,
        )
