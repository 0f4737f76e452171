# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A network of another project becomes a bundle that gives what its file gives."""

from __future__ import annotations

import json

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from foreign_networks import DIM, tiny_network
from pamtri_edge import Reidentifier, samples
from pamtri_edge.bundle import MODEL_FILE, open_bundle
from pamtri_edge.errors import ExportError
from pamtri_edge.export import ParityError, cli
from pamtri_edge.export.foreign import bundle as foreign_bundle
from pamtri_edge.export.foreign.bundle import export_network, open_network, plan_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.parity.pictures import graph_inputs
from pamtri_edge.parity.verify import check_golden
from pamtri_edge.runtime import create_backend

CROPS = samples.crops(5, seed=3)

FORMS = {
    "fixed batch": {"batch": 1},
    "a batch of four, stated inside too": {"batch": 4, "ending": "reshape"},
    "a batch of one, stated inside too": {"batch": 1, "ending": "reshape"},
    "dynamic batch": {"batch": "N"},
    "NHWC": {"batch": "N", "layout": "nhwc"},
    "NHWC, fixed batch": {"layout": "nhwc"},
    "(N, D, 1, 1)": {"ending": "square"},
    "float16": {"half": True},
    "opset 9": {"opset": 9, "batch": "N"},
    "opset 21": {"opset": 21, "batch": "N"},
    "the names of a bundle": {"names": ("images", "embedding")},
    "an open size": {"batch": "N", "height": "H", "width": "W"},
    "another output": {"extra_output": True},
    "other colors and pixels": {},
}
TOLD = {
    "an open size": {"input_size": (40, 24)},
    "another output": {"output_name": "output"},
    "other colors and pixels": {"color_order": "bgr", "scale": 1.0},
}


@pytest.fixture
def saved(tmp_path):
    """Return what saves a network, and what is told of it."""

    def save(model, *, name="tiny", **told):
        onnx.save(model, tmp_path / f"{name}.onnx")
        return ForeignNetwork(path=tmp_path / f"{name}.onnx", **told)

    return save


@pytest.fixture
def exported(tmp_path, saved):
    """Return what saves a network and exports it: the bundle."""

    def export(model, *, precision="fp32", **told):
        options = ExportOptions(
            network=saved(model, **told),
            output=tmp_path / "tiny.pamtri",
            precision=precision,
            parity_crops=6,
            calibration_crops=6,
        )
        return export_network(options).path

    return export


def given_embeddings(network, *, size=(24, 16), layout="nchw", half=False, bgr=False, scale=None, batch=1):
    """Embed the crops with the file itself, prepared by hand as the README says."""
    session = onnxruntime.InferenceSession(str(network.path), providers=["CPUExecutionProvider"])
    rows = []
    for crop in CROPS:
        square = cv2.resize(crop, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR)
        pixels = cv2.resize(square.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
        pixels = pixels[:, :, ::-1] if bgr else pixels
        if scale is None:
            pixels = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        else:
            pixels = pixels * scale
        laid = pixels.transpose(2, 0, 1) if layout == "nchw" else pixels
        taken = np.repeat(laid[None].astype(np.float16 if half else np.float32), batch, axis=0)
        rows.append(session.run(None, {session.get_inputs()[0].name: taken})[0][0].ravel())
    found = np.array(rows, np.float64)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def graph_embeddings(network):
    """Embed the crops with the graph that goes into a bundle."""
    graph = open_network(network).graph.SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, graph_inputs(CROPS, ["images"]))
    assert found.shape == (len(CROPS), DIM)
    return found


def least_cosine(a, b):
    return float((np.asarray(a, np.float64) * b).sum(axis=1).min())


@pytest.mark.parametrize("form", FORMS)
def test_the_graph_of_a_bundle_gives_what_the_file_gives(form, saved):
    shape, told = FORMS[form], TOLD.get(form, {})
    network = saved(tiny_network(**shape), **told)
    expected = given_embeddings(
        network,
        size=told.get("input_size", (24, 16)),
        layout=shape.get("layout", "nchw"),
        half=shape.get("half", False),
        bgr=told.get("color_order") == "bgr",
        scale=told.get("scale"),
        batch=shape["batch"] if isinstance(shape.get("batch"), int) else 1,
    )
    assert np.ptp(expected, axis=0).max() > 0.05  # they do differ
    assert least_cosine(graph_embeddings(network), expected) > 0.99999


BUNDLES = {
    "nothing before the network": ({"height": IMAGE_SIZE, "width": IMAGE_SIZE}, {"scale": 1.0}),
    "float16": ({"half": True}, {}),
}


@pytest.mark.parametrize("form", BUNDLES)
def test_a_bundle_gives_what_the_file_gives(form, exported, saved):
    """The engines name and compute it as it is, and there is nothing that a foreign network cannot tell."""
    shape, told = BUNDLES[form]
    model = tiny_network(**shape)
    size = (shape.get("height", 24), shape.get("width", 16))
    expected = given_embeddings(saved(model), size=size, half=shape.get("half", False), **told)
    found = Reidentifier.load(exported(model, **told), device="cpu").embed(CROPS)
    assert least_cosine(found.embeddings, expected) > 0.99999
    assert (found.color_probs, found.type_probs, found.keypoints, found.quality) == (None,) * 4


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_precision_is_typed_into_it_and_leaves_the_space_as_it_is(precision, exported, saved):
    model = tiny_network(batch="N")
    path = exported(model, precision=precision)
    network = saved(model)
    with_torch = create_backend(path / MODEL_FILE, backend="torch", device="cpu")
    assert with_torch.arithmetic.startswith(precision)
    found = with_torch.run(graph_inputs(CROPS, ["images"]))["embedding"]
    least = 0.9999 if precision == "fp16" else 0.95
    assert least_cosine(found, given_embeddings(network)) > least
    assert open_bundle(path).manifest.embedding_space == open_network(network).space


def test_a_wrong_graph_is_refused_and_leaves_nothing(exported, monkeypatch, tmp_path):
    right = foreign_bundle.fused

    def wrong(network, form, told, **rest):
        bgr = ForeignNetwork(path=told.path, color_order="bgr")
        return right(network, form, bgr, **rest)

    monkeypatch.setattr(foreign_bundle, "fused", wrong)
    monkeypatch.setattr(foreign_bundle, "check_batches", lambda *given: None)
    with pytest.raises(ParityError, match=r"end to end, the least cosine is"):
        exported(tiny_network())
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


def test_a_manifest_says_what_was_exported_and_the_engines_agree_with_its_golden_crops(exported):
    bundle = open_bundle(exported(tiny_network(), color_order="bgr"))
    manifest = bundle.manifest
    assert [spec.name for spec in manifest.outputs] == ["embedding"]
    record = manifest.provenance["network"]
    assert record["file"] == "tiny.onnx"
    assert len(record["sha256"]) == 64
    assert (record["input_size"], record["color_order"], record["layout"]) == ([24, 16], "bgr", "nchw")
    assert record["mean"] == [0.406, 0.456, 0.485]
    assert manifest.matching is None
    assert manifest.parity["passed"]
    check = check_golden(bundle, create_backend(bundle.model, backend="openvino"))
    assert not check.failures
    assert "against ONNX Runtime" in check.title


def test_the_embedding_space_is_of_weights_and_preparation(saved):
    plain = open_network(saved(tiny_network())).space
    assert open_network(saved(tiny_network(), name="another")).space == plain
    assert open_network(saved(tiny_network(), scale=1.0)).space != plain
    other = tiny_network()
    weight = other.graph.initializer[0]
    changed = numpy_helper.to_array(weight) * np.float32(1.5)
    weight.CopyFrom(numpy_helper.from_array(changed, weight.name))
    assert open_network(saved(other)).space != plain


def test_weights_beside_the_file_are_taken_in(saved, tmp_path):
    together, path = saved(tiny_network()), tmp_path / "apart.onnx"
    onnx.save(tiny_network(), path, save_as_external_data=True, location="apart.bin", size_threshold=0)
    apart = ForeignNetwork(path=path)
    assert least_cosine(graph_embeddings(apart), graph_embeddings(together)) > 0.999999
    (tmp_path / "apart.bin").write_bytes((tmp_path / "apart.bin").read_bytes()[:-8])
    with pytest.raises(Exception, match=r"reach past the end of apart.bin"):
        open_network(apart)


def test_a_plan_has_the_output_that_was_named(saved, tmp_path):
    network = saved(tiny_network(extra_output=True), output_name="logits")
    plan = plan_network(ExportOptions(network=network, output=tmp_path / "l.pamtri"))
    assert plan.outputs[0].shape == (None, 6)
    assert plan.parameters > 0


def test_a_network_that_mixes_the_pictures_of_a_batch_is_refused(saved):
    model = tiny_network(batch=1)
    # the feature minus a little of its mean over the batch
    model.graph.node[-1].output[0] = "own"
    model.graph.node.extend(
        [
            onnx.helper.make_node("ReduceMean", ["own"], ["mean"], axes=[0], keepdims=1),
            onnx.helper.make_node("Mul", ["mean", "part"], ["half"]),
            onnx.helper.make_node("Sub", ["own", "half"], ["output"]),
        ]
    )
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.1), "part"))
    model.opset_import[0].version = 17
    with pytest.raises(ExportError, match=r"pictures of a batch are mixed inside"):
        open_network(saved(model))


def test_the_command_exports_a_network_and_shows_how_it_sees(tmp_path, capsys):
    onnx.save(tiny_network(batch="N"), tmp_path / "tiny.onnx")
    output = tmp_path / "tiny.pamtri"
    words = ["--network", str(tmp_path / "tiny.onnx"), "--input-scale", "1", "--parity-crops", "4"]
    cli.app([*words, "--dry-run", "--output", str(output)], standalone_mode=False)
    assert not output.exists()
    cli.app([*words, "--output", str(output)], standalone_mode=False)
    text = " ".join(capsys.readouterr().out.split())
    assert "then to 24x16, RGB, NCHW, as (pixel x 1 - 0,0,0) / 1,1,1" in text
    assert "against ONNX Runtime fp32" in text
    assert json.loads((output / "manifest.json").read_text())["provenance"]["network"]["input_scale"] == 1.0
