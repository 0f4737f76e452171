# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The fused module: RGB pictures of 0..255 in; embedding, color, type, keypoints and quality out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pamtri_edge.errors import InputError
from pamtri_edge.geometry import Geometry
from pamtri_edge.models import operators
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.models.original import coarse_segments, window_keypoints
from pamtri_edge.models.stages import PoseStage, ReidStage
from pamtri_edge.vehicle import NUM_KEYPOINTS, NUM_SEGMENTS


class Pamtri(nn.Module):
    """Both networks and all that stands between them, as one graph, for inference.

    It keeps the given networks and rearranges the first convolution of re-identification (`FusedStem`) from
    the weights as they are now, unless told not to: load or train first, then build this.

    Args:
        pose: the pose network; None if the re-identification network takes nothing from it, and then
            there are neither keypoints nor quality.
        reid: the re-identification network.
        geometry: how a crop becomes the pictures; see `pamtri_edge.geometry.Geometry`.
        flip_test: average the heatmaps with those of the mirror image (twice the cost of pose).
        raw_feature: do not bring the embedding to unit length.
        optimize: apply the first convolution of re-identification to the heatmaps as small as they come,
            which gives the same numbers; False builds the whole stack first, as the original does.

    Attributes:
        geometry: as given.
        pose: the pose stage, or None.
        reid: the re-identification stage.

    Raises:
        InputError: the re-identification network needs a pose network and there is none.
    """

    def __init__(
        self,
        pose: PoseNet | None,
        reid: ReidNet,
        *,
        geometry: Geometry = Geometry.UNIFIED,
        flip_test: bool = False,
        raw_feature: bool = False,
        optimize: bool = True,
    ) -> None:
        super().__init__()
        if pose is None and reid.spec.uses_pose:
            taken = [name for name in ("keypoints", "heatmaps", "segments") if getattr(reid.spec, name)]
            raise InputError(
                f"this re-identification network takes {' and '.join(taken)}, which come from a pose "
                "network, and none is given; pass the weights of the pose network too."
            )
        self.geometry = Geometry(geometry)
        self.pose = None if pose is None else PoseStage(pose, flip_test=flip_test)
        quarter = NUM_KEYPOINTS * reid.spec.heatmaps
        whole = NUM_SEGMENTS * reid.spec.segments
        if self.geometry is Geometry.ORIGINAL:  # which draws its segments at the size of the heatmaps
            quarter, whole = quarter + whole, 0
        self.reid = ReidStage(reid, coarse=quarter, fine=whole, raw_feature=raw_feature, optimize=optimize)
        self.eval()

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of what forward takes, in order."""
        if self.geometry is Geometry.ORIGINAL and self.pose is not None:
            return ("images", "pose_images", "crop_size")
        return ("images",)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what forward returns, in order."""
        pose = () if self.pose is None else ("keypoints", "quality")
        return (*self.reid.output_names, *pose)

    def forward(
        self, images: Tensor, pose_images: Tensor | None = None, crop_size: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Return the outputs named by `output_names`, all float32, batch first.

        Args:
            images: (N, 3, 256, 256) float32 RGB of 0..255, the crops stretched.
            pose_images: (N, 3, 256, 256) float32 RGB of 0..255, the crops in their windows (`original`).
            crop_size: (N, 2) float32 width and height of the crops in pixels (`original`).
        """
        rgb = operators.normalize_rgb(images)  # before the pose stage, which else the export takes it for
        if self.pose is None:
            return self._described(rgb)
        original = self.geometry is Geometry.ORIGINAL
        heatmaps = self.pose(_given(pose_images, "pose_images") if original else images)
        return self._from_heatmaps(rgb, heatmaps, crop_size)

    def from_heatmaps(
        self, images: Tensor, heatmaps: Tensor, crop_size: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Return what forward returns where its pose network gives these heatmaps (N, 36, 64, 64) float32."""
        return self._from_heatmaps(operators.normalize_rgb(images), heatmaps, crop_size)

    def _from_heatmaps(self, rgb: Tensor, heatmaps: Tensor, crop_size: Tensor | None) -> tuple[Tensor, ...]:
        cells, confidence = operators.peaks(heatmaps)
        if self.geometry is Geometry.ORIGINAL:
            keypoints = window_keypoints(cells, confidence, _given(crop_size, "crop_size"))
        else:
            keypoints = operators.crop_keypoints(cells, confidence)
        described = self._described(rgb, heatmaps, keypoints, crop_size)
        return (*described, keypoints, operators.quality(confidence))

    def described(
        self,
        images: Tensor,
        heatmaps: Tensor | None = None,
        keypoints: Tensor | None = None,
        crop_size: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return what re-identification makes of pictures, heatmaps and keypoints: embedding and attributes.

        Args:
            images: as `forward` takes them.
            heatmaps: (N, 36, 64, 64) float32; None without a pose network.
            keypoints: (N, 36, 3) float32 as `forward` returns them; None without a pose network.
            crop_size: as `forward` takes it.
        """
        return self._described(operators.normalize_rgb(images), heatmaps, keypoints, crop_size)

    def _described(
        self,
        rgb: Tensor,
        heatmaps: Tensor | None = None,
        keypoints: Tensor | None = None,
        crop_size: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        if heatmaps is None or keypoints is None:
            return self.reid.of_parts(rgb, None, None, None)
        spec = self.reid.network.spec
        coarse = [operators.clipped_heatmaps(heatmaps)] if spec.heatmaps else []
        fine = None
        if spec.segments and self.geometry is Geometry.ORIGINAL:
            coarse.append(coarse_segments(keypoints, _given(crop_size, "crop_size")))
        elif spec.segments:
            fine = operators.segments(keypoints)
        small = torch.cat(coarse, dim=1) if coarse else None
        vector = operators.keypoint_vector(keypoints) if spec.keypoints else None
        return self.reid.of_parts(rgb, small, fine, vector)

    def pose_stage(self) -> PoseStage:
        """Return the first of the two networks: pictures to heatmaps.

        Raises:
            InputError: there is no pose network.
        """
        if self.pose is None:
            raise InputError("there is no pose network here, hence no pose stage.")
        return self.pose

    def reid_stage(self) -> ReidStage:
        """Return the second of the two networks: stack and keypoint vector to embedding and attributes."""
        return self.reid

    def half_networks(self) -> Pamtri:
        """Turn both networks to float16, with casts at their borders, in place; return self.

        Normalization, decode, gates, segments, softmax and unit length stay in float32.
        """
        if self.pose is not None:
            self.pose.half_network()
        self.reid.half_network()
        return self


def _given(value: Tensor | None, name: str) -> Tensor:
    if value is None:
        raise ValueError(f"the original geometry needs {name}, see Pamtri.forward.")
    return value
