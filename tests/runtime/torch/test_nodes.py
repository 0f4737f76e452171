# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every operator against ONNX's own reference implementation."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pamtri_edge.errors import BundleError
from pamtri_edge.export.onnx import rules
from pamtri_edge.runtime.torch.graph import read_graph
from pamtri_edge.runtime.torch.nodes import OPERATORS

RNG = np.random.default_rng(0)
CPU = torch.device("cpu")


def floats(*shape: int, positive: bool = False) -> NDArray[np.float32]:
    array = RNG.normal(size=shape).astype(np.float32)
    return np.abs(array) + np.float32(0.1) if positive else array


def bytes_of(dtype: type[np.integer[Any]], *shape: int) -> NDArray[Any]:
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max + 1, shape, dtype=dtype)


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def scalar(value: float, dtype: Any = np.float32) -> NDArray[Any]:
    return np.array(value, dtype)


@dataclass
class Case:
    """An operator, its inputs (None for one left out) and attributes."""

    operator: str
    inputs: list[Any]
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1
    opset: int = 18
    near: float = 1e-5
    runtime: bool = False  # compare with ONNX Runtime, where the reference implementation is wrong

    def __str__(self) -> str:
        shapes = ",".join("-" if x is None else f"{x.dtype}{list(x.shape)}" for x in self.inputs)
        extras = ",".join(f"{key}={value}" for key, value in self.attributes.items())
        return f"{self.operator}({shapes};{extras})"


X = floats(2, 6, 8, 10)
HALF = X.astype(np.float16)
YES = RNG.random((2, 6)) > 0.5
NO = RNG.random((2, 6)) > 0.5
W = floats(4, 6, 3, 3) / 5

CASES = [
    *[Case(name, [floats(3, 4) * 3]) for name in ("Abs", "Cos", "Floor", "Neg", "Relu", "Round")],
    *[Case(name, [floats(3, 4) * 3]) for name in ("Sigmoid", "Sign", "Sin")],
    Case("Sign", [scalar(0)]),
    Case("Round", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999], np.float32)]),
    *[Case(name, [floats(3, 4, positive=True)]) for name in ("Sqrt", "Reciprocal")],
    *[
        Case(name, [floats(3, 4, positive=True), floats(4, positive=True)])
        for name in ("Add", "Sub", "Mul", "Div", "Pow")
    ],
    *[Case(name, [ints(7, -7, 9), ints(2, 2, -4)]) for name in ("Add", "Sub", "Mul", "Div")],
    Case("Add", [HALF, HALF[:1]]),
    Case("Pow", [floats(3, positive=True), ints(2)]),
    Case("Mod", [ints(7, -7, 9, -9), ints(3, 3, -4, -4)]),
    Case("Mod", [floats(5) * 9, floats(5, positive=True)], {"fmod": 1}),
    *[Case(name, [floats(3, 4), floats(1, 4), floats(3, 1)]) for name in ("Max", "Min")],
    Case("Max", [floats(3)]),
    Case("Clip", [floats(9) * 3, scalar(-1), scalar(2)]),
    Case("Clip", [floats(9) * 3, None, scalar(0.5)]),
    Case("Clip", [floats(9) * 3, scalar(0.5)]),
    Case("Clip", [ints(-3, 0, 5), scalar(0, np.int64), scalar(4, np.int64)]),
    *[
        Case(name, [np.array([1, 2, 3], np.float32), scalar(2)])
        for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
    ],
    Case("Equal", [ints(1, 2, 3), ints(1, 0, 3)]),
    *[Case(name, [YES, NO]) for name in ("And", "Or")],
    Case("Not", [YES]),
    Case("Where", [YES, floats(2, 6), scalar(-1)]),
    Case("LeakyRelu", [floats(3, 4)], {"alpha": 0.2}),
    Case("LeakyRelu", [floats(3, 4)]),
    *[Case(name, [floats(3, 4) * 3]) for name in ("Elu", "Erf", "Exp", "HardSigmoid", "HardSwish", "Tanh")],
    Case("Elu", [floats(3, 4)], {"alpha": 0.5}),
    Case("HardSigmoid", [floats(3, 4) * 3], {"alpha": 1 / 6, "beta": 0.5}),
    Case("Softplus", [floats(3, 4) * 9]),
    Case("Log", [floats(3, 4, positive=True)]),
    Case("PRelu", [X, floats(6, 1, 1)]),
    Case("PRelu", [X, scalar(0.25)]),
    Case("Sum", [floats(3, 4), floats(4), floats(3, 1)]),
    Case("Softmax", [floats(3, 4)]),
    Case("Softmax", [floats(3, 4, 2)], {"axis": 1}),
    # networks
    Case("Conv", [X, W]),
    Case("Conv", [X, W, floats(4)], {"pads": [1, 1, 1, 1], "strides": [2, 2], "kernel_shape": [3, 3]}),
    Case("Conv", [X, W], {"pads": [0, 1, 2, 3]}),
    Case("Conv", [X, floats(6, 2, 3, 3)], {"group": 3, "dilations": [2, 1]}),
    Case("Conv", [X, floats(5, 6, 1, 1)], {"auto_pad": "VALID"}),
    Case("Conv", [HALF, W.astype(np.float16), floats(4).astype(np.float16)], near=2e-2),
    Case("ConvTranspose", [X, floats(6, 4, 2, 2), floats(4)], {"strides": [2, 2]}),
    Case("ConvTranspose", [X, floats(6, 2, 3, 3)], {"pads": [1, 1, 1, 1], "dilations": [2, 1]}),
    Case("Einsum", [floats(2, 3, 4), floats(2, 5, 4)], {"equation": "bic,bjc->bij"}),
    Case("Gemm", [floats(3, 5), floats(5, 4), floats(4)]),
    Case("Gemm", [floats(3, 5), floats(4, 5), floats(3, 1)], {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    Case("Gemm", [floats(5, 3), floats(5, 4)], {"transA": 1, "alpha": 0.5}),
    Case("MatMul", [floats(2, 3, 5), floats(5, 4)]),
    Case("BatchNormalization", [X, floats(6), floats(6), floats(6), floats(6, positive=True)], near=1e-4),
    Case(
        "BatchNormalization",
        [X, floats(6), floats(6), floats(6), floats(6, positive=True)],
        {"epsilon": 0.1},
    ),
    Case("AveragePool", [X], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    Case("AveragePool", [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    Case("AveragePool", [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    Case("AveragePool", [X], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1], "count_include_pad": 1}),
    Case("AveragePool", [X], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1]}),
    Case("AveragePool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, runtime=True),
    Case("MaxPool", [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    Case("MaxPool", [-X * X], {"kernel_shape": [3, 3], "pads": [0, 0, 1, 1]}, runtime=True),
    Case("MaxPool", [HALF], {"kernel_shape": [2, 2]}),
    Case("MaxPool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, runtime=True),
    Case("GlobalAveragePool", [X]),
    Case("GlobalMaxPool", [X]),
    Case("InstanceNormalization", [X, floats(6), floats(6)], near=1e-4),
    Case("InstanceNormalization", [X, floats(6), floats(6)], {"epsilon": 0.1}, near=1e-4),
    Case("LayerNormalization", [X, floats(10), floats(10)], near=1e-4),
    Case("LayerNormalization", [X, floats(8, 10)], {"axis": 2, "epsilon": 0.1}, near=1e-4),
    Case("LpNormalization", [X], {"axis": 1}),
    Case("LpNormalization", [X], {"axis": -1, "p": 1}, runtime=True),
    Case(
        "Resize",
        [X, None, np.array([1, 1, 2, 2], np.float32)],
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
    Case(
        "Resize",
        [X, None, None, ints(2, 6, 24, 40)],
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
    ),
    Case("Resize", [X, None, np.array([1, 1, 4, 4], np.float32)], {"mode": "linear"}),
    Case("Resize", [X, None, None, ints(2, 6, 32, 25)], {"mode": "linear"}),
    Case("Resize", [X, None, None, ints(2, 6, 5, 7)], {"mode": "linear"}),
    Case(
        "Resize",
        [X, None, np.array([1, 1, 2, 2], np.float32)],
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ),
    # reductions
    Case("ArgMax", [floats(3, 4, 5)], {"axis": 2, "keepdims": 1}),
    Case("ArgMax", [floats(3, 4, 5)], {"axis": -2, "keepdims": 0}),
    Case("ArgMax", [np.array([[1, 5, 5, 2], [0, 0, 0, 0]], np.float32)], {"axis": 1}),
    Case("ReduceProd", [X, ints(1, 3)], {"keepdims": 0}),
    *[
        case
        for name in ("ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum")
        for case in (
            Case(name, [X, ints(2, 3)], {"keepdims": 0}),
            Case(name, [X, ints(-1)], {"keepdims": 1}),
            Case(name, [X]),
            Case(name, [X], {"noop_with_empty_axes": 1}) if name != "ReduceL2" else Case(name, [X, ints(1)]),
        )
    ],
    Case("ReduceMean", [X], {"axes": [2, 3]}, opset=17),
    Case("TopK", [X, ints(3)], {"axis": 1}, outputs=2),
    Case("TopK", [X, ints(2)], {"largest": 0}),
    Case("GatherND", [X, np.array([[1, 2], [0, -1]])]),
    Case("GridSample", [X, floats(2, 4, 5, 2)], opset=20),
    Case("GridSample", [X, floats(2, 4, 5, 2)], {"align_corners": 1, "padding_mode": "border"}, runtime=True),
    Case("ReduceSum", [ints(1, 2, 3), ints(0)]),
    # types and places
    Case("Cast", [floats(5) * 9], {"to": TensorProto.INT64}),
    Case("Cast", [floats(5) * 9], {"to": TensorProto.FLOAT16}),
    Case("Cast", [ints(0, 1, 2)], {"to": TensorProto.BOOL}),
    Case("Cast", [YES], {"to": TensorProto.FLOAT}),
    Case("Concat", [floats(2, 3), floats(2, 1), floats(2, 4)], {"axis": 1}),
    Case("Concat", [ints(1, 2), ints(3)], {"axis": -1}),
    Case("Constant", [], {"value": numpy_helper.from_array(floats(2, 3))}),
    Case("Constant", [], {"value_float": 2.5}),
    Case("Constant", [], {"value_floats": [2.5, 1.0]}),
    Case("Constant", [], {"value_int": 3}),
    Case("Constant", [], {"value_ints": [3, 4]}),
    Case("ConstantOfShape", [ints(2, 3)], {"value": numpy_helper.from_array(np.array([7], np.int64))}),
    Case("ConstantOfShape", [ints(2, 3)]),
    Case("DepthToSpace", [floats(2, 8, 3, 5)], {"blocksize": 2}),
    Case("DepthToSpace", [floats(2, 8, 3, 5)], {"blocksize": 2, "mode": "CRD"}),
    Case("Expand", [floats(3, 1), ints(2, 1, 4)]),
    Case("Expand", [floats(2, 3, 4), ints(1, 4)]),
    *[Case("Flatten", [X], {"axis": axis}) for axis in (0, 1, 2, -1)],
    Case("Flatten", [X]),
    Case("Gather", [X, ints(2, 0, -1)], {"axis": 1}),
    Case("Gather", [X, np.array([[0, 1], [1, -1]])], {"axis": -2}),
    Case("Gather", [ints(5, 6, 7), scalar(1, np.int64)]),
    Case("GatherElements", [floats(3, 4), np.array([[0, -1], [2, 1], [3, 3]])], {"axis": 1}),
    Case("Identity", [X]),
    Case("Pad", [X, ints(0, 0, 1, 2, 0, 0, 3, 0), scalar(1.5)]),
    Case("Pad", [X, ints(1, 2), None, ints(3)]),
    Case("Pad", [X, ints(1, 2, 3, 1), None, ints(2, 3)], {"mode": "reflect"}),
    Case("Pad", [X, ints(1, 2, 3, 1), None, ints(-2, -1)], {"mode": "edge"}),
    Case("Range", [scalar(2, np.int64), scalar(11, np.int64), scalar(3, np.int64)]),
    Case("Range", [scalar(1), scalar(-1), scalar(-0.5)]),
    Case("Reshape", [X, ints(2, -1)]),
    Case("Reshape", [X, ints(0, 3, -1, 10)]),
    Case("Shape", [X]),
    Case("Shape", [X], {"start": 1, "end": -1}),
    Case("Shape", [X], {"start": -2}),
    Case("Slice", [X, ints(1, 2), ints(5, 8), ints(1, 3), ints(1, 2)]),
    Case("Slice", [X, ints(-3), ints(1 << 40), ints(-1)]),
    Case("Slice", [X, ints(0, 1), ints(1, 3)]),
    Case("Slice", [X, ints(-1), ints(-(1 << 40)), ints(3), ints(-1)]),
    Case("Slice", [X, ints(6), ints(1), ints(2), ints(-2)]),
    Case("Split", [X, ints(1, 3, 2)], {"axis": 1}, outputs=3),
    Case("Split", [floats(7, 2)], {"num_outputs": 3}, outputs=3),
    Case("Squeeze", [floats(1, 3, 1), ints(-1)]),
    Case("Squeeze", [floats(1, 3, 1)]),
    Case("Tile", [floats(2, 3), ints(3, 2)]),
    Case("Transpose", [X], {"perm": [0, 3, 1, 2]}),
    Case("Transpose", [floats(2, 3, 4)]),
    Case("Unsqueeze", [floats(3, 4), ints(0, -1)]),
    Case("Unsqueeze", [scalar(3), ints(0)]),
    # quantization
    Case("QuantizeLinear", [X * 4, scalar(0.05), scalar(0, np.int8)], opset=19),
    Case("QuantizeLinear", [X * 4, scalar(0.05), scalar(128, np.uint8)], opset=19),
    Case("QuantizeLinear", [X * 4, scalar(0.05)], opset=19),
    Case(
        "QuantizeLinear",
        [X * 4, floats(6, positive=True), np.arange(6, dtype=np.int8)],
        {"axis": 1},
        opset=19,
    ),
    Case(
        "QuantizeLinear",
        [np.array([0.5, 1.5, 2.5, -0.5, -1.5], np.float32), scalar(1), scalar(0, np.int8)],
        opset=19,
    ),
    Case(
        "DequantizeLinear",
        [bytes_of(np.int8, 4, 6, 3, 3), floats(4, positive=True), np.zeros(4, np.int8)],
        {"axis": 0},
        opset=19,
    ),
    Case("DequantizeLinear", [bytes_of(np.uint8, 4, 6), scalar(0.1), scalar(9, np.uint8)], opset=19),
    Case("DequantizeLinear", [bytes_of(np.int8, 4, 6), scalar(0.1)], opset=19),
]  # fmt: skip

REFUSED = [
    Case("AveragePool", [X], {"kernel_shape": [3, 3], "ceil_mode": 1, "count_include_pad": 1}),
    Case("ConvTranspose", [X, floats(6, 4, 2, 2)], {"pads": [0, 0, 1, 1]}),
    Case("MaxPool", [X], {"kernel_shape": [2, 2], "dilations": [2, 2]}),
    Case("MaxPool", [X], {"kernel_shape": [2, 2]}, outputs=2),
    Case("Conv", [X, W], {"auto_pad": "SAME_UPPER"}),
    Case("Conv", [floats(1, 2, 9), floats(2, 2, 3)], {"pads": [0, 0]}),
    Case("ArgMax", [X], {"select_last_index": 1}),
    Case("GatherND", [X, np.array([[1], [2]])], {"batch_dims": 1}),
    Case("Resize", [X, None, None, ints(2, 6, 16, 20)], {"mode": "cubic"}),
    Case("Resize", [X, None, None, ints(2, 6, 16, 20)], {"mode": "nearest"}),
    Case(
        "Resize",
        [X, None, None, ints(2, 6, 16, 20)],
        {"mode": "linear", "coordinate_transformation_mode": "asymmetric"},
    ),
    Case("Pad", [X, ints(0, 0, 1, 1, 0, 0, 1, 1)], {"mode": "wrap"}, opset=19),
    Case("Cast", [X], {"to": TensorProto.DOUBLE}),
    Case("Celu", [X]),
    Case("LayerNormalization", [X, floats(10), floats(10)], outputs=2),
    Case("QuantizeLinear", [X, scalar(1), scalar(0, np.int16)], opset=21),
]


def model_of(case: Case, constant: range) -> onnx.ModelProto:
    """Return a graph of one node; the inputs at the positions in `constant` are constants of the file."""
    names = ["" if array is None else f"x{at}" for at, array in enumerate(case.inputs)]
    outputs = [f"y{at}" for at in range(case.outputs)]
    node = helper.make_node(case.operator, names, outputs, "the_node", **case.attributes)
    given = [(at, array) for at, array in enumerate(case.inputs) if array is not None]
    graph = helper.make_graph(
        [node],
        "graph",
        [
            helper.make_tensor_value_info(f"x{at}", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
            for at, array in given
            if at not in constant
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [numpy_helper.from_array(array, f"x{at}") for at, array in given if at in constant],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", case.opset)], ir_version=10)


def results(model: onnx.ModelProto, inputs: dict[str, Any], *, runtime: bool) -> list[Any]:
    if runtime:
        onnxruntime.set_default_logger_severity(3)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return list(session.run(None, inputs))
    with np.errstate(all="ignore"):
        return list(ReferenceEvaluator(model).run(None, inputs))


FORMS = [(case, range(0)) for case in CASES] + [(case, range(1, 9)) for case in CASES if len(case.inputs) > 1]
"""Each operator with all inputs computed, and with all but the first as constants of the file."""


@pytest.mark.parametrize(("case", "constant"), FORMS, ids=str)
def test_an_operator_computes_what_onnx_says(case: Case, constant: range, tmp_path: Path) -> None:
    model = model_of(case, constant)
    onnx.save(model, tmp_path / "model.onnx")
    inputs = {value.name: case.inputs[int(value.name[1:])] for value in model.graph.input}
    meant = results(model, inputs, runtime=case.runtime)
    graph = read_graph(tmp_path / "model.onnx", device=CPU)
    with torch.inference_mode():
        found = graph.run({name: torch.from_numpy(np.asarray(array)) for name, array in inputs.items()})
    assert len(found) == len(meant)
    for tensor, array in zip(found.values(), meant, strict=True):
        assert tensor.numpy().dtype == array.dtype
        assert tensor.shape == array.shape
        near = max(case.near, 2e-3) if array.dtype == np.float16 else case.near
        np.testing.assert_allclose(tensor.numpy(), array, rtol=near, atol=near)


def test_every_operator_that_an_export_may_hold_is_there_and_tested() -> None:
    assert set(OPERATORS) == rules.OPERATORS
    assert {case.operator for case in CASES} == rules.OPERATORS


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_form_that_is_not_supported_is_named(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save(model_of(case, range(1, 9)), path)
    with pytest.raises(BundleError, match=rf"{case.operator}|opset 21") as caught:
        read_graph(path, device=CPU)
    assert "by the torch backend. Use backend='openvino'" in str(caught.value)
