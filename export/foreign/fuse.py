# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The graph of a bundle around a network: from pictures of 256x256 to it, and from it to unit length."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, compose, helper, numpy_helper

from pamtri_edge.export.foreign.batch import BATCH
from pamtri_edge.export.foreign.file import default_opset, nodes_of
from pamtri_edge.export.foreign.form import Form
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.version import VERSION

PARTS: Final = 8
"""Into how many groups of layers a network is divided; an int8 export may keep some of them in float32."""

_PREFIX: Final = "given."
_WHOLE: Final = "float32"
"""Scope of the nodes that always compute in float32; see `graph.in_network`."""

_SENSITIVE: Final = frozenset(
    {
        # sums over whole maps, lengths and exponents: half precision would spoil them
        "BatchNormalization", "Erf", "Exp", "GlobalAveragePool", "GridSample", "InstanceNormalization",
        "LayerNormalization", "Log", "LpNormalization", "Pow", "Reciprocal", "ReduceL2", "ReduceMean",
        "ReduceSum", "Softmax", "Softplus", "Sqrt", "TopK",
        # makers of float32 values, whatever they are given
        "Cast", "Constant", "ConstantOfShape", "Range",
    }
)  # fmt: skip
_LAYERS: Final = ("Conv", "Gemm", "MatMul")
_LEAST_LENGTH: Final = 1e-12


def fused(network: ModelProto, form: Form, told: ForeignNetwork, *, dim: int) -> ModelProto:
    """Return the graph `images` (N, 3, 256, 256) to `embedding` (N, D) around a network.

    Args:
        network: of `adapt.adapted`.
        form: its input and output.
        told: how a picture becomes its input.
        dim: D.
    """
    inner = compose.add_prefix(network, _PREFIX).graph
    _name_nodes(inner)
    taken, given = inner.input[0].name, inner.output[0].name
    before, constants = _before(form, told, taken)
    if not before:
        _reads_pictures(inner, taken)
    after, more = _after(given, dim)
    graph = helper.make_graph(
        [*before, *inner.node, *after],
        "network",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [BATCH, 3, IMAGE_SIZE, IMAGE_SIZE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [BATCH, dim])],
        [*constants, *inner.initializer, *more],
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", default_opset(network))],
        ir_version=network.ir_version,
        producer_name="pamtri-edge",
        producer_version=VERSION,
    )


class _Chain:
    """Nodes one after another, each taking what the one before gives."""

    def __init__(self, start: str) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._last = start

    def add(self, operator: str, *constants: NDArray[Any] | None, **attributes: Any) -> None:
        """Append a node; its further inputs are constants, None for one that is left out."""
        names = [self._last]
        for values in constants:
            names.append("" if values is None else f"{operator.lower()}.{len(self.constants)}")
            if values is not None:
                self.constants.append(numpy_helper.from_array(values, names[-1]))
        self._last = f"{operator.lower()}.{len(self.nodes)}.out"
        self.nodes.append(
            helper.make_node(
                operator, names, [self._last], f"picture/{operator}_{len(self.nodes)}", **attributes
            )
        )

    def end(self, name: str) -> None:
        """Call the last result so."""
        self.nodes[-1].output[0] = name


def _before(form: Form, told: ForeignNetwork, target: str) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return the way from `images` to the network's input: no node where it takes just these."""
    chain = _Chain("images")
    if told.color_order == "bgr":
        chain.add("Gather", np.array([2, 1, 0], np.int64), axis=1)
    if (form.height, form.width) != (IMAGE_SIZE, IMAGE_SIZE):
        # Exact in float32, as a part of 256: so that every engine makes the same sides of them.
        scales = np.array([1.0, 1.0, form.height / IMAGE_SIZE, form.width / IMAGE_SIZE], np.float32)
        chain.add("Resize", None, scales, mode="linear", coordinate_transformation_mode="half_pixel")
    # (x * scale - mean) / std as one subtraction and one product, so that white and black are exact
    mean = np.array(told.means, np.float64) / told.factor
    factor = told.factor / np.array(told.deviations, np.float64)
    if mean.any():
        chain.add("Sub", mean.astype(np.float32).reshape(1, 3, 1, 1))
    if (factor != 1.0).any():
        chain.add("Mul", factor.astype(np.float32).reshape(1, 3, 1, 1))
    if form.whole:
        chain.add("Round")
    if form.layout == "nhwc":
        chain.add("Transpose", perm=[0, 2, 3, 1])
    if chain.nodes:
        chain.end(target)
    return chain.nodes, chain.constants


def _reads_pictures(inner: GraphProto, taken: str) -> None:
    """Have a network read `images` itself: OpenVINO would drop an Identity, and call the input by its end."""
    for node in nodes_of(inner):
        node.input[:] = ["images" if name == taken else name for name in node.input]


def _after(source: str, dim: int) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return the way from the network's output, (N, D) or that with axes of one, to `embedding`."""
    constants = [
        numpy_helper.from_array(np.array([-1, dim], np.int64), "rows"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
        numpy_helper.from_array(np.array(_LEAST_LENGTH, np.float32), "least"),
    ]
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Reshape", [source, "rows"], "feature", {}),
        ("ReduceL2", ["feature", "axis"], "length", {"keepdims": 1}),
        ("Max", ["length", "least"], "divisor", {}),
        ("Div", ["feature", "divisor"], "embedding", {}),
    ]
    nodes = [
        helper.make_node(operator, inputs, [output], f"unit/{operator}", **attributes)
        for operator, inputs, output, attributes in steps
    ]
    return nodes, constants


def _name_nodes(graph: Any) -> None:
    """Name the nodes by scope, so that a precision knows what it may type; see `graph.in_network`.

    The first layer stays in float32: rounding the picture is the largest single error, and the layer cheap.
    """
    layers = [index for index, node in enumerate(graph.node) if node.op_type in _LAYERS]
    first = layers[0] if layers else -1
    done = 0
    for index, node in enumerate(graph.node):
        whole = node.op_type in _SENSITIVE or index == first
        part = min(PARTS - 1, done * PARTS // max(1, len(layers)))
        node.name = f"{_WHOLE if whole else f'network.part{part}'}/{node.op_type}_{index}"
        node.doc_string = ""
        done += index in layers
