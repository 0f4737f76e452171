# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A layer at the end of a trained network made anew, without training.

A network is shown some views of many vehicles, as small as a street camera sees them, and a layer is worked
out of what the layers before it say of them; all else in the network stays as it is, to the bit.

*Whitening* adds a half to the embedding: the pooled feature, its covariance within the vehicles inverted.

*Discriminant* replaces the layer that gives the embedding, which serves a classifier of vehicles that nobody
will meet. Its directions are those along which vehicles differ most, measured by how much the views of one
differ; the network stays as large and as fast. Source: Fisher's linear discriminant, regularised as by
Friedman, "Regularized Discriminant Analysis" (JASA 1989). In each direction that is kept the views of one
vehicle then spread alike, and all count the same: weighed by how much rendered vehicles differ along them,
fewer real ones were found again.

*One type* is told anew. A network may know a type from some directions alone: rendered buses are mostly seen
from the front and from the side, those of a motorway from behind and above. One row of the classifier, a
weight for each hidden number and a bias, is fitted to pictures of the missing kind, with the logits of all
other types held. What is told of the others changes only where the type joins or leaves. Source: logistic
regression by Newton's method with a Gaussian prior about the row that was, so that a few pictures move it
little (Chelba and Acero, "Adaptation of Maximum Entropy Capitalizer", EMNLP 2004).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pamtri_edge import ops
from pamtri_edge.datasets.data_set import UNKNOWN, DataSet, crop_of
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.odds import check_tells_types
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.refit import DISCRIMINANT, ONE_TYPE, WHITENING, RefitSpec
from pamtri_edge.vehicle import TYPES, check_types

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Classes = NDArray[np.int64]
Advance = Callable[[int], None]
"""Called with the number of pictures done, from time to time."""

_BATCH: Final = 32
_LEAST: Final = 1e-9  # variance of a direction
_ROUNDS: Final = 50
_FLAT: Final = 1e-8
"""The largest slope of the mean loss at which a row counts as found."""


def whiten(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = WHITENING,
    *,
    advance: Advance = lambda _: None,
) -> ReidNet:
    """Return the network with a whitened half of its embedding; all else in it stays.

    Args:
        reid: a trained network; one that is whitened already is whitened anew.
        pose: the pose network it was trained with; None if it takes none.
        data: pictures of at least two vehicles, with two views or more.
        spec: which views, and how.
        advance: called with the number of pictures done, from time to time.

    Raises:
        InputError: too few vehicles with enough views, a picture that cannot be read, or no pose network
            where the re-identification network needs one.
    """
    indices, labels = drawn_views(data, spec)
    module = Pamtri(pose, reid).eval()
    pooled = _seen_by(reid.pool, module, (data, indices, spec), advance, inputs=False)
    weight, bias = within_class_whitening(pooled, labels, shrinkage=spec.shrinkage)
    result = ReidNet(replace(reid.spec, whitened=True))
    state = dict(reid.state_dict())
    state["whitening.linear.weight"] = torch.from_numpy(weight)
    state["whitening.linear.bias"] = torch.from_numpy(bias)
    result.load_state_dict(state)
    return result.eval()


def discriminate(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = DISCRIMINANT,
    *,
    advance: Advance = lambda _: None,
) -> ReidNet:
    """Return the network with another last layer in front of its embedding; all else in it stays.

    Args:
        reid: a trained network whose embedding comes off a neck.
        pose: see `whiten`.
        data: pictures of more vehicles than the embedding has numbers, with two views or more each.
        spec: which views, and by how much the spread within vehicles is evened out.
        advance: see `whiten`.

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
    inputs = _seen_by(reid.get_submodule(layer), module, (data, indices, spec), advance)
    weight, bias = discriminant(inputs, labels, width=reid.spec.feature, shrinkage=spec.shrinkage)
    result = copy.deepcopy(reid)
    found = result.get_submodule(layer)
    assert isinstance(found, nn.Linear)
    with torch.no_grad():
        found.weight.copy_(torch.from_numpy(weight))
        found.bias.copy_(torch.from_numpy(bias))
        _pass_on(result.neck)
    return result.eval()


def learn_type(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = ONE_TYPE,
    *,
    name: str,
    advance: Advance = lambda _: None,
) -> ReidNet:
    """Return the network with another row of its classifier of types; all else in it stays.

    How often the type comes among the pictures is learned with it, as in a training.

    Args:
        reid: a trained network that tells the types of `vehicle.TYPES`.
        pose: see `whiten`.
        data: pictures of vehicles of this type and of others, as they are to be told apart.
        spec: which views, and how firmly the row that was is kept.
        name: the type.
        advance: see `whiten`.

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
    hidden = _seen_by(classifier, module, (data, indices, spec), advance).astype(np.float64)
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


def drawn_views(data: DataSet, spec: RefitSpec) -> tuple[Classes, Classes]:
    """Return places of pictures (M,) and whose they are (M,), as many views of each vehicle.

    Raises:
        InputError: fewer than two vehicles have so many views.
    """
    rng = np.random.default_rng(spec.seed)
    counts = np.bincount(data.labels)
    enough = np.flatnonzero(counts >= spec.views)
    if len(enough) < 2:
        raise InputError(
            f"{data.name}: {len(enough)} vehicles have {spec.views} views or more; 2 of them are "
            "needed, better hundreds. Ask for fewer --views, or give more data."
        )
    chosen = enough[np.linspace(0, len(enough) - 1, min(spec.vehicles, len(enough))).round().astype(int)]
    order = np.argsort(data.labels, kind="stable")
    starts = np.cumsum(counts) - counts
    picks = [order[starts[one] + rng.choice(counts[one], spec.views, replace=False)] for one in chosen]
    return np.concatenate(picks), np.repeat(np.arange(len(chosen)), spec.views)


def within_class_whitening(features: Floats, labels: Classes, *, shrinkage: float) -> tuple[Floats, Floats]:
    """Return weight (P, P) and bias (P,) of the map after which classes spread alike in all directions.

    Args:
        features: (M, P), M above P for good measure.
        labels: (M,) the class of each, 0, 1, ...
        shrinkage: part of the mean variance that is added to that of each direction.
    """
    exact = features.astype(np.float64)
    variances, directions = np.linalg.eigh(_within_classes(exact, labels))
    lengths = np.sqrt(np.maximum(variances, 0.0) + shrinkage * variances.mean())
    return _centered((directions / lengths).T, exact)


def discriminant(features: Floats, labels: Classes, *, width: int, shrinkage: float) -> tuple[Floats, Floats]:
    """Return weight (width, P) and bias (width,) of the map onto what tells classes apart.

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
    within = _within_classes(exact, labels)
    variances, directions = np.linalg.eigh(
        within + shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    )
    even = directions / np.sqrt(np.maximum(variances, _LEAST))
    ratios, turned = np.linalg.eigh(even.T @ np.cov(exact.T) @ even)
    best = np.argsort(-ratios)[:width]
    weight = (even @ turned[:, best]).T
    weight /= np.abs(weight).max()  # the length of an embedding means nothing, and float16 has its range
    return _centered(weight, exact)


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


def _centered(weight: Doubles, features: Doubles) -> tuple[Floats, Floats]:
    """Return weight and bias of a map that takes the mean of the features to 0.

    The weights are values of float16, which is how trained weights are shipped, and the bias is that of the
    rounded ones.
    """
    rounded = weight.astype(np.float16).astype(np.float64)
    return rounded.astype(np.float32), (-rounded @ features.mean(axis=0)).astype(np.float32)


def _within_classes(features: Doubles, labels: Classes) -> Doubles:
    """Return the covariance (P, P) of features (M, P) about the means of their classes (M,)."""
    counts = np.bincount(labels)
    means = np.zeros((len(counts), features.shape[1]))
    np.add.at(means, labels, features)
    means /= counts[:, None]
    within = features - means[labels]
    covariance: Doubles = within.T @ within / (len(features) - len(counts))
    return covariance


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


def _views_of(data: DataSet, indices: Classes, spec: RefitSpec) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures (H, W, 3), each as small as it may be seen."""
    rng = np.random.default_rng([spec.seed, 1])
    for index in indices.tolist():
        picture, _ = crop_of(data, index, 0, spec.largest)
        height, width = picture.shape[:2]
        side = np.exp(rng.uniform(np.log(spec.smallest), np.log(spec.largest)))
        part = min(1.0, side / max(height, width))
        small = (max(8, round(width * part)), max(8, round(height * part)))
        yield np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)


def _seen_by(
    part: nn.Module,
    module: Pamtri,
    views: tuple[DataSet, Classes, RefitSpec],
    advance: Advance,
    *,
    inputs: bool = True,
) -> Floats:
    """Return what a part of a network takes (N, D) for views, in their order; or else what it gives."""
    device = next(module.parameters()).device
    seen: list[Floats] = []

    def keep(_part: nn.Module, taken: tuple[torch.Tensor, ...], given: torch.Tensor) -> None:
        seen.append((taken[0] if inputs else given).float().cpu().numpy())

    pictures = _views_of(*views)
    handle = part.register_forward_hook(keep)
    try:
        while batch := list(itertools.islice(pictures, _BATCH)):
            with torch.inference_mode():
                module(torch.from_numpy(ops.resize(batch)).to(device))
            advance(len(batch))
    finally:
        handle.remove()
    return np.concatenate(seen)
