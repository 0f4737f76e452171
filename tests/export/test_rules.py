# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The static rules, each shown on a small hand-made graph that breaks it."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from pamtri_edge.export.onnx.rules import OPERATORS, check  # noqa: E402

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


def broken(proto):
    return {(violation.rule, violation.node) for violation in check(proto)}


def test_a_plain_graph_passes():
    assert check(model([relu()])) == []


@pytest.mark.parametrize("opset", [16, 21])
def test_an_opset_outside_the_range_is_refused(opset):
    assert broken(model([relu()], opset=opset)) == {("opset", "hand_made")}


def test_an_operator_off_the_list_is_named_with_its_node():
    found = check(model([helper.make_node("NonZero", ["x"], ["y"], name="find")]))
    assert [str(v) for v in found] == ["find: operator NonZero is not on the list [operator]"]


def test_an_operator_of_another_domain_is_refused():
    node = helper.make_node("FusedConv", ["x"], ["y"], name="fused", domain="com.microsoft")
    assert broken(model([node])) == {("operator", "fused")}


def test_control_flow_is_refused_once_and_by_its_own_name():
    branch = helper.make_graph([relu()], "branch", [], [value("y", ["batch", 3, 8, 8])])
    node = helper.make_node("If", ["x"], ["y"], name="choose", then_branch=branch, else_branch=branch)
    assert broken(model([node])) == {("control-flow", "choose")}


def test_inputs_and_outputs_must_be_float32():
    proto = model(
        [relu()],
        inputs=[value("x", ["batch", 3, 8, 8], TensorProto.FLOAT16)],
        outputs=[value("y", ["batch", 3, 8, 8], TensorProto.INT64)],
    )
    assert broken(proto) == {("float32", "x"), ("float32", "y")}


def test_a_fixed_batch_is_refused():
    proto = model([relu()], inputs=[value("x", [2, 3, 8, 8])])
    assert broken(proto) == {("batch", "x")}


def test_height_and_width_must_be_fixed():
    proto = model([relu()], inputs=[value("x", ["batch", 3, "height", 8])])
    assert broken(proto) == {("static", "x")}


def test_two_batch_sizes_are_refused():
    proto = model([relu()], outputs=[value("y", ["other", 3, 8, 8])])
    assert broken(proto) == {("batch", "hand_made")}


def test_weights_in_another_file_are_refused():
    weight = constant("w", np.ones((3, 3, 1, 1), np.float32))
    weight.data_location = TensorProto.EXTERNAL
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="conv")
    assert broken(model([node], constants=[weight])) == {("external", "w")}


def test_double_precision_constants_are_refused():
    node = helper.make_node("Identity", ["x"], ["y"], name="copy")
    assert broken(model([node], constants=[constant("d", np.ones(3))])) == {("type", "d")}
    inline = helper.make_node("Constant", [], ["d"], name="inline", value=constant("", np.ones(3)))
    assert broken(model([inline, relu()])) == {("type", "inline")}


def test_a_cast_to_an_unsupported_type_is_refused():
    node = helper.make_node("Cast", ["x"], ["y"], name="cast", to=TensorProto.DOUBLE)
    assert broken(model([node])) == {("type", "cast")}


def test_computed_axes_are_refused():
    nodes = [
        helper.make_node("Shape", ["x"], ["s"], name="shape"),
        helper.make_node("ReduceMax", ["x", "s"], ["y"], name="peak"),
    ]
    assert broken(model(nodes)) == {("axes", "peak")}


def test_constant_axes_pass_whether_initializer_or_node():
    axes = constant("axes", np.array([1]))
    kept = helper.make_node("ReduceMax", ["x", "axes"], ["y"], name="peak")
    assert check(model([kept], constants=[axes])) == []
    inline = helper.make_node("Constant", [], ["axes"], value=axes)
    assert check(model([inline, kept])) == []


def quantised(*, zero=None, scale=0.1, kind=np.int8):
    zero = np.array(0, kind) if zero is None else np.asarray(zero)
    return model(
        [
            helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], name="quantize"),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], name="dequantize"),
        ],
        constants=[constant("scale", np.float32(scale)), constant("zero", zero)],
    )


def test_symmetric_int8_quantisation_passes():
    assert check(quantised()) == []


def test_a_zero_point_other_than_zero_is_refused():
    assert broken(quantised(zero=np.int8(3))) == {
        ("zero-point", "quantize"),
        ("zero-point", "dequantize"),
    }


def test_an_unsigned_zero_point_is_refused():
    assert ("zero-point", "quantize") in broken(quantised(kind=np.uint8))


def test_a_missing_zero_point_is_refused_since_it_means_unsigned():
    nodes = [helper.make_node("QuantizeLinear", ["x", "scale"], ["y"], name="quantize")]
    assert broken(model(nodes, constants=[constant("scale", np.float32(1))])) == {("zero-point", "quantize")}


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_must_be_positive(scale):
    assert broken(quantised(scale=scale)) == {("scale", "quantize"), ("scale", "dequantize")}


def test_a_dequantised_int32_bias_is_refused():
    node = helper.make_node("DequantizeLinear", ["bias", "scale", "zero"], ["b"], name="bias_dq")
    proto = model(
        [node, relu()],
        constants=[
            constant("bias", np.ones(3, np.int32)),
            constant("scale", np.float32(1)),
            constant("zero", np.int32(0)),
        ],
    )
    assert ("dequantize", "bias_dq") in broken(proto)


@pytest.mark.parametrize(
    "attributes",
    [
        {"mode": "cubic"},
        {"coordinate_transformation_mode": "tf_crop_and_resize"},
        {"antialias": 1},
        {"mode": "nearest", "nearest_mode": "simple"},
    ],
)
def test_a_resize_that_the_floor_cannot_do_is_refused(attributes):
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], name="resize", **attributes)
    proto = model([node], constants=[constant("s", np.array([1, 1, 4, 4], np.float32))])
    assert broken(proto) == {("resize", "resize")}


def test_pooling_with_indices_or_dilations_is_refused():
    node = helper.make_node("MaxPool", ["x"], ["y", "i"], name="pool", kernel_shape=[2, 2], dilations=[2, 2])
    assert broken(model([node])) == {("pool", "pool")}
    assert len(check(model([node]))) == 2


def test_training_mode_is_refused():
    names = ["x", "g", "b", "m", "v"]
    node = helper.make_node("BatchNormalization", names, ["y", "nm", "nv"], name="bn", training_mode=1)
    parameters = [constant(name, np.ones(3, np.float32)) for name in names[1:]]
    assert broken(model([node], constants=parameters)) == {("training", "bn")}


def test_the_list_holds_no_operator_whose_shape_depends_on_data():
    assert not OPERATORS & {"NonZero", "Compress", "Unique", "NonMaxSuppression", "Loop", "If", "Scan"}
