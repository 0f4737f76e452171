# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Heatmaps that a pose network is to give, for keypoints that are known."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from pamtri_edge.geometry import HEATMAP_SIZE

SIGMA: Final = 2.0
"""Deviation of a target's Gaussian in cells of a 64x64 heatmap; other sizes in proportion."""

_REACH: Final = 3.0  # deviations from its center after which a Gaussian counts as out of the picture


def gaussians(keypoints: Tensor, size: int, *, sigma: float = SIGMA) -> Tensor:
    """Return a Gaussian of peak 1 for each keypoint, at its place between the cells.

    Cell k covers [k / size, (k + 1) / size) of the crop, so that x in crop units lies at size * x - 0.5.

    Args:
        keypoints: (N, K, 2 or more) float32 x, y in crop units; may lie outside the crop.
        size: cells along a side.
        sigma: deviation in cells of a 64x64 heatmap.

    Returns:
        (N, K, size, size) float32.
    """
    cells = torch.arange(size, dtype=torch.float32, device=keypoints.device)
    scale = -0.5 / (sigma * size / HEATMAP_SIZE) ** 2
    places = keypoints[..., :2].unsqueeze(3) * size - 0.5  # (N, K, 2, 1)
    falls = torch.exp((cells - places).square() * scale)
    return falls[:, :, 1].unsqueeze(3) * falls[:, :, 0].unsqueeze(2)


def in_reach(keypoints: Tensor, size: int, *, sigma: float = SIGMA) -> Tensor:
    """Tell whose Gaussian reaches into the picture: (N, K) bool."""
    margin = (_REACH * sigma / HEATMAP_SIZE) if size else 0.0
    places = keypoints[..., :2]
    return ((places > -margin) & (places < 1.0 + margin)).all(dim=2)


def target_weights(keypoints: Tensor, size: int, *, hidden: float = 0.0) -> Tensor:
    """Return how much each keypoint's heatmap counts in the loss, (N, K) float32.

    Args:
        keypoints: (N, K, 3) x, y in crop units, visibility.
        size: cells along a side.
        hidden: weight of keypoints that are not visible. 0 is the paper's: nothing is learned of them. Above
            0 their heatmaps learn to be empty, so that a peak's height tells visibility.
    """
    visible = (keypoints[..., 2] > 0).to(torch.float32) * in_reach(keypoints, size).to(torch.float32)
    unseen = (keypoints[..., 2] <= 0).to(torch.float32)
    return visible + hidden * unseen


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
    weights = target_weights(keypoints, size, hidden=hidden)
    visible = (keypoints[..., 2] > 0).to(torch.float32)
    targets = gaussians(keypoints, size) * visible[..., None, None]
    error = (predicted.float() - targets) * weights[..., None, None]
    squared = error.square()
    if foreground:
        squared = squared * (1.0 + foreground * targets)
    return 0.5 * squared.mean()
