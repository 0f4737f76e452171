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
from pamtri_edge.export.foreign.bundle import export_network, plan_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.parity.pictures import graph_inputs
from pamtri_edge.parity.verify import check_golden
from pamtri_edge.runtime import create_backend

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
    "the size and the pixels of a bundle": {"height": IMAGE_SIZE, "width": IMAGE_SIZE, "scale": 1.0},
}


@pytest.fixture
def exported(tmp_path):
    """Return what saves a network and exports it: the bundle."""

    def export(model, *, precision="fp32", name="tiny", **told):
        onnx.save(model, tmp_path / f"{name}.onnx")
        options = ExportOptions(
            network=ForeignNetwork(path=tmp_path / f"{name}.onnx", **told),
            output=tmp_path / f"{name}-{precision}.pamtri",
            precision=precision,
            parity_crops=6,
            calibration_crops=6,
        )
        return export_network(options).path

    return export


def given_embeddings(
    path, crops, *, size=(24, 16), layout="nchw", half=False, bgr=False, scale=None, batch=1
):
    """Embed crops with the file itself, prepared by hand as the README says."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rows = []
    for crop in crops:
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


def least_cosine(a, b):
    return float((np.asarray(a, np.float64) * b).sum(axis=1).min())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_bundle_gives_what_the_file_gives(form, exported, tmp_path):
    crops = samples.crops(5, seed=3)
    form = dict(form)
    scale = form.pop("scale", None)
    path = exported(tiny_network(**form), scale=scale)
    expected = given_embeddings(
        tmp_path / "tiny.onnx",
        crops,
        size=(form.get("height", 24), form.get("width", 16)),
        layout=form.get("layout", "nchw"),
        half=form.get("half", False),
        batch=form["batch"] if isinstance(form.get("batch"), int) else 1,
        scale=scale,
    )
    assert np.ptp(expected, axis=0).max() > 0.05  # they do differ
    found = Reidentifier.load(path, device="cpu").embed(crops)
    assert found.embeddings.shape == (5, DIM)
    assert least_cosine(found.embeddings, expected) > 0.99999
    assert (found.color_probs, found.type_probs, found.keypoints, found.quality) == (None,) * 4


def test_a_network_may_want_other_colors_and_pixels(exported, tmp_path):
    crops = samples.crops(5, seed=3)
    path = exported(tiny_network(), color_order="bgr", scale=1.0)
    expected = given_embeddings(tmp_path / "tiny.onnx", crops, bgr=True, scale=1.0)
    assert least_cosine(Reidentifier.load(path, device="cpu").embed(crops).embeddings, expected) > 0.99999
    rgb = given_embeddings(tmp_path / "tiny.onnx", crops, scale=1.0)
    assert least_cosine(expected, rgb) < 0.999


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_precision_is_typed_into_it(precision, exported, tmp_path):
    crops = samples.crops(5, seed=3)
    path = exported(tiny_network(batch="N"), precision=precision)
    expected = given_embeddings(tmp_path / "tiny.onnx", crops)
    with_torch = create_backend(path / MODEL_FILE, backend="torch", device="cpu")
    assert with_torch.arithmetic.startswith(precision)
    found = with_torch.run(graph_inputs(crops, ["images"]))["embedding"]
    assert least_cosine(found, expected) > (0.9999 if precision == "fp16" else 0.95)


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


def test_a_manifest_says_what_was_exported_and_how_it_sees(exported):
    manifest = open_bundle(exported(tiny_network(), color_order="bgr")).manifest
    assert [spec.name for spec in manifest.outputs] == ["embedding"]
    record = manifest.provenance["network"]
    assert record["file"] == "tiny.onnx"
    assert len(record["sha256"]) == 64
    assert (record["input_size"], record["color_order"], record["layout"]) == ([24, 16], "bgr", "nchw")
    assert record["mean"] == [0.406, 0.456, 0.485]
    assert manifest.matching is None
    assert manifest.parity["passed"]


def test_the_embedding_space_is_of_weights_and_preparation_not_of_precision(exported):
    def space(name, model, **told):
        return open_bundle(exported(model, name=name, **told)).manifest.embedding_space

    plain = space("a", tiny_network())
    assert space("b", tiny_network(), precision="fp16") == plain
    assert space("c", tiny_network(), scale=1.0) != plain
    other = tiny_network()
    other.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(
            numpy_helper.to_array(other.graph.initializer[0]) * np.float32(1.5),
            other.graph.initializer[0].name,
        )
    )
    assert space("d", other) != plain


def test_the_engines_agree_with_the_golden_crops_of_its_bundle(exported):
    bundle = open_bundle(exported(tiny_network()))
    check = check_golden(bundle, create_backend(bundle.model, backend="openvino"))
    assert not check.failures
    assert "against ONNX Runtime" in check.title


def test_weights_beside_the_file_are_taken_in(exported, tmp_path):
    model = tiny_network()
    path = tmp_path / "apart.onnx"
    onnx.save(model, path, save_as_external_data=True, location="apart.bin", size_threshold=0)
    options = ExportOptions(
        network=ForeignNetwork(path=path), output=tmp_path / "apart.pamtri", parity_crops=4
    )
    found = export_network(options).path
    together = exported(tiny_network())
    crops = samples.crops(3, seed=3)
    apart = Reidentifier.load(found, device="cpu").embed(crops).embeddings
    assert least_cosine(apart, Reidentifier.load(together, device="cpu").embed(crops).embeddings) > 0.999999
    options = ExportOptions(network=ForeignNetwork(path=path), output=tmp_path / "two.pamtri")
    before = plan_network(options)
    (tmp_path / "apart.bin").write_bytes((tmp_path / "apart.bin").read_bytes()[:-8])
    with pytest.raises(Exception, match=r"reach past the end of apart.bin"):
        plan_network(options)
    assert before.parameters > 0


def test_of_several_outputs_one_is_named(exported, tmp_path):
    path = exported(tiny_network(extra_output=True), output_name="output")
    expected = given_embeddings(tmp_path / "tiny.onnx", samples.crops(2, seed=3))
    found = Reidentifier.load(path, device="cpu").embed(samples.crops(2, seed=3)).embeddings
    assert least_cosine(found, expected) > 0.99999
    options = ForeignNetwork(path=tmp_path / "tiny.onnx", output_name="logits")
    plan = plan_network(ExportOptions(network=options, output=tmp_path / "l.pamtri"))
    assert plan.outputs[0].shape == (None, 6)


def test_an_open_size_is_fixed_to_the_one_that_is_told(exported, tmp_path):
    path = exported(tiny_network(batch="N", height="H", width="W"), input_size=(40, 24))
    crops = samples.crops(3, seed=3)
    expected = given_embeddings(tmp_path / "tiny.onnx", crops, size=(40, 24))
    assert least_cosine(Reidentifier.load(path, device="cpu").embed(crops).embeddings, expected) > 0.99999


def test_a_network_that_mixes_the_pictures_of_a_batch_is_refused(exported):
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
        exported(model)


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
