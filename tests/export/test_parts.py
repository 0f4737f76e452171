# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network that pools parts and middle stages and whitens: exported in every precision, these in float32."""

from __future__ import annotations

import dataclasses

import onnx
import pytest

from pamtri_edge.export.bundle_export import export_bundle
from pamtri_edge.export.onnx.graph import scope_of
from tiny_networks import SHORT_LITE, SMALLEST

APART = tuple(f"reid.network.{part}" for part in ("parts", "middle", "whitening"))
INPUTS = {"keypoints": False, "heatmaps": False, "segments": True, "multitask": False}
POOLED = (
    SMALLEST[0],
    dataclasses.replace(SHORT_LITE, **INPUTS, parts=24, middle=True, whitened=True),
)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_its_file_gives_what_it_gives_and_pools_and_whitens_in_float32(precision, tiny_options):
    result = export_bundle(tiny_options(model=POOLED, precision=precision))
    assert result.report.failures == ()
    model = onnx.load(result.path / "model.onnx")
    nodes = {part: [node for node in model.graph.node if scope_of(node).startswith(part)] for part in APART}
    apart = [node for part in APART for node in nodes[part]]
    assert {"AveragePool", "MatMul", "ReduceL2", "Gemm"} <= {node.op_type for node in apart}
    assert all(nodes.values())
    typed = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    halves = {
        value.name
        for value in (*typed.value_info, *typed.output)
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    }
    halves |= {weight.name for weight in typed.initializer if weight.data_type == onnx.TensorProto.FLOAT16}
    weights = {weight.name for weight in typed.initializer}
    rounded = {
        node.output[0]
        for node in typed.node
        if node.op_type == "DequantizeLinear" and node.input[0] in weights
    }
    assert bool(halves or rounded) == (precision != "fp32")
    for node in apart:
        assert not {*node.input, *node.output} & halves, node.name
        assert not {*node.input} & rounded, node.name
