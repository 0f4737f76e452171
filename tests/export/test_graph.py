# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The exported graph: opset, names, scopes, a dynamic batch, and nothing of the machine it was made on."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch

import pamtri_edge
from pamtri_edge.export.onnx.graph import HEATMAPS, export_graph, in_network, rename, scope_of
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.geometry import Geometry

EVERY_GEOMETRY = pytest.mark.parametrize("geometry", list(Geometry))


@EVERY_GEOMETRY
def test_it_is_a_valid_file_of_opset_18_with_the_modules_names_that_keeps_the_rules(
    tiny_graphs, tiny_modules, geometry
):
    graph, module = tiny_graphs[geometry], tiny_modules[geometry]
    onnx.checker.check_model(graph, full_check=True)
    assert [(opset.domain, opset.version) for opset in graph.opset_import] == [("", 18)]
    assert check(graph) == []
    assert tuple(value.name for value in graph.graph.input) == module.input_names
    assert tuple(value.name for value in graph.graph.output) == module.output_names


def test_node_names_tell_the_networks_from_the_glue(tiny_graphs):
    nodes = tiny_graphs[Geometry.UNIFIED].graph.node
    inside = {node.op_type for node in nodes if in_network(node)}
    glue = {node.op_type for node in nodes if not in_network(node)}
    assert {"Conv", "BatchNormalization", "Gemm", "AveragePool"} <= inside
    assert glue.isdisjoint({"Conv", "BatchNormalization", "Gemm", "AveragePool", "MaxPool"})
    assert {"GatherElements", "Softmax", "ReduceL2"} <= glue
    assert inside.isdisjoint({"GatherElements", "Softmax", "ReduceL2"})


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        ("pose.network.conv1", True),
        ("reid.stem.coarse", True),
        ("network.base.conv0", True),  # of a stage
        ("reid.network.whitening.linear", False),
        ("network.parts", False),
        ("reid.networks", False),
        ("pose", False),
        ("", False),
    ],
)
def test_whitening_and_pooling_count_as_glue_in_whole_and_in_stages(scope, inside):
    assert in_network(onnx.helper.make_node("Mul", [], [], name=f"{scope}/Mul_7")) == inside


def test_every_node_has_a_name_of_its_own_with_the_scope_of_its_module(tiny_graphs, tiny_modules):
    nodes = tiny_graphs[Geometry.UNIFIED].graph.node
    assert len({node.name for node in nodes}) == len(nodes)
    modules = {name for name, _ in tiny_modules[Geometry.UNIFIED].named_modules()}
    scopes = {scope_of(node) for node in nodes if scope_of(node).startswith("pose.network.")}
    assert scopes
    assert scopes <= modules


def test_the_average_of_the_flip_test_is_glue(tiny_graphs):
    adds = [node for node in tiny_graphs[Geometry.ORIGINAL].graph.node if node.op_type == "Add"]
    averages = [node for node in adds if scope_of(node) == "pose"]
    assert len(averages) == 1
    assert not in_network(averages[0])


@EVERY_GEOMETRY
def test_the_heatmaps_have_a_name(tiny_graphs, geometry):
    nodes = tiny_graphs[geometry].graph.node
    assert sum(HEATMAPS in node.output for node in nodes) == 1
    readers = [node for node in nodes if HEATMAPS in node.input]
    assert readers
    assert not any(in_network(node) for node in readers)


def test_nothing_tells_where_it_was_made(tiny_graphs):
    content = tiny_graphs[Geometry.UNIFIED].SerializeToString()
    for place in (Path(pamtri_edge.__file__).resolve().parents[1], Path.home(), Path.cwd()):
        assert str(place).encode() not in content
    assert b"stack_trace" not in content


def test_batch_normalization_behind_a_convolution_is_folded_into_it(tiny_graphs):
    left = [n for n in tiny_graphs[Geometry.UNIFIED].graph.node if n.op_type == "BatchNormalization"]
    assert all(".norm" in scope_of(node) for node in left), (
        "only those in front of DenseNet's convolutions stay"
    )


def test_ctrl_c_is_no_fault_of_the_network(tiny_modules, monkeypatch):
    """PyTorch, interrupted while it loads its parts, may stumble over one and call that a failed export."""

    def interrupted(*_, **__):
        try:
            raise KeyboardInterrupt
        except torch._dynamo.exc_that_is_not_loaded:
            pass

    def failed(*arguments, **options):
        try:
            interrupted()
        except AttributeError as error:
            raise torch.onnx.errors.OnnxExporterError("failed to export") from error

    monkeypatch.setattr(torch.onnx, "export", failed)
    with pytest.raises(KeyboardInterrupt):
        export_graph(tiny_modules[Geometry.UNIFIED], name="tiny")


def test_a_tensor_is_renamed_wherever_it_stands():
    node = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [node("Relu", ["x"], ["old"]), node("Add", ["old", "old"], ["y"])],
        "two",
        [onnx.helper.make_tensor_value_info("x", 1, [1])],
        [onnx.helper.make_tensor_value_info("y", 1, [1])],
    )
    model = onnx.helper.make_model(graph)
    rename(model, "old", "new")
    assert list(model.graph.node[0].output) == ["new"]
    assert list(model.graph.node[1].input) == ["new", "new"]
