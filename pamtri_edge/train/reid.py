# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the re-identification network: from picture and pose to embedding, color and type."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from pamtri_edge.datasets.data_set import UNKNOWN, DataSet, check_identities
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet, ReidSpec
from pamtri_edge.train.loader import Pictures
from pamtri_edge.train.losses import Labels, reid_losses
from pamtri_edge.train.metric import Centers
from pamtri_edge.train.pose_inputs import FrozenPose, drawn_heatmaps, noisy_truth, reid_inputs
from pamtri_edge.train.recipes import ReidRecipe
from pamtri_edge.train.sampler import (
    Looks,
    Sampler,
    VehiclesByPictures,
    WithTracks,
    surely_differ,
    traffic_weights,
)
from pamtri_edge.train.weights import begin
from pamtri_edge.vehicle import COLORS, TYPES
from pamtri_edge.words import PoseSource, ReidLoss, TrainPrecision

_SALT: Final = 17

Validation = Callable[["ReidJob", int, TrainPrecision], dict[str, float]]


class ReidJob:
    """A re-identification network with pictures of vehicles.

    Args:
        spec: inputs, heads, widths and depths; the number of vehicles is that of the data.
        data: pictures of at least P vehicles.
        recipe: how it is trained.
        pose: gives the pose, frozen; None takes the known keypoints with noise instead.
        source: where the pose comes from; None for the best there is: both, or what is given.
        seed: what first weights, order and noise are drawn from.
        init: weights to begin with.
        validation: tells how good the network is; None for no validation.

    Raises:
        InputError: too few vehicles, or no keypoints and no pose network where the pose is needed.
        CheckpointError: `init` cannot be read or does not fit.
    """

    kind = "reid"

    def __init__(
        self,
        spec: ReidSpec,
        data: DataSet,
        recipe: ReidRecipe,
        *,
        pose: PoseNet | None = None,
        source: PoseSource | None = None,
        seed: int = 0,
        init: Path | None = None,
        validation: Validation | None = None,
    ) -> None:
        check_identities(data, least=recipe.vehicles, pictures=recipe.pictures)
        with_tracks = data.classes < len(data.identities)
        if with_tracks and (pose is None and spec.uses_pose):
            raise InputError(
                f"{data.name}: nobody knows the keypoints of tracks; give a trained pose network with "
                "--pose, or leave the pose out (--embed none --no-keypoints)."
            )
        if with_tracks and recipe.loss.triplet == 0.0:
            raise InputError(
                "tracks have no classes: what is learned of them are triplets; choose such a loss."
            )
        self.source = _source(source, data, pose)
        if spec.uses_pose and self.source is not PoseSource.NET:
            _check_truth(data)
        self.recipe = recipe
        self.data = data
        looks = Looks(
            (data.colors, data.types), (recipe.one_color, recipe.alike), traffic_weights(data, recipe.traffic)
        )
        self.sampler: Sampler = (
            WithTracks(data, recipe.vehicles, recipe.pictures, seed, looks=looks)
            if with_tracks
            else VehiclesByPictures(data.labels, recipe.vehicles, recipe.pictures, seed, looks=looks)
        )
        self.spec = replace(spec, vehicles=max(1, data.classes), colors=len(COLORS), types=len(TYPES))
        self.network = ReidNet(self.spec)
        self.origin = begin(self.network, seed=seed, file=init)
        if self.spec.neck:  # centered features, as the cosine wants them
            self.network.neck.bias.requires_grad_(False)
        freeze(self.network, recipe.frozen)
        centered = recipe.loss.kind is ReidLoss.CENTER
        self.extra: nn.Module | None = Centers(self.spec.vehicles, self.spec.embedding) if centered else None
        self.pose = None if pose is None or not spec.uses_pose else FrozenPose(pose)
        self._seed = seed
        self._validation = validation
        self._with_tracks = with_tracks
        if spec.multitask and data.classes:
            self._check_attributes()

    def learn(self) -> None:
        """Put the network into training mode, but for what is frozen."""
        learning(self.network, frozen_norms=self.recipe.frozen_norms)

    def losses(self, batch: Pictures, images: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss by name."""
        rng = np.random.default_rng([self._seed, _SALT, batch.position.epoch, batch.position.batch])
        truth = torch.from_numpy(batch.keypoints).to(images.device)
        outputs = self.network(*self.inputs(images, truth, rng))
        centers = self.extra if isinstance(self.extra, Centers) else None
        return reid_losses(
            outputs,
            self._labels(batch, images.device),
            self.recipe.loss,
            classifier=self.network.classifier_vid,
            centers=centers,
        )

    def inputs(self, images: Tensor, truth: Tensor | None, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return what the network takes, for images (N, 3, S, S) and, without a pose network, keypoints."""
        if not self.spec.uses_pose:
            return (images,)
        early = self.source is PoseSource.BOTH and images.shape[-1] < self.recipe.size(1.0)
        if self.pose is not None and (truth is None or not (early or self.source is PoseSource.TRUTH)):
            heatmaps, keypoints = self.pose(images)
            return reid_inputs(self.spec, images, heatmaps, keypoints)
        assert truth is not None
        keypoints = noisy_truth(truth, self.recipe.noise, rng)
        maps = drawn_heatmaps(keypoints, images.shape[-1] // 4) if self.spec.heatmaps else None
        return reid_inputs(self.spec, images, maps, keypoints)

    def validate(self, size: int, precision: TrainPrecision) -> dict[str, float] | None:
        """Return how well vehicles are found again, where there is something to try it on."""
        return None if self._validation is None else self._validation(self, size, precision)

    def config(self) -> Mapping[str, Any]:
        """Return what else the result depends on: the pose network."""
        if not self.spec.uses_pose:
            return {"pose": None}
        network = None if self.pose is None else self.pose.identity
        return {"pose": network, "pose_source": self.source.value}

    def metadata(self) -> Mapping[str, str]:
        """Return what is kept with the weights."""
        notes = {"geometry": "unified", "loss": self.recipe.loss.kind.value}
        if self.spec.multitask:
            notes |= {"colors": json.dumps(COLORS), "types": json.dumps(TYPES)}
        return notes

    def _labels(self, batch: Pictures, device: torch.device) -> Labels:
        colors = np.where(batch.gray, UNKNOWN, self.data.colors[batch.indices])
        arrays = (self.data.labels[batch.indices], colors, self.data.types[batch.indices])
        vehicle, color, kind = (torch.from_numpy(array).to(device) for array in arrays)
        differ = None
        if self._with_tracks:
            differ = torch.from_numpy(surely_differ(self.data.seen[batch.indices])).to(device)
        return Labels(vehicle, color, kind, differ)

    def _check_attributes(self) -> None:
        for what, known in (("color", self.data.colors), ("type", self.data.types)):
            if (known == UNKNOWN).all():
                raise InputError(
                    f"{self.data.name}: no picture tells the {what}, which a multi-task network is to "
                    "learn; give label_train.csv or train_label.xml with them, or --no-multitask."
                )


def freeze(network: ReidNet, blocks: int) -> None:
    """Have the stem and the first blocks of the backbone learn nothing, in place.

    First layers see edges and colors, which drawn vehicles teach no better than photographs: what is learned
    of drawn vehicles then carries over to real ones better, and a step costs less. The first convolution goes
    on learning where it takes pose channels, which are new to it.

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
    """Put a network into training mode; the backbone's batch normalizations keep their statistics if so.

    Those that were taken over photographs are closer to real traffic than those of drawings.
    """
    network.train()
    if frozen_norms:
        for module in network.base.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()


def _source(asked: PoseSource | None, data: DataSet, pose: PoseNet | None) -> PoseSource:
    if pose is None:
        if asked in (PoseSource.NET, PoseSource.BOTH):
            raise InputError(
                f"the pose is to come from {asked.value}, which needs a pose network, and none is given."
            )
        return PoseSource.TRUTH
    known = data.read is None and all(sample.keypoints is not None for sample in data.samples)
    return asked or (PoseSource.BOTH if known else PoseSource.NET)


def _check_truth(data: DataSet) -> None:
    without = sum(sample.keypoints is None for sample in data.samples)
    if without and data.read is None:
        raise InputError(
            f"{data.name}: {without} of {len(data)} pictures have no keypoints, and the network is to be "
            "trained with their pose; give a trained pose network with --pose, or leave the pose out "
            "(--embed none --no-keypoints)."
        )
