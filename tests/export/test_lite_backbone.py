# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an EfficientNet-Lite needs of an export: dead channels as in PyTorch, its first block in float32.

It is exported without a pose network, as one of the published checkpoints is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto

from pamtri_edge import samples
from pamtri_edge.bundle import MODEL_FILE
from pamtri_edge.export import ExportOptions, export_bundle
from pamtri_edge.export.onnx.graph import scope_of
from pamtri_edge.export.onnx.precision import half, quantize
from pamtri_edge.models import Pamtri, seeded
from pamtri_edge.models.checkpoints import save_checkpoint
from tiny_networks import SHORT_LITE, SMALLEST

FIRST_BLOCK = "reid.network.base._blocks.0"


@pytest.fixture(scope="module")
def dead_channels() -> Pamtri:
    """Return a network half of whose last channels never pass 0, as some of every trained one do."""
    spec = replace(SHORT_LITE, keypoints=False, heatmaps=False)
    network = seeded((SMALLEST[0], spec), pictures=samples.crops(8))[1]
    with torch.no_grad():
        network.base._bn1.bias[::2] = -100.0
    return Pamtri(None, network)


@pytest.fixture(scope="module")
def exported(dead_channels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lite")
    weights = save_checkpoint(dead_channels.reid.network, folder / "lite.safetensors")
    return export_bundle(ExportOptions(reid=weights, output=folder / "lite.pamtri", parity_crops=2))


@pytest.fixture(scope="module")
def graph(exported):
    return onnx.load(exported.path / MODEL_FILE)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 256, 256)).astype(np.float32)


def test_a_network_without_pose_takes_pictures_alone(exported):
    assert exported.report.failures == ()
    assert [spec.name for spec in exported.manifest.outputs] == ["embedding", "color", "type"]
    assert exported.manifest.keypoint_names is None
    assert exported.manifest.variant["pose"] is False


def test_channels_that_are_zero_everywhere_count_alike_in_file_and_pytorch(dead_channels, graph, pictures):
    with torch.no_grad():
        expected = dead_channels(torch.from_numpy(pictures))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for name, values in zip(dead_channels.output_names, expected, strict=True):
        (found,) = session.run([name], {"images": pictures})
        np.testing.assert_allclose(found, values.numpy(), atol=1e-5, err_msg=name)


def test_half_precision_begins_behind_the_first_block(graph):
    kinds = {tensor.name: tensor.data_type for tensor in half(graph).graph.initializer}
    stem_and_block = [name for name in kinds if "_conv_stem.weight" in name or "_blocks.0." in name]
    assert len(stem_and_block) == 6, stem_and_block  # weights and what batch normalization leaves to add
    assert {kinds[name] for name in stem_and_block} == {TensorProto.FLOAT}
    assert kinds["reid.network.base._blocks.1._expand_conv.weight.half"] == TensorProto.FLOAT16


def test_int8_begins_behind_the_first_block(graph, pictures):
    typed = quantize(graph, [{"images": pictures}])
    nodes = typed.graph.node
    given = {name for node in nodes if scope_of(node).startswith(FIRST_BLOCK) for name in node.input}
    whole = {tensor.name for tensor in typed.graph.initializer if tensor.data_type == TensorProto.INT8}
    quantized = {name for node in nodes if whole & set(node.input) for name in node.output}
    assert quantized
    assert not given & quantized
