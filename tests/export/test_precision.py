# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Precision typed into the graph: what becomes float16 or int8, and what must not."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pamtri_edge import samples
from pamtri_edge.errors import ExportError
from pamtri_edge.export.onnx.calibration import activation_ranges, best_range
from pamtri_edge.export.onnx.graph import in_network, scope_of
from pamtri_edge.export.onnx.precision import half, quantize
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.geometry import Geometry
from pamtri_edge.parity.pictures import graph_inputs, parts

EVERY_GEOMETRY = pytest.mark.parametrize("geometry", list(Geometry))


def calibration(graph):
    names = [value.name for value in graph.graph.input]
    return list(parts(graph_inputs(samples.crops(2), names), 1))


def weights_of(graph):
    return {tensor.name: tensor for tensor in graph.graph.initializer}


def kinds(graph):
    """Return the element type of every tensor, as ONNX infers it strictly."""
    inferred = onnx.shape_inference.infer_shapes(graph, strict_mode=True).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in inferred.initializer}


@EVERY_GEOMETRY
def test_half_is_valid_and_keeps_the_rules(tiny_graphs, geometry):
    typed = half(tiny_graphs[geometry])
    onnx.checker.check_model(typed, full_check=True)
    assert check(typed) == []


def test_half_types_the_networks_and_nothing_else(tiny_graphs):
    typed = half(tiny_graphs[Geometry.UNIFIED])
    types = kinds(typed)
    for node in typed.graph.node:
        numbers = {types[name] for name in node.output} & {TensorProto.FLOAT, TensorProto.FLOAT16}
        if not numbers or node.op_type == "Cast":
            continue
        # A convolution has the scope of the normalization that was folded into it: its weight tells more.
        place = f"{scope_of(node)}. {' '.join(node.input[1:2])}."
        kept = any(f"{part}." in place for part in ("pose.network.conv1", "final_layer", "base.norm5"))
        expected = TensorProto.FLOAT16 if in_network(node) and not kept else TensorProto.FLOAT
        assert numbers == {expected}, node.name


def test_half_keeps_the_first_and_the_last_layer_of_pose_in_float32(tiny_graphs):
    names = set(weights_of(half(tiny_graphs[Geometry.UNIFIED])))
    assert "pose.network.conv1.weight" in names
    assert "pose.network.final_layer.weight" in names
    assert "pose.network.conv2.weight" not in names


def test_half_nearly_halves_the_weights_and_leaves_the_original_as_it_is(tiny_graphs):
    graph = tiny_graphs[Geometry.UNIFIED]
    before = graph.SerializeToString()
    whole, halved = (
        sum(numpy_helper.to_array(weight).nbytes for weight in weights_of(each).values())
        for each in (graph, half(graph))
    )
    assert halved < 0.62 * whole
    assert graph.SerializeToString() == before


def network_of_one_layer(weight, name="pose.network.layer1/Conv_0"):
    x = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 4, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3, 4, 4])
    node = helper.make_node("Conv", ["images", "pose.network.layer1.weight"], ["y"], name=name)
    tensor = numpy_helper.from_array(np.asarray(weight, np.float32), "pose.network.layer1.weight")
    graph = helper.make_graph([node], "one", [x], [y], [tensor])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def test_a_weight_beyond_float16_is_refused_and_says_what_to_do():
    model = network_of_one_layer(np.full((3, 3, 1, 1), 1e6))
    with pytest.raises(ExportError, match=r"pose\.network\.layer1\.weight holds 1e\+06.*--precision fp32"):
        half(model)


def test_a_tensor_needed_on_both_sides_is_cast_once():
    model = network_of_one_layer(np.ones((3, 3, 1, 1)))
    inner = helper.make_node("Relu", ["y"], ["z"], name="pose.network.relu/Relu_1")
    outer = helper.make_node("Add", ["y", "z"], ["sum"], name="/Add_2")
    model.graph.node.extend([inner, outer])
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["batch", 3, 4, 4]))
    typed = half(model)
    onnx.checker.check_model(typed, full_check=True)
    assert [n.op_type for n in typed.graph.node] == ["Cast", "Conv", "Cast", "Relu", "Cast", "Add"]


@pytest.fixture(scope="module")
def quantized(tiny_graphs, tmp_path_factory):
    graph = tiny_graphs[Geometry.UNIFIED]
    folder = tmp_path_factory.mktemp("int8")
    seen = []
    typed = quantize(graph, calibration(graph), folder=folder, advance=lambda: seen.append(1))
    return graph, typed, folder, len(seen)


def test_int8_is_valid_and_keeps_the_rules(quantized):
    _, typed, _, _ = quantized
    onnx.checker.check_model(typed, full_check=True)
    assert check(typed) == []
    assert [(opset.domain, opset.version) for opset in typed.opset_import] == [("", 18)]


def test_int8_stores_weights_as_int8_with_a_scale_a_channel(quantized):
    _, typed, _, _ = quantized
    weights = weights_of(typed)
    kernel = numpy_helper.to_array(weights["pose.network.conv2.weight_quantized"])
    assert kernel.dtype == np.int8
    assert np.abs(kernel.astype(int)).max() == 64
    assert numpy_helper.to_array(weights["pose.network.conv2.weight_scale"]).shape == (kernel.shape[0],)
    assert "pose.network.conv2.weight" not in weights


def test_int8_leaves_biases_alone(quantized):
    _, typed, _, _ = quantized
    assert not any(tensor.data_type == TensorProto.INT32 for tensor in typed.graph.initializer)
    dequantized = {
        name for node in typed.graph.node if node.op_type == "DequantizeLinear" for name in node.output
    }
    for node in typed.graph.node:
        if node.op_type in ("Conv", "Gemm") and len(node.input) > 2:
            assert node.input[2] not in dequantized


def test_int8_touches_only_products_of_the_networks(quantized):
    graph, typed, _, _ = quantized
    made = {name: node for node in typed.graph.node for name in node.output}
    products = set()
    for node in typed.graph.node:
        sources = [made[name].op_type for name in node.input[:2] if name in made]
        if node.op_type in ("Conv", "Gemm") and sources == ["DequantizeLinear"] * 2:
            products.add(node.name)
    networks = {n.name for n in graph.graph.node if n.op_type in ("Conv", "Gemm") and in_network(n)}
    assert products <= networks
    apart = {n.name for n in graph.graph.node if n.name in networks - products}
    assert {name.split("/")[0] for name in apart} == {"pose.network.final_layer", "reid.stem.coarse"}


def test_int8_rounds_nothing_between_a_convolution_and_its_relu(quantized):
    _, typed, _, _ = quantized
    made = {name: node for node in typed.graph.node for name in node.output}
    for node in typed.graph.node:
        if node.op_type == "Relu" and node.input[0] in made:
            assert made[node.input[0]].op_type != "DequantizeLinear"


def test_int8_keeps_names_and_leaves_no_files(quantized):
    graph, typed, folder, calls = quantized
    assert typed.graph.name == graph.graph.name
    assert typed.producer_name == "pamtri-edge"
    assert not typed.metadata_props
    assert list(folder.iterdir()) == []
    assert calls == len(calibration(graph))


def test_int8_without_pictures_is_refused(tiny_graphs):
    with pytest.raises(ExportError, match="at least one calibration picture"):
        quantize(tiny_graphs[Geometry.UNIFIED], [])


def test_int8_of_a_graph_without_layers_is_refused():
    model = network_of_one_layer(np.ones((3, 3, 1, 1)), name="/Conv_0")
    with pytest.raises(ExportError, match="at least one layer to quantize"):
        quantize(model, [{"images": np.zeros((1, 3, 4, 4), np.float32)}])


def test_a_calibration_picture_that_gives_nan_is_named():
    model = network_of_one_layer(np.ones((3, 3, 1, 1)))
    good, bad = (np.full((1, 3, 4, 4), value, np.float32) for value in (1.0, np.nan))
    with pytest.raises(ExportError, match="images holds NaN or infinity on calibration picture 1"):
        activation_ranges(model, ["images"], [{"images": good}, {"images": bad}])


def test_ranges_cover_inputs_and_inner_tensors():
    model = network_of_one_layer(2 * np.eye(3)[..., None, None])
    ramp = np.linspace(-1, 1, 48, dtype=np.float32).reshape(1, 3, 4, 4)
    ranges = activation_ranges(model, ["images", "y"], [{"images": ramp}])
    assert 0.9 <= ranges["images"] <= 1.0
    assert ranges["y"] == pytest.approx(2 * ranges["images"])


def test_a_range_cuts_off_what_is_rare_and_keeps_what_is_not(rng):
    bulk = np.abs(rng.normal(size=20_000)).astype(np.float32)
    assert best_range(bulk, 8.0) < 5.0  # the 8 was seen once, and is not even in the sample
    often = np.append(bulk, np.full(2_000, 8.0, np.float32))
    assert best_range(often, 8.0) > 7.5


def test_a_tensor_of_zeros_still_has_a_scale():
    assert best_range(np.zeros(10, np.float32), 0.0) > 0
