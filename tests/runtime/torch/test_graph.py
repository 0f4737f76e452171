# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How the torch backend reads a file and walks through it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from pamtri_edge.errors import BundleError
from pamtri_edge.runtime.torch.graph import Graph, Step, read_graph

CPU = torch.device("cpu")
Save = Callable[..., Path]


def read(path: Path) -> Graph:
    return read_graph(path, device=CPU)


def run(graph: Graph, **inputs: object) -> dict[str, Tensor]:
    with torch.inference_mode():
        return graph.run({name: torch.tensor(values) for name, values in inputs.items()})


def test_the_inputs_and_outputs_are_the_files(models: dict[str, Path]) -> None:
    graph = read(models["fp32"])
    assert [(spec.name, spec.shape) for spec in graph.inputs] == [("images", (None, 3, 16, 16))]
    assert [(spec.name, spec.shape) for spec in graph.outputs] == [("embedding", (None, 8))]


def test_half_nodes_are_computed_in_half(save: Save) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Add", ["half", "one"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["y"], to=TensorProto.FLOAT),
    ]
    graph = read(save(nodes, {"x": ["n"]}, {"y": ["n"]}, {"one": np.array(1, np.float16)}))
    # 2049 lies halfway between two halves; in float32 the sum would be kept.
    assert run(graph, x=[2048.0, 1.0])["y"].tolist() == [2048.0, 2.0]


def test_what_depends_on_constants_alone_is_computed_once(models: dict[str, Path]) -> None:
    graph = read(models["int8"])
    assert not [step for step in graph.steps if set(step.inputs) & {"w1q", "w2q"}]
    assert graph.constants["w1"].dtype == torch.float32
    assert "w1q" not in graph.constants


def test_an_output_that_is_constant_is_given(save: Save) -> None:
    nodes = [helper.make_node("Add", ["a", "a"], ["y"]), helper.make_node("Relu", ["x"], ["z"])]
    path = save(nodes, {"x": ["n"]}, {"y": [2], "z": ["n"]}, {"a": np.array([1, 2], np.float32)})
    assert run(read(path), x=[-1.0])["y"].tolist() == [2.0, 4.0]


def test_tensors_are_freed_after_their_last_use(save: Save) -> None:
    chain = [helper.make_node("Neg", [f"t{at}"], [f"t{at + 1}"]) for at in range(6)]
    chain.append(helper.make_node("Add", ["t6", "t2"], ["y"]))
    path = save([helper.make_node("Abs", ["x"], ["t0"]), *chain], {"x": ["n"]}, {"y": ["n"]}, {})
    graph = read(path)
    alive: list[weakref.ref[Tensor]] = []
    counts: list[int] = []

    def watched(step: Step) -> Step:
        def compute(*given: Tensor) -> Tensor:
            result = step.compute(*given)
            assert isinstance(result, Tensor)
            alive.append(weakref.ref(result))
            del given
            counts.append(sum(ref() is not None for ref in alive))
            return result

        return replace(step, compute=compute)

    steps = tuple(watched(step) for step in graph.steps)
    result = run(replace(graph, steps=steps), x=[1.0, -2.0])
    assert result["y"].tolist() == [2.0, 4.0]
    assert max(counts) == 3  # what a step takes, what it gives, and t2, which the last step needs


def test_an_input_may_also_be_an_output(save: Save) -> None:
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    graph = read(save(nodes, {"x": ["n"]}, {"y": ["n"], "z": ["n"]}, {}))
    assert {name: tensor.tolist() for name, tensor in run(graph, x=[3.0]).items()} == {"y": [-3], "z": [3]}


def test_sizes_of_the_batch_are_followed(save: Save) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["count"], start=0, end=1),
        helper.make_node("Concat", ["count", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    graph = read(save(nodes, {"x": ["n", 6]}, {"y": ["n", 2, 3]}, {"rest": np.array([2, 3])}))
    for count in (1, 4):
        assert run(graph, x=np.zeros((count, 6), np.float32))["y"].shape == (count, 2, 3)


def test_weights_in_a_file_beside_are_refused(models: dict[str, Path], tmp_path: Path) -> None:
    onnx.save(
        onnx.load(models["fp32"]),
        tmp_path / "model.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    with pytest.raises(BundleError, match="keeps weights in other files"):
        read(tmp_path / "model.onnx")


def test_an_operator_of_another_domain_is_named(tmp_path: Path) -> None:
    node = helper.make_node("FusedConv", ["x"], ["y"], "conv_7", domain="com.microsoft")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([node], "graph", [value], [onnx.ValueInfoProto(name="y")])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"operator com\.microsoft::FusedConv \(node 'conv_7'\)"):
        read(tmp_path / "model.onnx")


def test_a_constant_of_another_type_is_named(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n"])
    weight = numpy_helper.from_array(np.array([1.0]), "weight")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "weight"], ["y"])],
        "graph",
        [value],
        [onnx.ValueInfoProto(name="y")],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"constant of type DOUBLE \('weight'\)"):
        read(tmp_path / "model.onnx")


@pytest.mark.parametrize("opset", [16, 21])
def test_another_opset_is_refused(save: Save, opset: int) -> None:
    path = save([helper.make_node("Relu", ["x"], ["y"])], {"x": ["n"]}, {"y": ["n"]}, {}, opset=opset)
    with pytest.raises(BundleError, match=f"opset {opset}; accepted are 17 to 20"):
        read(path)
