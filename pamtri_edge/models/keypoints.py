# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The pose network alone as a bundle has it: RGB pictures of 0..255 in; keypoints and quality out."""

from __future__ import annotations

from torch import Tensor, nn

from pamtri_edge.models import operators
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.stages import PoseStage


class KeypointModule(nn.Module):
    """Pose for pictures of the geometry `unified`, beside a re-identification network that knows none.

    Args:
        network: the pose network.
        flip_test: average the heatmaps with those of the mirror image (twice the cost).

    Attributes:
        pose: the pose stage.
    """

    input_names = ("images",)
    output_names = ("keypoints", "quality")

    def __init__(self, network: PoseNet, *, flip_test: bool = False) -> None:
        super().__init__()
        self.pose = PoseStage(network, flip_test=flip_test)
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map (N, 3, 256, 256) float32 RGB of 0..255 to (N, 36, 3) keypoints in crop units and (N, 1)."""
        return self.from_heatmaps(self.pose(images))

    def from_heatmaps(self, heatmaps: Tensor) -> tuple[Tensor, ...]:
        """Return what forward returns where its pose network gives these heatmaps (N, 36, 64, 64) float32."""
        cells, confidence = operators.peaks(heatmaps)
        return operators.crop_keypoints(cells, confidence), operators.quality(confidence)

    def half_network(self) -> KeypointModule:
        """Turn the network to float16, with casts at its borders; return self."""
        self.pose.half_network()
        return self
