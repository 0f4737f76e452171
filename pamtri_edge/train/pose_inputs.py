# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the pose tells re-identification in training: from a pose network, or from the truth with noise.

The same quantities as the fused graph computes in use (`models.operators`), for pictures of any size:
training may begin small.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge.geometry import HEATMAP_SIZE, IMAGE_SIZE
from pamtri_edge.models import operators
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidSpec
from pamtri_edge.runtime.openvino_library import compile_for_cpu, load_openvino
from pamtri_edge.vehicle import KEYPOINT_FLIP

if TYPE_CHECKING:
    import openvino

SIGMA: Final = 2.0
"""Deviation of a keypoint's Gaussian in cells of a 64x64 heatmap; other sizes in proportion."""

_TOLERANCE: Final = 1.0 / 1024.0  # of a pixel, as in `models.operators`


@dataclass(frozen=True)
class TruthNoise:
    """How a pose network errs, imitated on known keypoints.

    Each keypoint errs for itself. A network's errors agree with each other and lean towards the usual shape,
    so that this noise is the kinder one: all points together still tell the true shape, and with it the type.
    The `lite` network had 56 % mAP and 78 % of the types right with it at 192 pixels, and 36 % and 30 % when
    a pose network took its place. So let training end with the network, at a rate that still teaches: 400
    such steps brought 39 % and 51 %, 1,500 more 43 % and 58 %.

    Attributes:
        jitter: deviation of a place, in crop units.
        stray: share of keypoints that lie far off.
        stray_jitter: deviation of these.
        seen: mean confidence of a visible keypoint.
        unseen: mean confidence of a hidden one.
        spread: deviation of both.
        missed: share of visible keypoints with the confidence of hidden ones.
        mirrored: share of vehicles with left and right confused.
    """

    jitter: float = 0.012
    stray: float = 0.04
    stray_jitter: float = 0.08
    seen: float = 0.85
    unseen: float = 0.25
    spread: float = 0.12
    missed: float = 0.05
    mirrored: float = 0.01


def noisy_truth(keypoints: Tensor, noise: TruthNoise, rng: np.random.Generator) -> Tensor:
    """Return keypoints as a pose network might give them.

    Args:
        keypoints: (N, 36, 3) x, y in crop units, visibility.
        noise: how it errs.
        rng: where chance comes from.

    Returns:
        (N, 36, 3) x, y, confidence in 0..1.
    """
    count, points = keypoints.shape[:2]
    shape = (count, points)
    astray = rng.random(shape) < noise.stray
    deviation = np.where(astray, noise.stray_jitter, noise.jitter)[..., None]
    moved = rng.normal(0.0, 1.0, (*shape, 2)) * deviation
    lost = rng.random(shape) < noise.missed
    spread = rng.normal(0.0, noise.spread, shape)
    turned = rng.random(count) < noise.mirrored

    device = keypoints.device
    visible = (keypoints[..., 2] > 0) & torch.from_numpy(~(lost | astray)).to(device)
    level = torch.where(visible, noise.seen, noise.unseen)
    confidence = (level + torch.from_numpy(spread).to(device, torch.float32)).clamp(0.02, 1.0)
    places = keypoints[..., :2] + torch.from_numpy(moved).to(device, torch.float32)
    result = torch.cat([places, confidence.unsqueeze(2)], dim=2)
    swapped = operators.pick(result, KEYPOINT_FLIP)
    return torch.where(torch.from_numpy(turned).to(device)[:, None, None], swapped, result)


def gaussians(keypoints: Tensor, size: int) -> Tensor:
    """Return a Gaussian of peak 1 for each keypoint, at its place between the cells.

    Cell k covers [k / size, (k + 1) / size) of the crop, so that x in crop units lies at size * x - 0.5.

    Args:
        keypoints: (N, K, 2 or more) float32 x, y in crop units; may lie outside the crop.
        size: cells along a side.

    Returns:
        (N, K, size, size) float32.
    """
    cells = torch.arange(size, dtype=torch.float32, device=keypoints.device)
    scale = -0.5 / (SIGMA * size / HEATMAP_SIZE) ** 2
    places = keypoints[..., :2].unsqueeze(3) * size - 0.5  # (N, K, 2, 1)
    falls = torch.exp((cells - places).square() * scale)
    return falls[:, :, 1].unsqueeze(3) * falls[:, :, 0].unsqueeze(2)


def drawn_heatmaps(keypoints: Tensor, size: int) -> Tensor:
    """Return the heatmaps (N, 36, size, size) of keypoints (N, 36, 3): Gaussians as high as confident."""
    return gaussians(keypoints, size) * keypoints[..., 2, None, None]


def decoded(heatmaps: Tensor) -> Tensor:
    """Return the keypoints (N, K, 3) in crop units of heatmaps (N, K, S, S), as the fused graph decodes them.

    The peak, moved by a quarter cell towards the higher neighbor unless it lies at the edge.
    """
    size = heatmaps.shape[-1]
    flat = heatmaps.flatten(2)
    confidence, index = flat.max(dim=2)
    index = torch.where(confidence > 0, index, 0)
    x, y = index % size, index // size
    inside = (torch.minimum(x, y) > 1) & (torch.maximum(x, y) < size - 1)
    moves = []
    for step in (1, size):
        around = torch.stack([index + step, index - step], dim=2).clamp(0, size * size - 1)
        higher, lower = torch.gather(flat, 2, around).unbind(2)
        moves.append(operators.QUARTER * torch.sign(higher - lower) * inside)
    places = torch.stack([x + moves[0], y + moves[1]], dim=2)
    units = (places + 0.5) / size * (confidence > 0).unsqueeze(2)
    return torch.cat([units.float(), confidence.float().unsqueeze(2)], dim=2)


class FrozenPose:
    """A trained pose network that does not learn: it finds heatmaps and keypoints in pictures of any size.

    On a CPU the network runs in OpenVINO, in the arithmetic that the training has there: PyTorch takes three
    times as long for the same bfloat16 numbers (9.8 against 2.9 ms a picture for `lite` on one core), and the
    pose would cost more than all that learns. Elsewhere PyTorch runs it.

    Args:
        network: its weights; from now on in eval mode and without gradients.

    Attributes:
        network: the same.
        identity: hash of the weights, by which a resumed run knows them again.
    """

    def __init__(self, network: PoseNet) -> None:
        network.requires_grad_(False)
        self.network: PoseNet = network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.identity = _identity(network)
        self._compiled: dict[str, openvino.CompiledModel] = {}

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network finds in pictures, shown to it at the size it is used at.

        Args:
            images: (N, 3, S, S) normalized.

        Returns:
            Heatmaps (N, 36, S / 4, S / 4) and keypoints (N, 36, 3) in crop units, both float32.
        """
        size = images.shape[-1]
        with torch.no_grad():
            shown = images
            if size != IMAGE_SIZE:
                shown = functional.interpolate(images, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear")
            heatmaps = self._heatmaps(shown)
            keypoints = decoded(heatmaps)
            if size != IMAGE_SIZE:
                heatmaps = functional.interpolate(heatmaps, size=(size // 4, size // 4), mode="bilinear")
        return heatmaps, keypoints

    def _heatmaps(self, images: Tensor) -> Tensor:
        if images.device.type != "cpu":
            self.network.to(images.device)
            return self.network(images).float()  # type: ignore[no-any-return]
        precision = "bf16" if torch.is_autocast_enabled("cpu") else "f32"
        if precision not in self._compiled:
            self._compiled[precision] = _compiled(self.network, precision)
        found = self._compiled[precision](images.float().contiguous().numpy())[0]
        return torch.from_numpy(found)


def segment_channels(keypoints: Tensor, size: int) -> Tensor:
    """Return the segments (N, 13, size, size) of keypoints (N, 36, 3) as normalized stack channels."""
    corners, drawn = operators.segment_corners(keypoints)
    centers = torch.arange(size, dtype=torch.float32, device=keypoints.device) + 0.5
    start, end = operators.spans(*operators.half_planes(corners * size, drawn), centers)
    inside = (centers >= (start - _TOLERANCE).unsqueeze(3)) & (centers <= (end + _TOLERANCE).unsqueeze(3))
    return operators.normalize_extra(inside.to(torch.float32))


def reid_inputs(
    spec: ReidSpec, images: Tensor, heatmaps: Tensor | None, keypoints: Tensor | None
) -> tuple[Tensor, ...]:
    """Return what `ReidNet` takes: the stack, and the keypoint vector where it wants one.

    Args:
        spec: which channels it takes.
        images: (N, 3, S, S) normalized RGB; the stack has its type and memory format.
        heatmaps: (N, 36, S / 4, S / 4), raw; None if the network takes none.
        keypoints: (N, 36, 3) x, y in crop units, confidence; None if the network takes nothing of them.
    """
    size = images.shape[-1]
    channels = [images]
    if spec.heatmaps:
        assert heatmaps is not None
        small = operators.coarse_heatmaps(heatmaps).to(images.dtype)
        small = small.contiguous(memory_format=torch.channels_last)  # a quarter of the step's time less
        channels.append(
            functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
        )
    if spec.segments:
        assert keypoints is not None
        channels.append(segment_channels(keypoints, size).to(images.dtype))
    stack = torch.cat(channels, dim=1) if len(channels) > 1 else images
    if not spec.keypoints:
        return (stack,)
    assert keypoints is not None
    return stack, operators.keypoint_vector(keypoints)


def _compiled(network: PoseNet, precision: str) -> openvino.CompiledModel:
    library = load_openvino()
    example = (torch.zeros(2, 3, IMAGE_SIZE, IMAGE_SIZE),)
    batch = {0: torch.export.Dim.DYNAMIC}
    with warnings.catch_warnings(), torch.no_grad(), torch.autocast("cpu", enabled=False):
        warnings.simplefilter("ignore")  # torch and openvino warn of each other's and their own old names
        model = library.convert_model(torch.export.export(network, example, dynamic_shapes=(batch,)))
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # two trainings would pin themselves to the same processors
    }
    return cast("openvino.CompiledModel", compile_for_cpu(library.Core(), model, options))


def _identity(network: PoseNet) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
