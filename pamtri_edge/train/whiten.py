# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The whitened half of an embedding, found from how the views of each vehicle spread.

No gradient is followed: a trained network is shown some views of many vehicles, as small as a street camera
sees them, and the covariance of its pooled feature within the vehicles is inverted.
"""

from __future__ import annotations

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
from pamtri_edge.datasets.data_set import DataSet, crop_of
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.refit import WHITENING, RefitSpec

_BATCH: Final = 32


def whiten(
    reid: ReidNet,
    pose: PoseNet | None,
    data: DataSet,
    spec: RefitSpec = WHITENING,
    *,
    advance: Callable[[int], None] = lambda _: None,
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
    pooled = seen_by(reid.pool, module, views_of(data, indices, spec), advance, inputs=False)
    weight, bias = within_class_whitening(pooled, labels, shrinkage=spec.shrinkage)
    result = ReidNet(replace(reid.spec, whitened=True))
    state = dict(reid.state_dict())
    state["whitening.linear.weight"] = torch.from_numpy(weight)
    state["whitening.linear.bias"] = torch.from_numpy(bias)
    result.load_state_dict(state)
    return result.eval()


def drawn_views(data: DataSet, spec: RefitSpec) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
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


def within_class_whitening(
    features: NDArray[np.float32], labels: NDArray[np.int64], *, shrinkage: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weight (P, P) and bias (P,) of the map after which classes spread alike in all directions.

    The weights are values of float16, which is how trained weights are shipped, and the bias is that of the
    rounded ones: it takes the mean of the features to 0.

    Args:
        features: (M, P), M above P for good measure.
        labels: (M,) the class of each, 0, 1, ...
        shrinkage: part of the mean variance that is added to that of each direction.
    """
    exact = features.astype(np.float64)
    variances, directions = np.linalg.eigh(within_classes(exact, labels))
    lengths = np.sqrt(np.maximum(variances, 0.0) + shrinkage * variances.mean())
    weight = (directions / lengths).T.astype(np.float16).astype(np.float64)
    return weight.astype(np.float32), (-weight @ exact.mean(axis=0)).astype(np.float32)


def within_classes(features: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the covariance (P, P) of features (M, P) about the means of their classes (M,)."""
    counts = np.bincount(labels)
    means = np.zeros((len(counts), features.shape[1]))
    np.add.at(means, labels, features)
    means /= counts[:, None]
    within = features - means[labels]
    covariance: NDArray[np.float64] = within.T @ within / (len(features) - len(counts))
    return covariance


def views_of(data: DataSet, indices: NDArray[np.int64], spec: RefitSpec) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures (H, W, 3), each as small as it may be seen."""
    rng = np.random.default_rng([spec.seed, 1])
    for index in indices.tolist():
        picture, _ = crop_of(data, index, 0, spec.largest)
        height, width = picture.shape[:2]
        side = np.exp(rng.uniform(np.log(spec.smallest), np.log(spec.largest)))
        part = min(1.0, side / max(height, width))
        small = (max(8, round(width * part)), max(8, round(height * part)))
        yield np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)


def seen_by(
    part: nn.Module,
    module: Pamtri,
    pictures: Iterator[NDArray[np.uint8]],
    advance: Callable[[int], None],
    *,
    inputs: bool = True,
) -> NDArray[np.float32]:
    """Return what a part of a network takes (N, D) for pictures, in their order; or else what it gives."""
    device = next(module.parameters()).device
    seen: list[NDArray[np.float32]] = []

    def keep(_part: nn.Module, taken: tuple[torch.Tensor, ...], given: torch.Tensor) -> None:
        seen.append((taken[0] if inputs else given).float().cpu().numpy())

    handle = part.register_forward_hook(keep)
    try:
        while batch := list(itertools.islice(pictures, _BATCH)):
            with torch.inference_mode():
                module(torch.from_numpy(ops.resize(batch)).to(device))
            advance(len(batch))
    finally:
        handle.remove()
    return np.concatenate(seen)
