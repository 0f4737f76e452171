# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A trained pose network that gives re-identification its pose in training, and does not learn itself."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional

from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.runtime.openvino_library import compile_for_cpu, load_openvino
from pamtri_edge.train.pose_inputs import decoded

if TYPE_CHECKING:
    import openvino


class FrozenPose:
    """Finds heatmaps and keypoints in pictures of any size.

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
