# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The embedding as the directions of the pooled feature that tell vehicles apart, found without a gradient.

The layer that a training ends with serves its classifier, whose vehicles nobody will meet. Here it is
replaced: a trained network is shown some views of many vehicles, and the directions are taken along which
vehicles differ most, measured by how much the views of one differ. The network stays as large and as fast.

Source: Fisher's linear discriminant, regularised as by Friedman, "Regularized Discriminant Analysis" (JASA
1989). In each direction that is kept the views of one vehicle then spread alike, and all count the same:
weighed by how much rendered vehicles differ along them, fewer real ones were found again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pamtri_edge.datasets.data_set import DataSet
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.refit import DISCRIMINANT, RefitSpec
from pamtri_edge.train.whiten import drawn_views, seen_by, views_of, within_classes

_LEAST: Final = 1e-9


def discriminate(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = DISCRIMINANT,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> ReidNet:
    """Return the network with another last layer in front of its embedding; all else in it stays.

    Args:
        reid: a trained network whose embedding comes off a neck.
        pose: the pose network it was trained with; None if it takes none.
        data: pictures of more vehicles than the embedding has numbers, with two views or more each.
        spec: which views, and by how much the spread within vehicles is evened out.
        advance: called with the number of pictures done, from time to time.

    Raises:
        InputError: the network has no neck, there are too few vehicles with enough views, a picture cannot
            be read, or there is no pose network where it needs one.
    """
    if not reid.spec.neck:
        raise InputError(
            "this network has no layer to replace: its embedding is a leaky ReLU's. Take `pamtri train "
            "whiten`, or train with --backbone efficientnet-lite0."
        )
    indices, labels = drawn_views(data, spec)
    _check_number(len(indices), reid.spec.feature)
    layer = "fc_vid" if reid.spec.multitask else "fc"
    module = Pamtri(pose, reid).eval()
    linear = reid.get_submodule(layer)
    inputs = seen_by(linear, module, views_of(data, indices, spec), advance)
    weight, bias = discriminant(inputs, labels, width=reid.spec.feature, shrinkage=spec.shrinkage)
    result = ReidNet(reid.spec)
    result.load_state_dict(reid.state_dict())
    found = result.get_submodule(layer)
    assert isinstance(found, nn.Linear)
    with torch.no_grad():
        found.weight.copy_(torch.from_numpy(weight))
        found.bias.copy_(torch.from_numpy(bias))
        _pass_on(result.neck)
    return result.eval()


def discriminant(
    features: NDArray[np.float32], labels: NDArray[np.int64], *, width: int, shrinkage: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight (width, P) and bias (width,) of the map onto what tells classes apart.

    The weights are values of float16, which is how trained weights are shipped, and the bias is that of the
    rounded ones: it takes the mean of the features to 0.

    Args:
        features: (M, P).
        labels: (M,) the class of each, 0, 1, ...
        width: how many directions.
        shrinkage: part of the mean variance within classes that is added to that of each direction.

    Raises:
        InputError: there are no more than `width` views, or fewer features.
    """
    exact = features.astype(np.float64)
    _check_number(len(exact), width)
    if exact.shape[1] < width:
        raise InputError(f"{exact.shape[1]} features hold no embedding of {width} numbers.")
    within = within_classes(exact, labels)
    variances, directions = np.linalg.eigh(
        within + shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    )
    even = directions / np.sqrt(np.maximum(variances, _LEAST))
    ratios, turned = np.linalg.eigh(even.T @ np.cov(exact.T) @ even)
    best = np.argsort(-ratios)[:width]
    weight = (even @ turned[:, best]).T
    weight /= np.abs(weight).max()  # the length of an embedding means nothing, and float16 has its range
    weight = weight.astype(np.float16).astype(np.float64)
    return weight.astype(np.float32), (-weight @ exact.mean(axis=0)).astype(np.float32)


def _check_number(views: int, width: int) -> None:
    if views <= width:
        raise InputError(
            f"{views} views are too few for an embedding of {width} numbers; show more than {width}: more "
            "vehicles, or more views of each (--views)."
        )


def _pass_on(neck: nn.BatchNorm1d) -> None:
    """Have a neck change nothing."""
    assert neck.running_mean is not None
    assert neck.running_var is not None
    neck.reset_parameters()
    neck.running_var.fill_(1.0 - neck.eps)
