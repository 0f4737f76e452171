# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Other odds of types than those of a training set, by the classifier's bias alone.

A classifier has learned how often each type came. Where a type comes more often than that, or is less readily
recognized, as real buses are by a network that saw rendered ones, a factor on its odds says so: the factor's
logarithm is added to the logit (Saerens et al., "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14, 2002).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch

from pamtri_edge.errors import InputError
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.vehicle import TYPES, check_types


def with_type_odds(reid: ReidNet, odds: Mapping[str, float]) -> ReidNet:
    """Return the same network, with the odds of types multiplied; embeddings and colors stay as they are.

    Args:
        reid: a network that tells the types of `vehicle.TYPES`.
        odds: a factor for each type named, above 0; 1 changes nothing.

    Raises:
        InputError: the network tells no types or others, a type is unknown, or a factor is no such number.
    """
    check_tells_types(reid, " whose odds could be changed")
    check_types(odds)
    for name, factor in odds.items():
        if not (math.isfinite(factor) and factor > 0):
            raise InputError(f"the odds of {name} are multiplied by {factor:g}; expected a number above 0.")
    changed = copy.deepcopy(reid)
    with torch.no_grad():
        for name, factor in odds.items():
            changed.classifier_vtype.bias[TYPES.index(name)] += math.log(factor)
    return changed


def check_tells_types(reid: ReidNet, purpose: str) -> None:
    """Refuse a network that does not tell the types of `vehicle.TYPES`; `purpose` goes on after their number.

    Raises:
        InputError: it tells no types, or others.
    """
    if not reid.spec.multitask or reid.spec.types != len(TYPES):
        raise InputError(f"the network does not tell the {len(TYPES)} types{purpose}.")
