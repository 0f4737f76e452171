# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""PAMTRI as one plain PyTorch module on one device: what an engineer writes who wants it to be fast.

Both networks as they are; between them decode and stack in tensor operations. Nothing comes from the host:
constants are buffers, so that no call waits for a copy and the whole can be captured into a CUDA graph. With
networks in half precision the stack is built in half precision too, which halves what is written.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.models import PoseNet, ReidNet

SIDE = 64
SCALE = 4
RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)
EXTRA_MEAN = 0.449
EXTRA_STD = 0.226


class PlainPyTorch(nn.Module):
    """From crops to embedding, color, type, keypoints and quality.

    Args:
        pose: a pose network in eval mode.
        reid: a re-identification network in eval mode, with keypoints, heatmaps and attribute heads.
        channels_last: let the networks work on pixels side by side, as tensor cores do.

    Both are used as they are, in float32 or float16.
    """

    scale: Tensor
    shift: Tensor
    around: Tensor

    def __init__(self, pose: PoseNet, reid: ReidNet, *, channels_last: bool = False) -> None:
        super().__init__()
        spec = reid.spec
        if not (spec.keypoints and spec.heatmaps and spec.multitask) or spec.segments:
            raise ValueError("plain PyTorch is keypoints + heatmaps + attributes, without segments.")
        self.pose = pose
        self.reid = reid
        deviation = torch.tensor(RGB_STD).view(1, 3, 1, 1)
        self.register_buffer("scale", 1 / (255 * deviation))
        self.register_buffer("shift", torch.tensor(RGB_MEAN).view(1, 3, 1, 1) / deviation)
        self.register_buffer("around", torch.tensor([1, SIDE, -1, -SIDE]))
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.to(memory_format=self.layout)
        self.eval()

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Return embedding (N, D), color (N, C), type (N, T), keypoints (N, 36, 3) and quality (N, 1).

        Args:
            crops: (N, 256, 256, 3) uint8 RGB.
        """
        kind = self.reid.classifier_vid.weight.dtype
        rgb = crops.permute(0, 3, 1, 2).to(torch.float32) * self.scale - self.shift
        rgb = rgb.to(kind, memory_format=self.layout)
        heatmaps = self.pose(rgb)
        keypoints = self._keypoints(heatmaps.to(torch.float32))
        enlarged = functional.interpolate(heatmaps.clamp(0, 1), scale_factor=SCALE, mode="bilinear")
        stack = torch.cat([rgb, (enlarged - EXTRA_MEAN) / EXTRA_STD], dim=1)
        vector = (keypoints.flatten(1) - 0.5).to(kind)
        feature, (color, type_) = self.reid.describe(stack, vector)
        return (
            functional.normalize(feature.to(torch.float32), dim=1),
            color.to(torch.float32).softmax(dim=1),
            type_.to(torch.float32).softmax(dim=1),
            keypoints,
            keypoints[..., 2].clamp(0, 1).mean(dim=1, keepdim=True),
        )

    def _keypoints(self, heatmaps: Tensor) -> Tensor:
        """Return (N, 36, 3) x, y in crop units, confidence."""
        flat = heatmaps.flatten(2)
        confidence, index = flat.max(dim=2, keepdim=True)
        places = torch.cat([index % SIDE, index // SIDE], dim=2)
        neighbors = flat.gather(2, (index + self.around).clamp(0, SIDE * SIDE - 1))
        step = 0.25 * torch.sign(neighbors[..., :2] - neighbors[..., 2:])
        inside = ((places > 1) & (places < SIDE - 1)).all(dim=2, keepdim=True)
        units = (places + step * inside + 0.5) / SIDE
        return torch.cat([units * (confidence > 0), confidence], dim=2)
