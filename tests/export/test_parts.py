# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network that pools parts and middle stages is exported in every precision, whole and in two files."""

from __future__ import annotations

import dataclasses

import onnx
import pytest

from pamtri_edge.export.bundle_export import export_bundle
from pamtri_edge.export.onnx.graph import scope_of
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.models import TINY_LITE
from tiny_networks import SMALLEST

POOLED = (SMALLEST[0], dataclasses.replace(TINY_LITE, segments=True, parts=24, middle=True))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_its_file_gives_what_it_gives(precision, tmp_path):
    options = ExportOptions(
        model=POOLED,
        output=tmp_path / "pooled.pamtri",
        precision=precision,
        staged=precision == "fp16",
        parity_crops=4,
        calibration_crops=6,
    )
    result = export_bundle(options)
    assert result.report.failures == ()
    graph = onnx.load(result.path / "model.onnx").graph
    pooling = [
        node
        for node in graph.node
        if scope_of(node).startswith(("reid.network.parts", "reid.network.middle"))
    ]
    kinds = {node.op_type for node in pooling}
    assert {"AveragePool", "MatMul"} <= kinds
    assert not kinds & {"Shape", "NonZero", "Loop", "If", "Range", "GatherND", "Expand", "ArgMax"}
    given = {name for node in pooling for name in node.input}
    typed = {
        t.name
        for t in graph.initializer
        if t.data_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.INT64)
    }
    assert not given & typed, "pooling stays in float32"
