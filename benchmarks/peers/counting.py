# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many multiplications and additions a network takes for a vehicle."""

from __future__ import annotations

from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from pamtri_edge.models import Pamtri, seeded


@cache
def networks(size: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """Return pose and re-identification of a size, with drawn weights."""
    from pamtri_edge import samples

    return seeded(size, pictures=samples.crops(8))


@cache
def operations(size: str) -> float:
    """Return the operations of the fused network of a size, as it is written, not as it is exported."""
    return _counted(Pamtri(*networks(size), optimize=False), torch.zeros(1, 3, 256, 256))


@cache
def pose_operations(size: str) -> float:
    """Return the operations of the pose network alone."""
    return _counted(networks(size)[0], torch.zeros(1, 3, 256, 256))


def _counted(module: torch.nn.Module, images: torch.Tensor) -> float:
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        module(images)
    return float(counter.get_total_flops())
