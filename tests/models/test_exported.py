# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of the fused module with all that enters it gives the module's results at every batch size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import openvino
import pytest
import torch

from pamtri_edge import samples
from pamtri_edge.models import Pamtri
from remembered_exports import remembered_export, remembered_seeded
from tiny_networks import ORIGINAL, WHOLE


@pytest.fixture(scope="module")
def module() -> Pamtri:
    pose, reid = remembered_seeded(WHOLE, pictures=samples.crops(16))  # as tests/export exports it too
    return Pamtri(pose, reid, **ORIGINAL)


@pytest.fixture(scope="module")
def graph(module: Pamtri) -> onnx.ModelProto:
    return remembered_export(module, name="original")


def test_no_size_is_computed_and_nothing_is_chosen_in_it(graph: onnx.ModelProto) -> None:
    kinds = {node.op_type for node in graph.graph.node}
    assert not kinds & {"Shape", "NonZero", "Loop", "If", "Range", "GatherND", "Expand", "ArgMax"}


def test_openvino_gives_the_modules_results(
    module: Pamtri, graph: onnx.ModelProto, batch: Any, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(graph, path)
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(path, "CPU", settings)
    for count in (1, 2, 3):
        inputs = [tensor[:count] for tensor in (batch.images, batch.windows, batch.sizes)]
        found = compiled(dict(zip(module.input_names, (tensor.numpy() for tensor in inputs), strict=True)))
        with torch.no_grad():
            expected = module(*inputs)
        for name, tensor in zip(module.output_names, expected, strict=True):
            np.testing.assert_allclose(found[name], tensor.numpy(), atol=1e-5, err_msg=f"{name} of {count}")
