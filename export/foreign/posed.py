# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Our pose network beside a network that was made elsewhere: keypoints and quality in the same graph."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from onnx import ModelProto, compose, version_converter

from pamtri_edge.errors import ExportError
from pamtri_edge.export.foreign.file import default_opset
from pamtri_edge.export.networks import are_trained, weights_record
from pamtri_edge.export.onnx.graph import HEATMAPS, export_graph, rename
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.models.checkpoints import load_pose
from pamtri_edge.models.stages import KeypointModule

_PREFIX: Final = "posed."


@dataclass(frozen=True, eq=False)
class OpenedPose:
    """A pose network that goes into a bundle with another project's network.

    Attributes:
        module: pictures to keypoints and quality.
        record: where its weights come from, for the manifest.
        seconds: what a crop takes here.
    """

    module: KeypointModule
    record: Mapping[str, Any]
    seconds: float

    @property
    def trained(self) -> bool:
        """False for random weights."""
        return are_trained(self.record)


def open_pose(path: Path, *, flip_test: bool = False) -> OpenedPose:
    """Read a pose network.

    Raises:
        CheckpointError: the file cannot be read, or holds another network.
    """
    module = KeypointModule(load_pose(path), flip_test=flip_test)
    picture = torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE)
    with torch.no_grad():
        module(picture)  # the first time costs more
        start = time.perf_counter()
        module(picture)
    return OpenedPose(module, weights_record(path), time.perf_counter() - start)


def beside(graph: ModelProto, pose: OpenedPose) -> ModelProto:
    """Return a bundle's graph, `images` to `embedding`, with `keypoints` and `quality` as further outputs.

    Args:
        graph: of `fuse.fused`; it is left as it is.
        pose: the pose network. The tensor that leaves it is named `HEATMAPS`.

    Raises:
        ExportError: the two cannot be written in one opset.
    """
    posed = _in_opset(export_graph(pose.module, name="pose"), default_opset(graph))
    posed = compose.add_prefix(posed, _PREFIX, rename_nodes=False, rename_inputs=False, rename_outputs=False)
    rename(posed, f"{_PREFIX}{HEATMAPS}", HEATMAPS)
    both = copy.deepcopy(graph)
    both.ir_version = max(graph.ir_version, posed.ir_version)
    both.graph.node.extend(posed.graph.node)
    both.graph.initializer.extend(posed.graph.initializer)
    both.graph.value_info.extend(posed.graph.value_info)
    both.graph.output.extend(posed.graph.output)
    return both


def _in_opset(model: ModelProto, version: int) -> ModelProto:
    found = default_opset(model)
    if found == version:
        return model
    names = [node.name for node in model.graph.node]
    try:
        converted = version_converter.convert_version(model, version)
    except Exception as error:  # onnx raises whatever its C++ does
        raise ExportError(
            f"the re-identification network is written in opset {version} of ONNX and the pose network in "
            f"{found}, and neither can be converted. Export the first anew with opset_version={found}."
        ) from error
    if len(converted.graph.node) == len(names):  # the converter drops them
        for node, name in zip(converted.graph.node, names, strict=True):
            node.name = name
    return converted
