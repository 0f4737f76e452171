# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our two-engine path with torch for the engines: pose, our kernels, re-identification, in one CUDA graph.

What the TensorRT backend does where there is TensorRT: crops stay in 8 bits until a kernel writes them,
normalized, as the pose network's input; decode and stack read the heatmaps where that network left them, and
write the re-identification network's input; nothing in between goes through memory twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gpu.glue import Glue, glue_for
from gpu.replay import replayed
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models import PoseNet, ReidNet
from pamtri_edge.models.operators import keypoint_vector
from pamtri_edge.models.stem import FusedStem
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS

Outputs = tuple[Tensor, ...]
Network = Callable[..., Any]
Compile = Callable[[Network], Network]


def as_it_is(function: Network) -> Network:
    """Return a function that is not compiled: the networks run as torch's operators."""
    return function


class StagedTorch:
    """From crops to embedding, color, type, keypoints and quality, for batches of one size.

    Args:
        pose: the pose network, in eval mode, on the device, in the dtype it shall compute in.
        reid: the re-identification network, likewise, with keypoints, heatmaps and attribute heads.
        count: how many crops a batch has.
        compile_network: what is done to each network's function before it is captured.
        rewritten: apply the first convolution of re-identification to the heatmaps as small as they come
            (`models.stem`), so that no stack is built.
    """

    def __init__(
        self,
        pose: PoseNet,
        reid: ReidNet,
        count: int,
        *,
        compile_network: Compile = as_it_is,
        rewritten: bool = False,
    ) -> None:
        weight = reid.classifier_vid.weight
        self._device, self._dtype = weight.device, weight.dtype
        self._segments = reid.spec.segments
        self._glue: Glue = glue_for(self._device)
        self._pose = compile_network(pose.forward)
        if rewritten:
            if self._segments:
                raise ValueError("the rewritten path is measured without segments.")
            self._stem: FusedStem | None = FusedStem(*reid.stem, coarse=NUM_KEYPOINTS, fine=0)
            self._stem.to(self._device)
            stem = self._stem
            self._reid = compile_network(
                lambda rgb, maps, vector: reid.describe_stem(stem(rgb, maps.clamp(0, 1), None), vector)
            )
        else:
            self._stem = None
            self._reid = compile_network(reid.describe)
        channels = 3 + NUM_KEYPOINTS + NUM_SEGMENTS * self._segments
        self._crops = self._empty(count, IMAGE_SIZE, IMAGE_SIZE, 3, dtype=torch.uint8)
        self._picture = self._empty(count, 3, IMAGE_SIZE, IMAGE_SIZE)
        self._keypoints = self._empty(count, NUM_KEYPOINTS, 3, dtype=torch.float32)
        self._stack = self._picture if rewritten else self._empty(count, channels, IMAGE_SIZE, IMAGE_SIZE)
        self._heatmaps = self._empty(count, NUM_KEYPOINTS, IMAGE_SIZE // 4, IMAGE_SIZE // 4)
        self._replay = replayed(self._path, self._device)

    def __call__(self, crops: Tensor) -> Outputs:
        """Describe (N, 256, 256, 3) uint8 RGB crops on the device; the next call overwrites the results."""
        self._crops.copy_(crops)
        outputs: Outputs = self._replay()
        return outputs

    def between(self, times: int) -> Callable[[], object]:
        """Return what runs the kernels alone so many times: on the crops and heatmaps of the last call."""

        def kernels() -> None:
            for _ in range(times):
                self._before()
                self._after(self._heatmaps)

        return replayed(kernels, self._device)

    def _path(self) -> Outputs:
        self._before()
        self._heatmaps.copy_(self._pose(self._picture))  # in C order, whichever torch chose
        self._after(self._heatmaps)
        vector = keypoint_vector(self._keypoints).to(self._dtype)
        if self._stem is None:
            described = self._reid(self._stack, vector)
        else:
            described = self._reid(self._picture, self._heatmaps, vector)
        feature, (color, kind) = described
        return (
            functional.normalize(feature.to(torch.float32), dim=1),
            color.to(torch.float32).softmax(dim=1),
            kind.to(torch.float32).softmax(dim=1),
            self._keypoints,
            self._keypoints[..., 2].clamp(0, 1).mean(dim=1, keepdim=True),
        )

    def _before(self) -> None:
        """Write the pose network's input."""
        self._glue.stack(self._crops, None, None, self._picture)

    def _after(self, heatmaps: Tensor) -> None:
        """Write keypoints and the re-identification network's input."""
        self._glue.decode(heatmaps, self._keypoints)
        if self._stem is None:
            self._glue.stack(self._crops, heatmaps, self._keypoints if self._segments else None, self._stack)

    def _empty(self, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        return torch.zeros(shape, dtype=dtype or self._dtype, device=self._device)
