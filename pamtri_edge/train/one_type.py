# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How one type is told, learned anew from other pictures; all else of a trained network stays as it is.

A network may know a type from some directions alone: rendered buses are mostly seen from the front and from
the side, those of a motorway from behind and above. Here one row of the classifier, a weight for each
hidden number and a bias, is fitted to pictures of the missing kind, with the logits of all other types held.
Embeddings and colors stay the same to the bit, and what is told of the others changes only where the type
joins or leaves.

Source: logistic regression by Newton's method with a Gaussian prior about the row that was, so that a few
pictures move it little (Chelba and Acero, "Adaptation of Maximum Entropy Capitalizer", EMNLP 2004).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import UNKNOWN, DataSet
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.odds import check_tells_types
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.refit import ONE_TYPE, RefitSpec
from pamtri_edge.train.whiten import drawn_views, seen_by, views_of
from pamtri_edge.vehicle import TYPES, check_types

Doubles = NDArray[np.float64]

_ROUNDS: Final = 50
_FLAT: Final = 1e-8
"""The largest slope of the mean loss at which the row counts as found."""


def learn_type(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = ONE_TYPE,
    *,
    name: str,
    advance: Callable[[int], None] = lambda _: None,
) -> ReidNet:
    """Return the network with another row of its classifier of types; all else in it stays.

    How often the type comes among the pictures is learned with it, as in a training.

    Args:
        reid: a trained network that tells the types of `vehicle.TYPES`.
        pose: the pose network it was trained with; None if it takes none.
        data: pictures of vehicles of this type and of others, as they are to be told apart.
        spec: which views, and how firmly the row that was is kept.
        name: the type.
        advance: called with the number of pictures done, from time to time.

    Raises:
        InputError: the network tells no types or others, the type is unknown, the pictures show none of it or
            nothing else, a picture cannot be read, or there is no pose network where it needs one.
    """
    check_types([name])
    check_tells_types(reid, ", of which one could be learned")
    place = TYPES.index(name)
    indices, _ = drawn_views(data, spec)
    kinds = data.types[indices]
    indices, kinds = indices[kinds != UNKNOWN], kinds[kinds != UNKNOWN]
    shown = int(np.count_nonzero(kinds == place))
    if not 0 < shown < len(kinds):
        raise InputError(
            f"{data.name}: {shown} of {len(kinds)} pictures with a known type show a {name}; it takes "
            "pictures of it and of others."
        )
    module = Pamtri(pose, copy.deepcopy(reid)).eval()
    classifier = module.reid.network.classifier_vtype
    hidden = seen_by(classifier, module, views_of(data, indices, spec), advance).astype(np.float64)
    weight, bias = (tensor.detach().double().numpy() for tensor in (classifier.weight, classifier.bias))
    logits = np.delete(hidden @ weight.T + bias, place, axis=1)
    row = type_row(
        hidden,
        np.logaddexp.reduce(logits, axis=1),
        kinds == place,
        np.append(weight[place], bias[place]),
        shrinkage=spec.shrinkage,
    )
    result = copy.deepcopy(reid)
    with torch.no_grad():
        result.classifier_vtype.weight[place] = torch.from_numpy(row[:-1].astype(np.float16))
        result.classifier_vtype.bias[place] = float(row[-1])
    return result.eval()


def type_row(
    hidden: Doubles, others: Doubles, shown: NDArray[np.bool_], before: Doubles, *, shrinkage: float
) -> Doubles:
    """Return weights and bias (H + 1,) by which a type's logit best tells it from all others.

    Args:
        hidden: (M, H) what the classifier takes.
        others: (M,) logarithm of the sum of the exponentials of the other types' logits.
        shown: (M,) whether it is this type.
        before: (H + 1,) the row that was.
        shrinkage: by how much of the mean variance of `hidden` a change of a weight is penalized; above 0.
    """
    inputs = np.column_stack([hidden, np.ones(len(hidden))])
    penalty = np.append(np.full(hidden.shape[1], shrinkage * hidden.var(axis=0).mean()), 0.0)

    def loss(row: Doubles) -> float:
        margin = inputs @ row - others
        moved = penalty @ (row - before) ** 2
        return float(np.mean(np.logaddexp(0.0, margin) - shown * margin) + 0.5 * moved)

    row: Doubles = before.copy()
    for _ in range(_ROUNDS):
        share = 1.0 / (1.0 + np.exp(np.clip(others - inputs @ row, -500.0, 500.0)))
        slope = inputs.T @ (share - shown) / len(inputs) + penalty * (row - before)
        if np.abs(slope).max() < _FLAT:
            break
        bend = (inputs * (share * (1.0 - share))[:, None]).T @ inputs / len(inputs)
        step = np.linalg.solve(bend + np.diag(penalty + 1e-12), slope)
        now = loss(row)
        while loss(row - step) > now and np.abs(step).max() > _FLAT:
            step = step / 2
        row = row - step
    return row
