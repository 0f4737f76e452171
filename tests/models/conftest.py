# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tiny networks with drawn weights, in every variant, and the pictures they were calibrated on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge import ops, samples
from pamtri_edge.models import TINY, TINY_LITE, PoseNet, ReidNet, ReidSpec, seeded
from tiny_networks import SMALLEST


@dataclass(frozen=True)
class Batch:
    """Three crops as the networks see them: stretched, in their windows, and their sizes in pixels."""

    images: Tensor
    windows: Tensor
    sizes: Tensor


@pytest.fixture(scope="session")
def pictures() -> list[NDArray[np.uint8]]:
    return samples.crops(4, seed=3)


@pytest.fixture(scope="session")
def batch(pictures: list[NDArray[np.uint8]]) -> Batch:
    shown = pictures[:3]
    return Batch(
        images=torch.from_numpy(ops.resize(shown)),
        windows=torch.from_numpy(ops.window(shown)),
        sizes=torch.tensor([[float(p.shape[1]), float(p.shape[0])] for p in shown]),
    )


@pytest.fixture(scope="session")
def tiny(pictures: list[NDArray[np.uint8]]) -> Callable[[str], tuple[PoseNet, ReidNet]]:
    """Return a function from a variant, such as "K+H+MT", to its tiny networks."""

    @cache
    def draw(variant: str) -> tuple[PoseNet, ReidNet]:
        return seeded((SMALLEST[0], tiny_spec(variant)), pictures=pictures[:2])

    return draw


def tiny_spec(variant: str) -> ReidSpec:
    """Return the spec of K(eypoints), H(eatmaps), S(egments), MT (heads); L takes the EfficientNet-Lite.

    P(arts) and M(iddle stages) are pooled too.
    """
    parts = variant.split("+")
    return replace(
        TINY_LITE if "L" in parts else TINY[1],
        keypoints="K" in parts,
        heatmaps="H" in parts,
        segments="S" in parts,
        multitask="MT" in parts,
        parts=24 * ("P" in parts),
        middle="M" in parts,
    )


@pytest.fixture(scope="session")
def spec_of() -> Callable[[str], ReidSpec]:
    return tiny_spec
