# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network that cannot become a bundle is refused: a sentence that says why, and nothing is left."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from foreign_networks import tiny_network
from pamtri_edge.errors import ExportError, InputError, PamtriError
from pamtri_edge.export import cli
from pamtri_edge.export.foreign.bundle import export_network
from pamtri_edge.export.foreign.specification import (
    ForeignNetwork,
    parse_scale,
    parse_size,
    parse_three,
)
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.geometry import Geometry


@pytest.fixture
def refused(tmp_path):
    """Return what exports a network that must be refused, and gives the sentence."""

    def export(model, expected=PamtriError, **told):
        path = model if isinstance(model, Path) else tmp_path / "network.onnx"
        if isinstance(model, onnx.ModelProto):
            path.write_bytes(model.SerializeToString())
        elif isinstance(model, bytes):
            path.write_bytes(model)
        before = sorted(tmp_path.iterdir())
        options = ExportOptions(
            network=ForeignNetwork(path=path, **told), output=tmp_path / "x.pamtri", parity_crops=2
        )
        with pytest.raises(expected) as caught:
            export_network(options)
        assert sorted(tmp_path.iterdir()) == before
        return str(caught.value)

    return export


def quantized():
    model = tiny_network(ending="map", opset=18)
    model.graph.node[-1].output[0] = "e2"
    model.graph.node[-1].input[0] = "e"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(1), "one"))
    model.graph.node.append(helper.make_node("QuantizeLinear", ["e2", "one"], ["whole"]))
    model.graph.node.append(helper.make_node("Cast", ["whole"], ["wide"], to=TensorProto.FLOAT))
    model.graph.node.append(helper.make_node("GlobalAveragePool", ["wide"], ["output"]))
    return model


def changed(model, name, change):
    """Return a network with one of its weights changed."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor).copy()), name))
    return model


def with_nan(weights):
    weights.flat[3] = np.nan
    return weights


def test_an_open_height_needs_a_size(refused):
    text = refused(tiny_network(height="rows"))
    assert "input 'input' (1, 3, rows, 16) has an open height" in text
    assert "--input-size 256x128" in text


def test_a_size_that_contradicts_the_file(refused):
    assert "has height 24, --input-size says 32" in refused(tiny_network(), input_size=(32, 16))


@pytest.mark.parametrize(
    ("model", "told", "reason"),
    [
        (tiny_network(channels=1), {}, "takes no pictures in color"),
        (tiny_network(channels=4), {}, "takes no pictures in color"),
        (tiny_network(channels=4), {"layout": "nchw"}, "has 4 where layout nchw has its three colors"),
        (tiny_network(), {"layout": "nhwc"}, "has 16 where layout nhwc has its three colors"),
        (tiny_network(extra_output=True), {}, "gives 2 outputs: output (1, 8); logits (1, 6, 1, 1)"),
        (tiny_network(), {"output_name": "fc"}, "has no output 'fc'; it gives output (1, 8)"),
        (tiny_network(ending="map"), {}, "is float32 of shape (1, 8, 12, 8) for 1 picture"),
        (tiny_network(height=4), {}, "has height 4; expected pictures of 8 to 2048 pixels"),
        (changed(tiny_network(), "second", with_nan), {}, "1 of the 432 weights in 'second' are NaN"),
        (changed(tiny_network(half=True), "shift", with_nan), {}, "1 of the 8 weights in 'shift' are NaN"),
        (changed(tiny_network(), "scale", lambda w: w * 0), {}, "embedding of length 0"),
        (changed(tiny_network(), "scale", lambda w: w * 0), {}, "the same embedding for all"),
        (b"\x89PNG and so on", {}, "is not an ONNX network"),
        (b"", {}, "is not an ONNX network: it is damaged"),
        (b"<!DOCTYPE html>", {}, "it is a web page. Download the file itself"),
        (b'\x10\0\0\0\0\0\0\0{"weight":{}}', {}, "it is weights as safetensors. Export it to ONNX first"),
        (quantized(), {}, "is quantized (QuantizeLinear)"),
        (tiny_network().SerializeToString()[:700], {}, "is not an ONNX network"),
        (Path("nowhere.onnx"), {}, "nowhere.onnx is missing. Give --network a file"),
        (Path(os.devnull), {}, "is a device"),
        (Path("/"), {}, "is a folder"),
    ],
)
def test_a_network_that_is_not_one_picture_to_one_embedding(model, told, reason, refused):
    if reason == "embedding of length 0":
        changed(model, "shift", lambda w: w * 0)
    assert reason in refused(model, **told)


def test_a_named_pipe_blocks_nothing(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    assert "is a pipe" in refused(tmp_path / "pipe.onnx")


def small(nodes, taken, given, initializers=(), kind=TensorProto.FLOAT, domain=""):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in taken.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in given.items()],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 18)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


PICTURE = [1, 3, 24, 16]
END = helper.make_node("Flatten", ["d"], ["y"])
ON = numpy_helper.from_array(np.array(True), "on")
FLAT = [helper.make_node("Flatten", ["x"], ["y"])]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (small(FLAT, {"x": [1, 1152]}, {"y": [1, 1152]}), "is no batch of pictures"),
        (small(FLAT, {"x": [1, 3, 2, 24, 16]}, {"y": None}), "is no batch of pictures"),
        (small(FLAT, {"x": None}, {"y": None}), "of no stated shape is no batch of pictures"),
        (small(FLAT, {"x": PICTURE, "z": [1]}, {"y": [1, 1152]}), "takes x (1, 3, 24, 16); z (1)"),
        (
            small(
                [helper.make_node("Cast", ["x"], ["f"], to=1), helper.make_node("Flatten", ["f"], ["y"])],
                {"x": PICTURE},
                {"y": [1, 1152]},
                kind=TensorProto.INT32,
            ),
            "is of type INT32; expected pictures as FLOAT, FLOAT16, DOUBLE or UINT8",
        ),
        (
            small(
                [helper.make_node("Gelu", ["x"], ["g"], domain="my.ops"), FLAT[0]],
                {"x": PICTURE},
                {"y": [1, 1152]},
                domain="my.ops",
            ),
            "operators that are not ONNX's own (my.ops::Gelu)",
        ),
        (
            small(
                [
                    helper.make_node("Flatten", ["x"], ["f"]),
                    helper.make_node("ReduceMean", ["f"], ["y"], keepdims=1),
                ],
                {"x": PICTURE},
                {"y": [1, 1]},
            ),
            "has 1 number a picture",
        ),
        (
            small(
                [helper.make_node("Det", ["x"], ["d"]), helper.make_node("Flatten", ["d"], ["y"])],
                {"x": ["N", 3, 16, 16]},
                {"y": ["N", 3]},
            ),
            "operator Det is not on the list",
        ),
        (
            small(
                [helper.make_node("Dropout", ["x", "", "on"], ["d"]), END],
                {"x": PICTURE},
                {"y": [1, 1152]},
                [ON],
            ),
            "was exported in training mode (Dropout 'd')",
        ),
        (
            small([helper.make_node("Conv", ["x", "w"], ["y"])], {"x": PICTURE}, {"y": None}),
            "is refused by ONNX Runtime",
        ),
    ],
)
def test_a_graph_that_no_bundle_can_be_made_of(model, reason, refused):
    assert reason in refused(model)


@pytest.mark.parametrize("place", ["../weights.bin", "/etc/hostname", "link.bin"])
def test_weights_outside_the_folder_of_the_file_are_not_read(place, refused, tmp_path):
    (tmp_path.parent / "weights.bin").write_bytes(bytes(648))
    (tmp_path / "link.bin").symlink_to(tmp_path.parent / "weights.bin")
    model = tiny_network()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    assert "outside its own folder" in refused(model)


def test_missing_weights_beside_the_file(refused):
    model = tiny_network()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    assert "weights.bin is missing. It holds weights of" in refused(model)


def test_a_place_that_is_taken(tmp_path):
    onnx.save(tiny_network(), tmp_path / "network.onnx")
    options = ExportOptions(
        network=ForeignNetwork(path=tmp_path / "network.onnx"), output=tmp_path / "x.pamtri", parity_crops=2
    )
    (tmp_path / "x.pamtri").mkdir()
    with pytest.raises(ExportError, match=r"x\.pamtri exists"):
        export_network(options)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            {"mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)},
            "For a mean of 0 to 255 give --input-scale 1",
        ),
        ({"mean": (0.5, 0.5, 0.5)}, "a mean is given without a std"),
        ({"std": (0.5, 0.5, 0.5)}, "a std is given without a mean"),
        ({"scale": 1.0, "std": (0.0, 1.0, 1.0)}, "the std is 0,1,1; expected numbers above 0"),
        ({"scale": 0.0}, "the input scale is 0.0"),
        ({"scale": float("nan")}, "the input scale is nan"),
        ({"input_size": (4, 128)}, "the input size is 4x128"),
        ({"color_order": "gbr"}, "color_order"),
        ({"layout": "chw"}, "layout"),
    ],
)
def test_what_is_told_of_a_network_must_be_possible(told, reason):
    with pytest.raises(InputError, match=reason):
        ForeignNetwork(path=Path("x.onnx"), **told)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_size, "256"),
        (parse_size, "256*128"),
        (lambda text: parse_three(text, "mean"), "1,2"),
        (lambda text: parse_three(text, "mean"), "a,b,c"),
        (lambda text: parse_three(text, "std"), "1,nan,1"),
        (parse_scale, "one"),
        (parse_scale, "1/0"),
    ],
)
def test_options_that_are_no_numbers(parse, text):
    with pytest.raises(InputError, match="expected"):
        parse(text)


def test_options_are_read_as_they_are_typed():
    assert parse_size("256x128") == (256, 128)
    assert parse_three("0.5", "mean") == (0.5, 0.5, 0.5)
    assert parse_three("1,2,3", "std") == (1.0, 2.0, 3.0)
    assert parse_scale("1/255") == pytest.approx(1 / 255)
    assert (parse_size(None), parse_three(None, "mean"), parse_scale(None)) == (None, None, None)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"model": "lite"}, "--model is of"),
        ({"pose": Path("p.pth"), "reid": Path("r.pth")}, "--reid is of"),
        ({"flip_test": True}, "--flip-test is of"),
        ({"geometry": Geometry.ORIGINAL}, "--geometry original is of"),
        ({"staged": True, "colors": ("red",)}, "--colors and --staged are of"),
        ({"engine": True}, "the engine is built when the bundle is first loaded on a GPU"),
    ],
)
def test_what_belongs_to_our_own_networks_is_refused_beside_it(other, named):
    with pytest.raises(InputError, match=named):
        ExportOptions(network=ForeignNetwork(path=Path("x.onnx")), **other)


def test_options_that_tell_of_a_network_need_one():
    with pytest.raises(InputError, match=r"--mean and --std tell of a --network; none is given"):
        cli.app(["--model", "lite", "--mean", "0", "--std", "1"], standalone_mode=False)


def test_a_newer_opset_than_is_known_here_is_said(refused):
    model = tiny_network()
    model.opset_import[0].version = 99
    assert "is written in opset 99 of ONNX; opsets up to" in refused(model, InputError)
