# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a re-identification network that keep what they learned elsewhere while the rest learns.

First layers see edges and colors, which drawn vehicles teach no better than photographs; and statistics of
batch normalization that were taken over photographs are closer to real traffic than those of drawings. Both
frozen, what is learned of drawn vehicles carries over to real ones better, and a step costs less.
"""

from __future__ import annotations

from torch import nn

from pamtri_edge.errors import InputError
from pamtri_edge.models.multitask import ReidNet


def freeze(network: ReidNet, blocks: int) -> None:
    """Have the stem and the first blocks of the backbone learn nothing, in place.

    The first convolution goes on learning where it takes pose channels, which are new to it.

    Args:
        network: the network.
        blocks: how many blocks; 0 leaves all as it is, the stem too.

    Raises:
        InputError: the backbone has fewer blocks.
    """
    if not blocks:
        return
    found = network.base.blocks
    if blocks > len(found):
        raise InputError(f"frozen={blocks}: the backbone has {len(found)} blocks; freeze at most these.")
    convolution, norm = network.stem
    if network.spec.channels == 3:
        convolution.requires_grad_(False)
    norm.requires_grad_(False)
    for block in found[:blocks]:
        block.requires_grad_(False)


def learning(network: ReidNet, *, frozen_norms: bool) -> None:
    """Put a network into training mode; the backbone's batch normalizations keep their statistics if so."""
    network.train()
    if frozen_norms:
        for module in network.base.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
