# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of several trainings that began from the same weights: one network, better away from home.

Wortsman et al., "Model soups", ICML 2022: trainings that part from one set of weights mostly stay in one
basin, and the mean of their weights keeps what they agree on. It costs nothing in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from pamtri_edge.errors import InputError
from pamtri_edge.models.checkpoints import load_reid
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.shipped import without_identities


def averaged(files: Sequence[Path]) -> ReidNet:
    """Return the re-identification network whose weights are the mean of those in files.

    The classifiers of the training sets' vehicles are left out. Statistics of batch normalisation are
    averaged like the weights.

    Args:
        files: weights of one network, trained on from common ones; at least one.

    Raises:
        InputError: no file, or the networks differ.
        CheckpointError: a file cannot be read.
    """
    if not files:
        raise InputError("no weights to average; give at least one file.")
    networks = [without_identities(load_reid(file)) for file in files]
    first = networks[0]
    for file, network in zip(files, networks, strict=True):
        if network.spec != first.spec:
            raise InputError(
                f"{file} holds {network.spec}, {files[0]} holds {first.spec}; only like can be averaged."
            )
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(tensor.dtype)
        for name, tensor in states[0].items()
    }
    first.load_state_dict(mean)
    return first
