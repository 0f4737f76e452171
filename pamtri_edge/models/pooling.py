# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From maps of features to one: means over all places or over parts, and means that lean to the highest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.vehicle import NUM_SEGMENTS

PARTS: Final = ((0, 1, 2), (3, 4, 5), (6, 7), (8, 9, 10), (11, 12))
"""The segments of each part of a vehicle: left side, right side, back, what is above the doors, front."""

_LEAST: Final = 1e-9
"""Of a mean of cubes: the slope of a root at 0 has no end. A bound: the exporter drops so small a summand."""

_LEAST_AREA: Final = 1e-3  # of a part, in cells of the map


class MeanPool(nn.Module):
    """The mean over all places."""

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C)."""
        return nn.functional.adaptive_avg_pool2d(features, 1).flatten(1)


class CubicMeanPool(nn.Module):
    """The cube root of the mean of cubes, in float32: what is seen in one place counts, not how often.

    Source: Radenovic et al., "Fine-tuning CNN Image Retrieval with No Human Annotation" (TPAMI 2019), whose
    exponent settles near 3; here it is 3, so that no engine needs a power.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, C, H, W), not negative, to (N, C) of the same type."""
        return _cubic_mean(features.float()).to(features.dtype)


class EndsPool(nn.Module):
    """The cubic mean of several maps, of their positive and negative values apart; normalized over the batch.

    For the ends of the resolutions of a network, which have no activation and are of different scales.

    Args:
        widths: channels of the maps.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2 * sum(widths))

    def forward(self, ends: Sequence[Tensor]) -> Tensor:
        """Map (N, C, H, W) of each width to (N, twice the sum of C), of the normalization's type."""
        wide = [end.float() for end in ends]
        pooled = [_cubic_mean(functional.relu(side)) for end in wide for side in (end, -end)]
        result: Tensor = self.norm(torch.cat(pooled, dim=1).to(self.norm.weight.dtype))
        return result


class PartsPool(nn.Module):
    """The mean over each of a vehicle's parts, where the segments say these are; 0 for what is not seen.

    Source: Wang et al., "Orientation Invariant Feature Embedding and Spatial Temporal Regularization for
    Vehicle Re-identification" (ICCV 2017), with PAMTRI's segments for regions. It always computes in float32.
    """

    def forward(self, features: Tensor, segments: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, parts * C) of the same type.

        Args:
            features: the map.
            segments: (N, 13, k H, k W) of 0..1, k whole.
        """
        shares = functional.avg_pool2d(segments.float(), segments.shape[-1] // features.shape[-1])
        members = torch.tensor(
            [[float(index in part) for index in range(NUM_SEGMENTS)] for part in PARTS],
            device=features.device,
        )
        # A convolution, not a product: a constant would be expanded to the batch in the exported graph.
        parts = functional.conv2d(shares, members[:, :, None, None]).clamp(max=1.0).flatten(2)
        area = parts.sum(dim=2, keepdim=True).clamp(min=_LEAST_AREA)
        summed = torch.matmul(parts, features.float().flatten(2).transpose(1, 2))
        return (summed / area).flatten(1).to(features.dtype)


def _cubic_mean(wide: Tensor) -> Tensor:
    mean = (wide * wide * wide).mean(dim=(2, 3))
    return mean.clamp(min=_LEAST).pow(1.0 / 3.0)
