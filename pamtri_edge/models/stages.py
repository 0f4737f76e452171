# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The two networks with what belongs to each: normalization and flip test, softmax and unit length.

The fused module is made of these two, and the two-network form of an export consists of them alone; beside
another project's network stands the pose stage, with what makes keypoints of its heatmaps. A stage
may run its network in half precision; everything around the network stays in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pamtri_edge.geometry import HEATMAP_SIZE
from pamtri_edge.models import operators
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet, unit_length
from pamtri_edge.models.stem import FusedStem, rewritable
from pamtri_edge.vehicle import NUM_SEGMENTS


class PoseStage(nn.Module):
    """From a picture to heatmaps.

    Attributes:
        network: the pose network.
        flip_test: the heatmaps are averaged with those of the mirror image.
        dtype: what the network computes in.
    """

    input_names = ("images",)
    output_names = ("heatmaps",)

    def __init__(self, network: PoseNet, *, flip_test: bool = False) -> None:
        super().__init__()
        self.network = network
        self.flip_test = flip_test
        self.dtype = torch.float32

    def forward(self, images: Tensor) -> Tensor:
        """Return heatmaps (N, 36, 64, 64) float32 of RGB pictures (N, 3, 256, 256) float32 of 0..255."""
        pictures = operators.normalize_rgb(images)
        if not self.flip_test:
            return self._heatmaps(pictures)
        both = torch.stack([pictures, pictures.flip(3)], dim=1).flatten(0, 1)
        maps = self._heatmaps(both)
        maps = maps.view(-1, 2, *maps.shape[1:])
        return operators.flip_average(maps[:, 0], maps[:, 1])

    def _heatmaps(self, pictures: Tensor) -> Tensor:
        heatmaps: Tensor = self.network(pictures.to(self.dtype))
        return heatmaps.to(torch.float32)

    def half_network(self) -> PoseStage:
        """Turn the network to float16, with casts at its borders; return self."""
        self.network.half()
        self.dtype = torch.float16
        return self


class KeypointModule(nn.Module):
    """From a picture of the geometry `unified` to keypoints and quality: pose beside a network without.

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


class ReidStage(nn.Module):
    """From a stack (and the keypoint vector) to the embedding and the attributes.

    The stack comes at 256 pixels; the network is shown it at the side that it looks at.

    Attributes:
        network: the re-identification network.
        side: of what it looks at, in pixels.
        stem: its first convolution for channels that come apart, see `FusedStem`; None where the stack is
            built first.
        raw_feature: the embedding keeps its length, as the original ranks it.
        dtype: what the network computes in.
    """

    def __init__(
        self,
        network: ReidNet,
        *,
        coarse: int = 0,
        fine: int = 0,
        raw_feature: bool = False,
        optimize: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.side = network.spec.side
        factor = self.side / HEATMAP_SIZE
        rewritten = optimize and (coarse or fine) and rewritable(network.stem[0], factor)
        self.stem = (
            FusedStem(*network.stem, coarse=coarse, fine=fine, factor=int(factor)) if rewritten else None
        )
        self.raw_feature = raw_feature
        self.dtype = torch.float32

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of what forward takes."""
        return ("stack", "keypoint_vector") if self.network.spec.keypoints else ("stack",)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what forward returns."""
        return ("embedding", "color", "type") if self.network.spec.multitask else ("embedding",)

    def forward(self, stack: Tensor, keypoint_vector: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the embedding (N, D) and, with attribute heads, the probabilities (N, C) and (N, T).

        Args:
            stack: (N, C, 256, 256) float32, normalized.
            keypoint_vector: (N, 108) float32, if and only if the network takes keypoints.
        """
        shown = operators.resized(stack, self.side).to(self.dtype)
        return self._finish(self.network.describe(shown, self._cast(keypoint_vector)))

    def of_parts(
        self, rgb: Tensor, coarse: Tensor | None, fine: Tensor | None, keypoint_vector: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return what forward returns for the stack of these channels; `stem` does without building it.

        Args:
            rgb: (N, 3, 256, 256) float32, normalized.
            coarse: (N, coarse, 64, 64) float32 of 0..1; enlarged by 4 and normalized they follow RGB.
            fine: (N, fine, 256, 256) float32 of 0..1; normalized they follow the coarse ones.
            keypoint_vector: (N, 108) float32, if and only if the network takes keypoints.
        """
        if self.stem is None:
            enlarged = [] if coarse is None else [operators.enlarge(coarse)]
            extra = enlarged if fine is None else [*enlarged, fine]
            stack = torch.cat([rgb, *map(operators.normalize_extra, extra)], dim=1) if extra else rgb
            return self(stack, keypoint_vector)  # type: ignore[no-any-return]
        rgb = operators.resized(rgb, self.side)
        fine = None if fine is None else operators.resized(fine, self.side)
        stem = self.stem(rgb.to(self.dtype), self._cast(coarse), self._cast(fine))
        segments = fine
        if self.network.spec.parts and fine is None and coarse is not None:
            # By a factor, not to a size, for which the exported graph would ask for the batch's shape.
            maps, factor = coarse[:, -NUM_SEGMENTS:], self.side / HEATMAP_SIZE
            segments = functional.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
        return self._finish(self.network.describe_stem(stem, self._cast(keypoint_vector), segments))

    def _cast(self, tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.to(self.dtype)

    def _finish(self, described: tuple[Tensor, tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        feature = described[0].to(torch.float32)
        embedding = feature if self.raw_feature else unit_length(feature)
        return (embedding, *(logits.to(torch.float32).softmax(dim=1) for logits in described[1]))

    def half_network(self) -> ReidStage:
        """Turn the network to float16, with casts at its borders; return self."""
        self.network.half()
        if self.network.whitening is not None:
            self.network.whitening.float()
        if self.stem is not None:
            self.stem.half()
        self.dtype = torch.float16
        return self
