# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the network makes of crops in PyTorch, in float32: that which an exported file is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pamtri_edge.export.comparison.workers import side_by_side
from pamtri_edge.models import operators
from pamtri_edge.models.pamtri import Pamtri
from pamtri_edge.models.stages import KeypointModule, PoseStage
from pamtri_edge.parity.pictures import Inputs, parts

Floats = NDArray[np.float32]
Advance = Callable[[], None]

BATCH: Final = 2
"""Crops that a processor runs at a time: more costs memory and gains nothing."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The network in float32 and what it makes of the crops.

    Attributes:
        module: the fused module; None for a network that is not ours.
        inputs: of the crops, by name.
        outputs: by name.
        heatmaps: (N, K, 64, 64); None without a pose network.
        keypoints: the pose network beside one that is not ours; None for ours, and without.
    """

    module: Pamtri | None
    inputs: Inputs
    outputs: Mapping[str, Floats]
    heatmaps: Floats | None
    keypoints: KeypointModule | None = None

    @classmethod
    def of(cls, module: Pamtri, inputs: Inputs, *, advance: Advance = lambda: None) -> Reference:
        """Run the network on crops; `advance` is called after each `BATCH`."""

        def results(part: Inputs) -> tuple[dict[str, Floats], Floats | None]:
            if module.pose is None:
                return _run(module, part), None
            heatmaps = pose_heatmaps(module.pose, part)
            return from_heatmaps(module, part, heatmaps), heatmaps

        found = side_by_side(results, parts(inputs, BATCH), advance=advance)
        heatmaps = [maps for _, maps in found if maps is not None]
        outputs = joined([outputs for outputs, _ in found])
        return cls(module, inputs, outputs, np.concatenate(heatmaps) if heatmaps else None)

    @property
    def fused(self) -> Pamtri:
        """The fused module, of a network that has one: who asks for heatmaps knows that it does."""
        assert self.module is not None
        return self.module

    def of_crops(self, place: slice) -> Reference:
        """Return the reference on some of its crops alone."""
        return Reference(
            self.module,
            {name: array[place] for name, array in self.inputs.items()},
            {name: array[place] for name, array in self.outputs.items()},
            None if self.heatmaps is None else self.heatmaps[place],
            self.keypoints,
        )

    @property
    def gated(self) -> bool:
        """Whether the gate of the segments enters the embedding."""
        return self.module is not None and self.module.reid.network.spec.segments

    def from_heatmaps(self, part: Inputs, place: slice, heatmaps: Floats) -> dict[str, Floats]:
        """Return the outputs by name on some of the crops as if the pose network had given these heatmaps.

        Args:
            part: the inputs of these crops.
            place: of them among all.
            heatmaps: (n, K, 64, 64).
        """
        if self.keypoints is None:
            return from_heatmaps(self.fused, part, heatmaps)
        with torch.no_grad():
            found = self.keypoints.from_heatmaps(torch.from_numpy(heatmaps))
        told = _named(KeypointModule.output_names, found)
        return {"embedding": self.outputs["embedding"][place], **told}  # which sees nothing of the pose

    def parts(self) -> Iterator[tuple[Inputs, slice]]:
        """Give the inputs `BATCH` crops at a time, each with its place among all."""
        for index, part in enumerate(parts(self.inputs, BATCH)):
            yield part, slice(index * BATCH, (index + 1) * BATCH)


def pose_input(part: Inputs) -> Floats:
    """Return the pictures that the pose network sees."""
    return part["pose_images"] if "pose_images" in part else part["images"]


def pose_heatmaps(stage: PoseStage, part: Inputs) -> Floats:
    """Return the heatmaps (N, K, 64, 64) that a pose stage makes of a few crops."""
    with torch.no_grad():
        maps: Tensor = stage(torch.from_numpy(pose_input(part)))
    return maps.numpy()


def from_heatmaps(module: Pamtri, part: Inputs, heatmaps: Floats) -> dict[str, Floats]:
    """Return the module's outputs by name as if its pose stage had given these heatmaps."""
    with torch.no_grad():
        results = module.from_heatmaps(
            torch.from_numpy(part["images"]), torch.from_numpy(heatmaps), _crop_size(part)
        )
    return _named(module.output_names, results)


def from_keypoints(module: Pamtri, part: Inputs, heatmaps: Floats, keypoints: Floats) -> dict[str, Floats]:
    """Return embedding and attributes by name as if these keypoints had been decided from the heatmaps."""
    images, maps, points = map(torch.from_numpy, (part["images"], heatmaps, keypoints))
    with torch.no_grad():
        results = module.described(images, maps, points, _crop_size(part))
    return _named(module.reid.output_names, results)


def _crop_size(part: Inputs) -> Tensor | None:
    return torch.from_numpy(part["crop_size"]) if "crop_size" in part else None


def _named(names: Sequence[str], results: Sequence[Tensor]) -> dict[str, Floats]:
    return {name: tensor.numpy() for name, tensor in zip(names, results, strict=True)}


def reid_inputs(module: Pamtri, part: Inputs, heatmaps: Floats) -> Inputs:
    """Return what the two-network form hands its second network: the stack, and the keypoint vector if any.

    The fused module never builds the stack; its channels are taken where they enter the stage, enlarged and
    normalized.
    """
    handed: list[Sequence[Tensor | None]] = []
    stage = module.reid

    def record(*channels: Tensor | None) -> tuple[Tensor, ...]:
        handed.append(channels)
        return type(stage).of_parts(stage, *channels)  # type: ignore[arg-type]

    stage.of_parts = record  # type: ignore[method-assign,assignment]
    try:
        from_heatmaps(module, part, heatmaps)
    finally:
        del stage.of_parts
    rgb, coarse, fine, vector = handed[0]
    assert rgb is not None
    channels = [rgb]
    if coarse is not None:
        channels.append(operators.normalize_extra(operators.enlarge(coarse)))
    if fine is not None:
        channels.append(operators.normalize_extra(fine))
    inputs = {"stack": torch.cat(channels, dim=1).numpy()}
    return inputs if vector is None else {**inputs, "keypoint_vector": vector.numpy()}


def joined(results: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return arrays by name, those of all parts one after another."""
    return {name: np.concatenate([part[name] for part in results]) for name in results[0]}


def _run(module: Pamtri, part: Inputs) -> dict[str, Floats]:
    with torch.no_grad():
        results = module(*(torch.from_numpy(part[name]) for name in module.input_names))
    return _named(module.output_names, results)
