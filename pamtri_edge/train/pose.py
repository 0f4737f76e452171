# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the pose network: from a picture to the heatmaps of 36 keypoints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge.datasets.data_set import DataSet, crop_of
from pamtri_edge.geometry import HEATMAP_SIZE
from pamtri_edge.models.hrnet import PoseNet, PoseSpec
from pamtri_edge.train.augment import stretched
from pamtri_edge.train.loader import Pictures
from pamtri_edge.train.machine import computing, network_input
from pamtri_edge.train.pose_inputs import SIGMA, decoded, gaussians
from pamtri_edge.train.recipes import PoseRecipe
from pamtri_edge.train.sampler import Shuffled
from pamtri_edge.train.weights import begin
from pamtri_edge.vehicle import KEYPOINT_NAMES
from pamtri_edge.words import TrainPrecision

_REFERENCE: Final = 0.25 * math.sqrt(2.0)
"""A quarter of the crop's diagonal, the paper's reference of the PCK, in crop units of a square."""

_REACH: Final = 3.0  # deviations from its center after which a Gaussian counts as out of the picture
_BATCH: Final = 32


class PoseJob:
    """A pose network with pictures whose keypoints are known.

    Args:
        spec: widths and depths.
        data: pictures; those without keypoints are left out.
        recipe: how it is trained.
        seed: what first weights and order are drawn from.
        init: weights to begin with.
        held_out: pictures to validate on; None for no validation.

    Raises:
        InputError: no picture has keypoints.
        CheckpointError: `init` cannot be read or does not fit.
    """

    kind = "pose"
    extra = None

    def __init__(
        self,
        spec: PoseSpec,
        data: DataSet,
        recipe: PoseRecipe,
        *,
        seed: int = 0,
        init: Path | None = None,
        held_out: DataSet | None = None,
    ) -> None:
        self.recipe = recipe
        self.data = data.with_keypoints()
        self.sampler = Shuffled(len(self.data), recipe.batch, seed)
        self.network = PoseNet(spec)
        self.origin = begin(self.network, seed=seed, file=init)
        self._held_out = None if held_out is None else held_out.with_keypoints()

    def learn(self) -> None:
        """Put the network into training mode."""
        self.network.train()

    def losses(self, batch: Pictures, images: Tensor) -> dict[str, Tensor]:
        """Return the error of the heatmaps, a thousandfold: it is a mean over mostly empty cells."""
        predicted = self.network(images)
        keypoints = torch.from_numpy(batch.keypoints).to(images.device)
        loss = heatmap_loss(
            predicted, keypoints, hidden=self.recipe.hidden, foreground=self.recipe.foreground
        )
        return {"heatmaps": 1000.0 * loss}

    def validate(self, size: int, precision: TrainPrecision) -> dict[str, float] | None:
        """Return the PCK (the paper's rule, and a stricter one) on the pictures held out."""
        if self._held_out is None:
            return None
        device = next(self.network.parameters()).device
        errors, confidences, seen = [], [], []
        for start in range(0, len(self._held_out), _BATCH):
            stop = min(start + _BATCH, len(self._held_out))
            crops = [crop_of(self._held_out, index, 0, size) for index in range(start, stop)]
            pictures = np.stack([stretched(picture, size) for picture, _ in crops])
            with computing(precision, device):
                heatmaps = self.network(network_input(torch.from_numpy(pictures).to(device), precision))
            found = decoded(heatmaps.float()).cpu().numpy()
            truth = np.stack([points for _, points in crops if points is not None])
            errors.append(np.linalg.norm(found[..., :2] - truth[..., :2], axis=2))
            confidences.append(found[..., 2])
            seen.append(truth[..., 2] > 0)
        return pose_scores(np.concatenate(errors), np.concatenate(confidences), np.concatenate(seen))

    def config(self) -> Mapping[str, Any]:
        """Return what else the result depends on: nothing."""
        return {}

    def metadata(self) -> Mapping[str, str]:
        """Return what is kept with the weights."""
        return {"geometry": "unified", "keypoints": json.dumps(KEYPOINT_NAMES)}


def target_weights(keypoints: Tensor, *, hidden: float = 0.0) -> Tensor:
    """Return how much each keypoint's heatmap counts in the loss, (N, K) float32.

    Args:
        keypoints: (N, K, 3) x, y in crop units, visibility.
        hidden: weight of keypoints that are not visible. 0 is the paper's: nothing is learned of them. Above
            0 their heatmaps learn to be empty, so that a peak's height tells visibility.
    """
    margin = _REACH * SIGMA / HEATMAP_SIZE
    places = keypoints[..., :2]
    in_reach = ((places > -margin) & (places < 1.0 + margin)).all(dim=2)
    visible = (keypoints[..., 2] > 0) & in_reach
    unseen = keypoints[..., 2] <= 0
    return visible.to(torch.float32) + hidden * unseen.to(torch.float32)


def heatmap_loss(
    predicted: Tensor, keypoints: Tensor, *, hidden: float = 0.0, foreground: float = 0.0
) -> Tensor:
    """Return the mean over keypoints, batch and cells of half the squared error, weighted by visibility.

    This is the original's loss: predictions and targets are both multiplied by the weight before they are
    compared, which squares a weight other than 0 and 1.

    Args:
        predicted: (N, K, S, S) heatmaps.
        keypoints: (N, K, 3) x, y in crop units, visibility above 0 for those seen.
        hidden: weight of keypoints that are not visible, see `target_weights`.
        foreground: how much more a cell counts at the peak than far from it; 0 is the paper's.
    """
    size = predicted.shape[-1]
    weights = target_weights(keypoints, hidden=hidden)
    visible = (keypoints[..., 2] > 0).to(torch.float32)
    targets = gaussians(keypoints, size) * visible[..., None, None]
    error = (predicted.float() - targets) * weights[..., None, None]
    squared = error.square()
    if foreground:
        squared = squared * (1.0 + foreground * targets)
    return 0.5 * squared.mean()


def pose_scores(
    errors: NDArray[np.floating[Any]], confidences: NDArray[np.floating[Any]], seen: NDArray[np.bool_]
) -> dict[str, float]:
    """Return PCK, and how well confidence tells visible from hidden keypoints.

    Args:
        errors: (N, 36) distances in crop units.
        confidences: (N, 36) peaks of the heatmaps.
        seen: (N, 36) which are visible.

    Returns:
        `score` and `pck`: share of visible keypoints within half of a quarter diagonal (the paper's rule);
        `pck_strict`: within a quarter of that; `visible`: share of keypoints whose confidence lies on the
        right side of 0.5.
    """
    count = max(int(seen.sum()), 1)
    strict = float((errors[seen] <= 0.125 * _REFERENCE).sum()) / count
    return {
        "score": strict,
        "pck": float((errors[seen] <= 0.5 * _REFERENCE).sum()) / count,
        "pck_strict": strict,
        "visible": float(((confidences >= 0.5) == seen).mean()),
    }
