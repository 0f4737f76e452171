# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Another project's network beside our pose network: its embedding, our keypoints and quality."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from foreign_networks import DIM, tiny_network
from pamtri_edge import Reidentifier, samples
from pamtri_edge.bundle import MODEL_FILE, open_bundle
from pamtri_edge.errors import CheckpointError, ExportError
from pamtri_edge.export import ParityError, cli
from pamtri_edge.export.foreign import posed
from pamtri_edge.export.foreign.bundle import export_network, open_network
from pamtri_edge.export.foreign.specification import ForeignNetwork
from pamtri_edge.export.onnx.graph import rename
from pamtri_edge.export.options import ExportOptions
from pamtri_edge.models import TINY
from pamtri_edge.models.checkpoints import save_checkpoint
from pamtri_edge.models.stages import KeypointModule
from pamtri_edge.parity.pictures import graph_inputs
from pamtri_edge.parity.verify import check_golden
from pamtri_edge.runtime import create_backend
from remembered_exports import remembered_seeded
from tiny_networks import SMALLEST


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return the files of a pose network of the paper's four branches, and of a re-identification network."""
    folder = tmp_path_factory.mktemp("weights")
    pose, reid = remembered_seeded((TINY[0], SMALLEST[1]), pictures=samples.crops(16))
    save_checkpoint(pose, folder / "pose.safetensors")
    save_checkpoint(reid, folder / "reid.safetensors")
    return {"pose": folder / "pose.safetensors", "reid": folder / "reid.safetensors"}


@pytest.fixture
def exported(tmp_path, weights):
    """Return what exports a network beside the pose network: the result."""

    def export(model, *, precision="fp32", **options):
        onnx.save(model, tmp_path / "tiny.onnx")
        return export_network(
            ExportOptions(
                network=ForeignNetwork(path=tmp_path / "tiny.onnx"),
                pose=weights["pose"],
                output=tmp_path / "tiny.pamtri",
                precision=precision,
                parity_crops=4,
                calibration_crops=6,
                **options,
            )
        )

    return export


CLASHES = {
    "names of a bundle's outputs": {"names": ("keypoints", "quality"), "opset": 9, "batch": "N"},
    "the name of the heatmaps": {"names": ("images", "heatmaps"), "half": True},
}


@pytest.mark.parametrize("form", CLASHES.values(), ids=CLASHES)
def test_the_bundle_gives_the_embedding_of_the_one_and_the_keypoints_of_the_other(
    form, exported, weights, tmp_path
):
    crops = samples.crops(3, seed=4)
    images = graph_inputs(crops, ["images"])["images"]
    both = exported(tiny_network(**form))
    alone = open_network(ForeignNetwork(path=tmp_path / "tiny.onnx"))
    found = Reidentifier.load(both.path, device="cpu").embed(crops)
    assert np.abs(found.embeddings - alone.given.outputs(images)["embedding"]).max() < 1e-3
    assert found.keypoints.shape == (3, 36, 3)
    assert np.ptp(found.quality) > 0
    module = KeypointModule(posed.load_pose(weights["pose"]))
    with torch.no_grad():
        _, quality = module(torch.from_numpy(images))
    assert np.allclose(found.quality.ravel(), quality.numpy().ravel(), atol=1e-3)
    manifest = both.manifest
    assert manifest.embedding_space == alone.space
    assert manifest.trained
    assert manifest.variant == {**dict.fromkeys(manifest.variant, False), "pose": True}
    assert manifest.provenance["pose"]["file"] == "pose.safetensors"
    assert manifest.embedding_dim == DIM


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_a_precision_is_typed_into_both(precision, exported):
    result = exported(tiny_network(batch="N"), precision=precision)
    engine = create_backend(result.path / MODEL_FILE, backend="torch", device="cpu")
    assert engine.arithmetic.startswith(precision)
    typed = onnx.load(result.path / MODEL_FILE)
    kind = "DequantizeLinear" if precision == "int8" else "Cast"
    assert len([node for node in typed.graph.node if node.op_type == kind]) > 8
    assert result.report.judgements[0].pose is not None
    assert not check_golden(open_bundle(result.path), engine).failures


def test_wrong_decoding_is_refused_and_leaves_nothing(exported, monkeypatch, tmp_path):
    right = posed.export_graph

    def wrong(module, **rest):
        graph = right(module, **rest)
        rename(graph, "keypoints", "right")
        graph.graph.node.append(helper.make_node("Add", ["right", "cell"], ["keypoints"], name="/Add"))
        graph.graph.initializer.append(numpy_helper.from_array(np.float32([1 / 64, 0, 0]), "cell"))
        return graph

    monkeypatch.setattr(posed, "export_graph", wrong)
    with pytest.raises(ParityError, match="keypoints are decided differently though the heatmaps are clear"):
        exported(tiny_network())
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]


def test_weights_of_the_other_network_are_refused(tmp_path, weights):
    onnx.save(tiny_network(), tmp_path / "tiny.onnx")
    words = ["--network", str(tmp_path / "tiny.onnx"), "--output", str(tmp_path / "x.pamtri")]
    with pytest.raises(CheckpointError, match=r"holds no pose network. It looks like a re-identification"):
        cli.app([*words, "--pose", str(weights["reid"])], standalone_mode=False)
    with pytest.raises(CheckpointError, match=r"tiny.onnx"):
        cli.app([*words, "--pose", str(tmp_path / "tiny.onnx")], standalone_mode=False)
    with pytest.raises(CheckpointError, match=r"missing.pth"):
        cli.app([*words, "--pose", str(tmp_path / "missing.pth")], standalone_mode=False)
    assert not (tmp_path / "x.pamtri").exists()


def test_the_heatmaps_may_be_averaged_with_those_of_the_mirror_image(exported, monkeypatch):
    seen = []

    def enough(module, **_):
        seen.append(module.pose.flip_test)
        raise ExportError("enough")

    monkeypatch.setattr(posed, "export_graph", enough)
    for flip_test in (True, False):
        with pytest.raises(ExportError, match="enough"):
            exported(tiny_network(), flip_test=flip_test)
    assert seen == [True, False]
