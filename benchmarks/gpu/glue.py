# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""decode and stack on torch's tensors: our kernels on a GPU, NumPy's operations to rehearse."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pamtri_edge import ops


class Glue(Protocol):
    """What stands between two networks of torch."""

    def decode(self, heatmaps: Tensor, out: Tensor) -> None:
        """Fill (N, 36, 3) keypoints from (N, 36, 64, 64) heatmaps."""
        ...

    def stack(self, crops: Tensor, heatmaps: Tensor | None, keypoints: Tensor | None, out: Tensor) -> None:
        """Fill (N, C, 256, 256): normalized RGB, and heatmaps and segments where they are given.

        Args:
            crops: (N, 256, 256, 3) uint8 RGB.
            heatmaps: (N, 36, 64, 64).
            keypoints: (N, 36, 3); the segments are drawn from them.
            out: C = 3, 39 or 52.
        """
        ...


class DeviceGlue:
    """Our kernels, on torch's current stream."""

    def decode(self, heatmaps: Tensor, out: Tensor) -> None:
        """Fill the keypoints."""
        ops.decode(heatmaps, out=out)

    def stack(self, crops: Tensor, heatmaps: Tensor | None, keypoints: Tensor | None, out: Tensor) -> None:
        """Fill the stack."""
        ops.stack(crops, heatmaps, keypoints=keypoints, out=out)


class HostGlue:
    """The operations on the host, in float32."""

    def decode(self, heatmaps: Tensor, out: Tensor) -> None:
        """Fill the keypoints."""
        ops.decode(_array(heatmaps), out=_array(out))

    def stack(self, crops: Tensor, heatmaps: Tensor | None, keypoints: Tensor | None, out: Tensor) -> None:
        """Fill the stack."""
        planar = np.ascontiguousarray(np.moveaxis(_array(crops), -1, 1), np.float32)
        maps, points = (None if given is None else _array(given) for given in (heatmaps, keypoints))
        ops.stack(planar, maps, keypoints=points, out=_array(out))


def glue_for(device: torch.device) -> Glue:
    """Return what works on tensors of a device."""
    return DeviceGlue() if device.type == "cuda" else HostGlue()


def _array(tensor: Tensor) -> Any:
    return tensor.detach().numpy()
