# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What an EfficientNet-Lite needs of an export: dead channels as in PyTorch, its first block in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto

from pamtri_edge.export.onnx.graph import export_graph, scope_of
from pamtri_edge.export.onnx.precision import half, quantise
from pamtri_edge.models import TINY_LITE, Pamtri, ReidNet

FIRST_BLOCK = "reid.network.base._blocks.0"


@pytest.fixture(scope="module")
def dead_channels() -> Pamtri:
    """Return a network half of whose last channels never pass 0, as some of every trained one do."""
    torch.manual_seed(0)
    network = ReidNet(replace(TINY_LITE, keypoints=False, heatmaps=False))
    with torch.no_grad():
        network.base._bn1.bias[::2] = -100.0
        network.fc_vid.weight.mul_(30.0)
    return Pamtri(None, network)


@pytest.fixture(scope="module")
def graph(dead_channels):
    return export_graph(dead_channels, name="lite")


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 256, 256)).astype(np.float32)


def test_channels_that_are_zero_everywhere_count_alike_in_file_and_pytorch(dead_channels, graph, pictures):
    with torch.no_grad():
        expected = dead_channels(torch.from_numpy(pictures))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for name, values in zip(dead_channels.output_names, expected, strict=True):
        (found,) = session.run([name], {"images": pictures})
        np.testing.assert_allclose(found, values.numpy(), atol=2e-6, err_msg=name)


def test_half_precision_begins_behind_the_first_block(graph):
    kinds = {tensor.name: tensor.data_type for tensor in half(graph).graph.initializer}
    stem_and_block = [name for name in kinds if "_conv_stem.weight" in name or "_blocks.0." in name]
    assert len(stem_and_block) == 3, stem_and_block
    assert {kinds[name] for name in stem_and_block} == {TensorProto.FLOAT}
    assert kinds["reid.network.base._blocks.1._expand_conv.weight.half"] == TensorProto.FLOAT16


def test_int8_begins_behind_the_first_block(graph, pictures):
    typed = quantise(graph, [{"images": pictures}])
    nodes = typed.graph.node
    given = {name for node in nodes if scope_of(node).startswith(FIRST_BLOCK) for name in node.input}
    whole = {tensor.name for tensor in typed.graph.initializer if tensor.data_type == TensorProto.INT8}
    quantised = {name for node in nodes if whole & set(node.input) for name in node.output}
    assert quantised
    assert not given & quantised
