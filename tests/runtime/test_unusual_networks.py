# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that pamtri-export does not write: every engine refuses them with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pamtri_edge.errors import BundleError
from pamtri_edge.onnx_wire import refuse_outside_weights
from pamtri_edge.runtime import create_backend

ENGINES = ("openvino", "torch")
Shape = list[int | str] | None


def network(
    nodes: list[Any], *, given: Shape = None, result: Shape = None, weights: tuple[Any, ...] = ()
) -> Any:
    """Return a network from `images` (N, 3, 4, 4) to `embedding`, whose stated shape is `result`."""
    inputs = [
        helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, 4, 4] if given is None else given)
    ]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, result)]
    graph = helper.make_graph(nodes, "unusual", inputs, outputs, list(weights))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def node(operator: str, *inputs: str, **attributes: Any) -> Any:
    return helper.make_node(operator, list(inputs), ["embedding"], **attributes)


def outside(tensor: Any) -> Any:
    """Return a tensor whose numbers lie in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    return tensor


def floats(name: str = "weight") -> Any:
    return numpy_helper.from_array(np.ones((1, 3, 4, 4), np.float32), name)


SUM = {"axes": [1, 2, 3], "keepdims": 0}
UNUSUAL: dict[str, Callable[[], Any]] = {
    "open input": lambda: network([node("Identity", "images")], given=["a", "b", "c", "d"]),
    "input of another rank": lambda: network([node("Identity", "images")], given=[]),
    "scalar output": lambda: network([node("ReduceSum", "images", keepdims=0)], result=[]),
    "output of a fixed batch": lambda: network(
        [node("Expand", "images", "shape")],
        result=[5, 3, 4, 4],
        weights=(numpy_helper.from_array(np.array([5, 3, 4, 4]), "shape"),),
    ),
    "unknown operator": lambda: network([node("Frobnicate", "images")], result=["N", 3, 4, 4]),
    "missing input": lambda: network([node("Add", "images", "nowhere")], result=["N", 3, 4, 4]),
    "missing attribute": lambda: network([node("Cast", "images")], result=["N", 3, 4, 4]),
    "weights outside": lambda: network(
        [node("Add", "images", "weight")], result=["N", 3, 4, 4], weights=(outside(floats()),)
    ),
    "a constant outside": lambda: network([
        helper.make_node("Constant", [], ["weight"], value=outside(floats())),
        node("Add", "images", "weight"),
    ], result=["N", 3, 4, 4]),
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", UNUSUAL)
def test_an_unusual_network_is_refused(case: str, engine: str, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(UNUSUAL[case]().SerializeToString())
    (tmp_path / "weights.bin").write_bytes(floats().raw_data)
    with pytest.raises(BundleError, match=r"model\.onnx"):
        create_backend(path, backend=engine, device="cpu").run({"images": np.zeros((2, 3, 4, 4), np.float32)})


def test_a_stated_shape_that_is_not_kept_is_refused_by_torch(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(network([node("Identity", "images")], result=["N", 7]).SerializeToString())
    with pytest.raises(BundleError, match=r"gives 'embedding' of shape \(2, 3, 4, 4\).*states \('N', 7\)"):
        create_backend(path, backend="torch", device="cpu").run(
            {"images": np.zeros((2, 3, 4, 4), np.float32)}
        )


def attribute(node: Any, kind: str) -> Any:
    return node.attribute.add(name="a", type=onnx.AttributeProto.AttributeType.Value(kind))


PLACES: dict[str, Callable[[Any, Any], object]] = {
    "initializer": lambda model, tensor: model.graph.initializer.append(tensor),
    "sparse": lambda model, tensor: model.graph.sparse_initializer.add().values.CopyFrom(tensor),
    "attribute": lambda model, tensor: attribute(model.graph.node[0], "TENSOR").t.CopyFrom(tensor),
    "list": lambda model, tensor: attribute(model.graph.node[0], "TENSORS").tensors.append(tensor),
    "branch": lambda model, tensor: attribute(model.graph.node[0], "GRAPH").g.initializer.append(tensor),
    "function": lambda model, tensor: attribute(
        model.functions.add(name="f", domain="d").node.add(op_type="Constant"), "TENSOR"
    ).t.CopyFrom(tensor),
    "training": lambda model, tensor: model.training_info.add().initialization.initializer.append(tensor),
}


@pytest.mark.parametrize("place", PLACES)
def test_numbers_outside_are_found_wherever_they_hide(place: str) -> None:
    model = network([node("Identity", "images")], result=["N", 3, 4, 4])
    PLACES[place](model, outside(floats("hidden")))
    with pytest.raises(BundleError, match="keeps weights in other files"):
        refuse_outside_weights(model.SerializeToString(), Path("model.onnx"))


def test_the_word_location_alone_is_no_weight_outside() -> None:
    model = network([node("Identity", "images")], result=["N", 3, 4, 4], weights=(floats("location"),))
    model.metadata_props.add(key="location", value="street")
    refuse_outside_weights(model.SerializeToString(), Path("model.onnx"))


@pytest.mark.parametrize("content", [b"\x3a\xff\x01location", b"\x0blocation", b"\xff" * 11 + b"location"])
def test_bytes_that_cannot_be_followed_are_refused(content: bytes) -> None:
    with pytest.raises(BundleError, match="not a readable ONNX file"):
        refuse_outside_weights(content, Path("model.onnx"))
