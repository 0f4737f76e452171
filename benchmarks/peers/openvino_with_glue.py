# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO fed the two networks as they are exported, with NumPy and OpenCV between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bundles import provide

from pamtri_edge.bundle import open_bundle
from pamtri_edge.runtime.openvino_library import load_openvino
from peers import Absent, Crops, Setting, Subject
from peers.counting import operations
from peers.glue import batch_of, keypoints_of, stack_of


def subjects(setting: Setting) -> Iterator[Subject | Absent]:
    """Give int8 rows of both sizes: a batch is one call of each network."""
    for size in ("paper", "lite"):
        name = f"{size} int8, OpenVINO with glue"
        if setting.only not in name:
            continue
        path = provide(setting.bundles, size, "int8", staged=True, announce=setting.announce)
        pipeline = _Pipeline(path, setting.threads)
        yield Subject(name, pipeline, "int8", operations(size), limit="int8")


class _Pipeline:
    """Two networks, compiled for each batch size that comes."""

    def __init__(self, path: Path, threads: int) -> None:
        bundle = open_bundle(path)
        if bundle.staged is None:
            raise ValueError(f"{path} has no staged networks")
        self._models = bundle.staged
        self._heatmaps = bool(bundle.manifest.variant["heatmaps"])
        self._library = load_openvino()
        self._properties = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
        self._compiled: dict[int, list[Any]] = {}

    def __call__(self, crops: Crops) -> object:
        pose, reid = self._compiled.get(len(crops)) or self._compile(len(crops))
        images = batch_of(crops)
        heatmaps = pose([images])[0]
        keypoints = keypoints_of(heatmaps)
        given = {"stack": stack_of(images, heatmaps if self._heatmaps else None)}
        if any("keypoint_vector" in port.names for port in reid.inputs):
            given["keypoint_vector"] = keypoints.reshape(len(crops), -1) - np.float32(0.5)
        return reid(given)

    def _compile(self, count: int) -> list[Any]:
        core = self._library.Core()
        compiled = []
        for path in self._models:
            network = core.read_model(path)
            network.reshape(
                {
                    port.any_name: [count, *(size.get_length() for size in list(port.partial_shape)[1:])]
                    for port in network.inputs
                }
            )
            compiled.append(core.compile_model(network, "CPU", self._properties))
        self._compiled[count] = compiled
        return compiled
