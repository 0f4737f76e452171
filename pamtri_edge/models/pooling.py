# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a map of features to one feature: the mean over all places, or one that leans towards the highest."""

from __future__ import annotations

from torch import Tensor, nn

_LEAST = 1e-9


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
        wide = features.float()
        mean = (wide * wide * wide).mean(dim=(2, 3)) + _LEAST
        return mean.pow(1.0 / 3.0).to(features.dtype)
