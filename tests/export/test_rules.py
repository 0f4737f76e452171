# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The static rules, each shown on a small hand-made graph that breaks it."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from pamtri_edge.export.onnx.rules import check  # noqa: E402

FLOAT = TensorProto.FLOAT


def value(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def model(nodes, *, inputs=None, outputs=None, constants=(), opset=18, **graph):
    graph_proto = helper.make_graph(
        nodes,
        "hand_made",
        inputs or [value("x", ["batch", 3, 8, 8])],
        outputs or [value("y", ["batch", 3, 8, 8])],
        list(constants),
        **graph,
    )
    return helper.make_model(graph_proto, opset_imports=[helper.make_opsetid("", opset)])


def relu():
    return helper.make_node("Relu", ["x"], ["y"], name="relu")


def node(operator, *inputs, **attributes):
    return helper.make_node(operator, inputs, ["y"], name="node", **attributes)


def quantized(*, zero=0, scale=0.1, kind=np.int8):
    names = ["scale", "zero"]
    return model(
        [
            helper.make_node("QuantizeLinear", ["x", *names], ["q"], name="quantize"),
            helper.make_node("DequantizeLinear", ["q", *names], ["y"], name="dequantize"),
        ],
        constants=[constant("scale", np.float32(scale)), constant("zero", kind(zero))],
    )


def resize(**attributes):
    size = constant("s", np.array([1, 1, 4, 4], np.float32))
    return model([node("Resize", "x", "", "s", **attributes)], constants=[size])


def weight_outside():
    weight = constant("w", np.ones((3, 3, 1, 1), np.float32))
    weight.data_location = TensorProto.EXTERNAL
    return model([node("Conv", "x", "w")], constants=[weight])


def branching():
    branch = helper.make_graph([relu()], "branch", [], [value("y", ["batch", 3, 8, 8])])
    return model([node("If", "x", then_branch=branch, else_branch=branch)])


def training():
    names = ["x", "g", "b", "m", "v"]
    norm = helper.make_node("BatchNormalization", names, ["y", "nm", "nv"], name="node", training_mode=1)
    return model([norm], constants=[constant(name, np.ones(3, np.float32)) for name in names[1:]])


AXES = constant("axes", np.array([1]))
SHAPE = helper.make_node("Shape", ["x"], ["s"], name="shape")
DOUBLE = constant("d", np.ones(3))
INLINE_DOUBLE = helper.make_node("Constant", [], ["d"], name="inline", value=constant("", np.ones(3)))
BIAS = helper.make_node("DequantizeLinear", ["bias", "scale", "zero"], ["b"], name="bias_dq")
BIAS_OF_INT32 = [constant("bias", np.ones(3, np.int32)), constant("scale", np.float32(1))]
BOTH = ("quantize", "dequantize")


@pytest.mark.parametrize(
    "proto",
    [
        model([relu()]),
        model([node("ReduceMax", "x", "axes")], constants=[AXES]),
        model([helper.make_node("Constant", [], ["axes"], value=AXES), node("ReduceMax", "x", "axes")]),
        quantized(),
    ],
    ids=["plain", "constant axes", "axes of a node", "symmetric int8"],
)
def test_a_graph_that_breaks_no_rule_passes(proto):
    assert check(proto) == []


BROKEN = {
    "an opset before the range": (model([relu()], opset=16), {("opset", "hand_made")}),
    "an opset behind the range": (model([relu()], opset=21), {("opset", "hand_made")}),
    "another domain": (model([node("FusedConv", "x", domain="com.microsoft")]), {("operator", "node")}),
    "control flow, once and by its own name": (branching(), {("control-flow", "node")}),
    "an input of float16": (
        model([relu()], inputs=[value("x", ["batch", 3, 8, 8], TensorProto.FLOAT16)]),
        {("float32", "x")},
    ),
    "an output of int64": (
        model([relu()], outputs=[value("y", ["batch", 3, 8, 8], TensorProto.INT64)]),
        {("float32", "y")},
    ),
    "a fixed batch": (model([relu()], inputs=[value("x", [2, 3, 8, 8])]), {("batch", "x")}),
    "an open height": (
        model([relu()], inputs=[value("x", ["batch", 3, "height", 8])]),
        {("static", "x")},
    ),
    "two batch sizes": (
        model([relu()], outputs=[value("y", ["other", 3, 8, 8])]),
        {("batch", "hand_made")},
    ),
    "weights in another file": (weight_outside(), {("external", "w")}),
    "a constant of float64": (model([node("Identity", "x")], constants=[DOUBLE]), {("type", "d")}),
    "a node's constant of float64": (model([INLINE_DOUBLE, relu()]), {("type", "inline")}),
    "a cast to float64": (model([node("Cast", "x", to=TensorProto.DOUBLE)]), {("type", "node")}),
    "computed axes": (model([SHAPE, node("ReduceMax", "x", "s")]), {("axes", "node")}),
    "a zero point of 3": (quantized(zero=3), {("zero-point", name) for name in BOTH}),
    "an unsigned zero point": (
        quantized(kind=np.uint8),
        {("type", "zero"), *(("zero-point", name) for name in BOTH)},
    ),
    "no zero point, which means unsigned": (
        model([node("QuantizeLinear", "x", "scale")], constants=[constant("scale", np.float32(1))]),
        {("zero-point", "node")},
    ),
    "a scale of 0": (quantized(scale=0.0), {("scale", name) for name in BOTH}),
    "a scale below 0": (quantized(scale=-1.0), {("scale", name) for name in BOTH}),
    "a scale that is no number": (quantized(scale=float("nan")), {("scale", name) for name in BOTH}),
    "a bias of int32": (
        model([BIAS, relu()], constants=[*BIAS_OF_INT32, constant("zero", np.int32(0))]),
        {("dequantize", "bias_dq"), ("zero-point", "bias_dq")},
    ),
    "a cubic resize": (resize(mode="cubic"), {("resize", "node")}),
    "a resize of a part": (
        resize(coordinate_transformation_mode="tf_crop_and_resize"),
        {("resize", "node")},
    ),
    "a resize without aliasing": (resize(antialias=1), {("resize", "node")}),
    "another rounding of the nearest": (resize(mode="nearest", nearest_mode="simple"), {("resize", "node")}),
    "pooling with dilations": (
        model([node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])]),
        {("pool", "node")},
    ),
    "pooling with indices": (
        model([helper.make_node("MaxPool", ["x"], ["y", "i"], name="node", kernel_shape=[2, 2])]),
        {("pool", "node")},
    ),
    "training": (training(), {("training", "node")}),
}


@pytest.mark.parametrize(("proto", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_graph_that_breaks_a_rule_is_refused_by_rule_and_name(proto, expected):
    assert {(violation.rule, violation.node) for violation in check(proto)} == expected


def test_an_operator_off_the_list_is_named_with_its_node():
    (found,) = check(model([node("NonZero", "x")]))
    assert str(found) == "node: operator NonZero is not on the list [operator]"
