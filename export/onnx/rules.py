# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a graph must be so that TensorRT 10.3 and every later engine takes it.

TensorRT 10.3 (JetPack 6, DeepStream 7.1) is the floor. It cannot be run without its device, so this is
written down from its ONNX parser: the operator matrix and the static checks of onnx-tensorrt,
release/10.1-GA (`docs/operators.md`, `onnxOpCheckers.cpp`, `QuantDequantLinearHelper`); 10.3 took nothing
away. TensorRT-RTX parses and builds the same files in the tests, but its parser is younger and takes more.

`OPERATORS` is also the list that `pamtri_edge.runtime.torch.backend` implements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, numpy_helper

MIN_OPSET: Final = 17
MAX_OPSET: Final = 20
"""The range in which our operators mean the same and the floor's parser knows them."""

MAX_BYTES: Final = 2**31 - 1
"""Protobuf's limit for one message: a larger graph would need external data."""

OPERATORS: Final[frozenset[str]] = frozenset(
    {
        # arithmetic
        "Abs", "Add", "Clip", "Cos", "Div", "Erf", "Exp", "Floor", "Log", "Max", "Min", "Mod", "Mul", "Neg",
        "Pow", "Reciprocal", "Round", "Sign", "Sin", "Sqrt", "Sub", "Sum",
        # comparison and choice
        "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Where",
        # networks
        "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Einsum", "Elu", "Gemm",
        "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish", "InstanceNormalization",
        "LayerNormalization", "LeakyRelu", "LpNormalization", "MatMul", "MaxPool", "PRelu", "Relu", "Resize",
        "Sigmoid", "Softmax", "Softplus", "Tanh",
        # reduction
        "ArgMax", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "TopK",
        # shape and place
        "Cast", "Concat", "Constant", "ConstantOfShape", "DepthToSpace", "Expand", "Flatten", "Gather",
        "GatherElements", "GatherND", "GridSample", "Identity", "Pad", "Range", "Reshape", "Shape", "Slice",
        "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze",
        # types
        "DequantizeLinear", "QuantizeLinear",
    }
)  # fmt: skip
"""Operators of the default domain that a graph may hold."""

TYPES: Final[frozenset[int]] = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.INT8,
        TensorProto.INT32,
        TensorProto.INT64,
        TensorProto.BOOL,
    }
)
"""Element types a constant may have. DOUBLE would be narrowed in silence, UINT8 taken for INT8."""

_RESIZE_MODES: Final = ("nearest", "linear")
_RESIZE_FRAMES: Final = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
_RESIZE_NEAREST: Final = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
_AXES_INPUT: Final[Mapping[str, int]] = {
    "ReduceL2": 1,
    "ReduceMax": 1,
    "ReduceMean": 1,
    "ReduceMin": 1,
    "ReduceProd": 1,
    "ReduceSum": 1,
    "Slice": 3,
    "Squeeze": 1,
    "Unsqueeze": 1,
}
"""Where an operator takes its axes from; the floor's parser wants a constant there."""


@dataclass(frozen=True)
class Violation:
    """One thing in a graph that breaks a rule.

    Attributes:
        node: name of the node, input, output or constant; the operator where it has no name.
        rule: short name of the rule, such as `"operator"` or `"zero-point"`.
        reason: what was found and what is accepted.
    """

    node: str
    rule: str
    reason: str

    def __str__(self) -> str:
        return f"{self.node}: {self.reason} [{self.rule}]"


def check(model: ModelProto) -> list[Violation]:
    """Return every violation of the rules, in the order of the graph; an empty list means it passes.

    Args:
        model: a whole ONNX model, weights included.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")
    found = [*_model(model), *_boundary(graph)]
    for tensor in graph.initializer:
        found.extend(_constant(tensor))
    for node in graph.node:
        found.extend(_node(node, constants))
    return found


def _model(model: ModelProto) -> Iterator[Violation]:
    name = model.graph.name or "graph"
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not MIN_OPSET <= opset.version <= MAX_OPSET:
            yield Violation(name, "opset", f"opset {opset.version}; accepted are {MIN_OPSET} to {MAX_OPSET}")
    if model.functions:
        listed = ", ".join(function.name for function in model.functions[:3])
        yield Violation(name, "function", f"holds local functions ({listed}); inline them")
    if model.graph.sparse_initializer:
        yield Violation(name, "sparse", "holds sparse constants; make them dense")
    size = model.ByteSize()
    if size > MAX_BYTES:
        yield Violation(name, "size", f"{size / 2**30:.2f} GiB; a graph in one file holds at most 2 GiB")


def _boundary(graph: onnx.GraphProto) -> Iterator[Violation]:
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    batches = set()
    for kind, values in (("input", inputs), ("output", graph.output)):
        for value in values:
            tensor = value.type.tensor_type
            if tensor.elem_type != TensorProto.FLOAT:
                found = TensorProto.DataType.Name(tensor.elem_type)
                yield Violation(value.name, "float32", f"{kind} of type {found}; accepted is FLOAT")
            dims = tensor.shape.dim
            if not dims:
                yield Violation(value.name, "shape", f"{kind} without a shape; batch first, then fixed sizes")
                continue
            if not dims[0].dim_param:
                yield Violation(
                    value.name,
                    "batch",
                    f"{kind} has a fixed batch of {dims[0].dim_value}; it must be dynamic",
                )
            batches.add(dims[0].dim_param)
            loose = [i for i, dim in enumerate(dims) if i > 0 and dim.dim_value <= 0]
            if loose:
                yield Violation(
                    value.name, "static", f"{kind} dimension {loose[0]} is not fixed; only the batch may vary"
                )
    if len(batches - {""}) > 1:
        listed = ", ".join(sorted(batches - {""}))
        yield Violation(graph.name or "graph", "batch", f"several batch sizes ({listed}); one is accepted")


def _constant(tensor: TensorProto) -> Iterator[Violation]:
    if tensor.data_location == TensorProto.EXTERNAL:
        yield Violation(tensor.name, "external", "kept in another file; all weights belong into the graph")
    if tensor.data_type not in TYPES:
        found = TensorProto.DataType.Name(tensor.data_type)
        accepted = ", ".join(sorted(TensorProto.DataType.Name(t) for t in TYPES))
        yield Violation(tensor.name or "constant", "type", f"constant of type {found}; accepted: {accepted}")


def _node(node: NodeProto, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    name = node.name or node.op_type
    if node.domain not in ("", "ai.onnx"):
        yield Violation(name, "operator", f"{node.domain}::{node.op_type} is not a standard ONNX operator")
        return
    for attribute in node.attribute:
        if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
            yield Violation(
                name, "control-flow", f"{node.op_type} holds a subgraph; no control flow is accepted"
            )
            return
    if node.op_type not in OPERATORS:
        yield Violation(name, "operator", f"operator {node.op_type} is not on the list")
        return
    axes = node.input[_AXES_INPUT.get(node.op_type, len(node.input)) :][:1]
    if axes and axes[0] and axes[0] not in constants:
        yield Violation(name, "axes", f"{node.op_type} computes its axes; they must be constant")
    special = _SPECIAL.get(node.op_type)
    if special is not None:
        yield from special(node, name, constants)


def _attributes(node: NodeProto) -> dict[str, Any]:
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {key: v.decode() if isinstance(v, bytes) else v for key, v in values.items()}


def _quantization(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    scale = constants.get(node.input[1])
    if scale is None:
        yield Violation(name, "scale", f"{node.op_type} computes its scale; it must be constant")
    elif not (numpy_helper.to_array(scale).astype(np.float64) > 0).all():
        yield Violation(name, "scale", f"{node.op_type} has a scale that is not positive")
    data = constants.get(node.input[0])
    if node.op_type == "DequantizeLinear" and data is not None and data.data_type != TensorProto.INT8:
        found = TensorProto.DataType.Name(data.data_type)
        yield Violation(
            name, "dequantize", f"dequantizes {found}; accepted is INT8 (export with unquantized bias)"
        )
    if len(node.input) < 3 or not node.input[2]:
        yield Violation(
            name, "zero-point", f"{node.op_type} without a zero point means UINT8; give an INT8 zero"
        )
        return
    zero = constants.get(node.input[2])
    if zero is None:
        yield Violation(
            name, "zero-point", f"{node.op_type} computes its zero point; it must be a constant 0"
        )
    elif zero.data_type != TensorProto.INT8:
        found = TensorProto.DataType.Name(zero.data_type)
        yield Violation(name, "zero-point", f"zero point of type {found}; accepted is INT8")
    elif numpy_helper.to_array(zero).any():
        yield Violation(name, "zero-point", "zero point is not 0; quantize symmetrically")


def _resize(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    given = _attributes(node)
    for attribute, default, accepted in (
        ("mode", "nearest", _RESIZE_MODES),
        ("coordinate_transformation_mode", "half_pixel", _RESIZE_FRAMES),
        ("nearest_mode", "round_prefer_floor", _RESIZE_NEAREST),
        ("keep_aspect_ratio_policy", "stretch", ("stretch",)),
        ("antialias", 0, (0,)),
    ):
        value = given.get(attribute, default)
        if value not in accepted:
            yield Violation(
                name, "resize", f"Resize {attribute} {value!r}; accepted: {', '.join(map(str, accepted))}"
            )


def _pool(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    given = _attributes(node)
    dilations = given.get("dilations", [])
    if any(value != 1 for value in dilations):
        yield Violation(name, "pool", f"{node.op_type} with dilations {dilations}; accepted is 1")
    if len([output for output in node.output if output]) > 1:
        yield Violation(name, "pool", f"{node.op_type} gives indices; only its values are accepted")


def _einsum(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    equation = str(_attributes(node).get("equation", ""))
    terms = equation.replace(" ", "").split("->")[0].split(",")
    repeated = any(len(set(term)) < len(term) for term in terms)
    if len(terms) > 2 or "." in equation or repeated:
        yield Violation(
            name, "einsum", f"Einsum {equation!r}; accepted are one or two tensors, each letter once in each"
        )


def _batch_normalization(
    node: NodeProto, name: str, constants: Mapping[str, TensorProto]
) -> Iterator[Violation]:
    if _attributes(node).get("training_mode", 0):
        yield Violation(
            name, "training", "BatchNormalization in training mode; export the network in eval mode"
        )


def _cast(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    to = _attributes(node).get("to")
    if to not in TYPES - {TensorProto.INT8}:
        found = TensorProto.DataType.Name(int(to)) if isinstance(to, int) else "nothing"
        yield Violation(name, "type", f"Cast to {found}; accepted: BOOL, FLOAT, FLOAT16, INT32, INT64")


def _constant_node(node: NodeProto, name: str, constants: Mapping[str, TensorProto]) -> Iterator[Violation]:
    for attribute in node.attribute:
        if attribute.name == "value":
            yield from (Violation(name, v.rule, v.reason) for v in _constant(attribute.t))
        elif attribute.name not in ("value_float", "value_floats", "value_int", "value_ints"):
            yield Violation(name, "type", f"Constant with {attribute.name}; accepted are numbers")


_Check = Callable[[NodeProto, str, Mapping[str, TensorProto]], Iterator[Violation]]

_SPECIAL: Final[Mapping[str, _Check]] = {
    "AveragePool": _pool,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Constant": _constant_node,
    "DequantizeLinear": _quantization,
    "Einsum": _einsum,
    "MaxPool": _pool,
    "QuantizeLinear": _quantization,
    "Resize": _resize,
}
