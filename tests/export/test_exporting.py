# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whole exports of the tiny networks: what is in the bundle, and that it is what it says."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from pamtri_edge import Reidentifier, ops, samples
from pamtri_edge.bundle import open_bundle
from pamtri_edge.export import export_bundle
from pamtri_edge.export.comparison.runs import BACKENDS
from pamtri_edge.export.onnx.rules import check
from pamtri_edge.export.options import ExportOptions, Steps
from pamtri_edge.geometry import Geometry
from pamtri_edge.models.checkpoints import save_checkpoint, weights_id
from pamtri_edge.runtime import create_backend
from remembered_exports import remembered_seeded
from tiny_networks import ORIGINAL, SMALLEST, WHOLE


@pytest.mark.usefixtures("every_engine")
@pytest.mark.parametrize(
    ("precision", "changes"),
    [("fp16", {}), ("int8", {}), ("fp32", {"model": WHOLE, **ORIGINAL})],
    ids=["fp16", "int8", "original with segments and flip test"],
)
def test_an_export_agrees_with_pytorch_and_passes_its_self_test(tiny_options, precision, changes):
    result = export_bundle(tiny_options(precision=precision, **changes))
    assert result.report.failures == ()
    assert result.manifest.flip_test == ("flip_test" in changes)
    assert check(onnx.load(result.path / "model.onnx")) == []
    for backend in BACKENDS:
        with Reidentifier.load(result.path, backend=backend) as reid:  # runs the self-test
            assert reid.embed(samples.crops(2)).embeddings.shape == (2, SMALLEST[1].embedding)
    assert not list(result.path.parent.glob(".*")), "no temporary file is left"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    options = ExportOptions(model=SMALLEST, output=folder / "tiny.pamtri", staged=True, parity_crops=6)
    steps = Steps()
    return export_bundle(options, steps=steps), steps


def test_the_manifest_says_what_the_bundle_is(exported):
    result, _ = exported
    manifest = open_bundle(result.path).manifest
    assert (manifest.name, manifest.precision, manifest.size) == ("tiny", "fp32", "custom")
    assert manifest.geometry is Geometry.UNIFIED
    assert manifest.trained is False
    assert manifest.provenance == {"weights": "drawn", "seed": 0}
    assert manifest.embedding_norm == "unit"
    assert len(manifest.colors or ()) == 10
    assert len(manifest.types or ()) == 9
    assert manifest.embedding_space == weights_id(*remembered_seeded(SMALLEST, pictures=samples.crops(16)))
    assert set(manifest.versions) >= {"pamtri-edge", "torch", "onnx", "openvino"}


def test_the_manifest_keeps_the_figures_of_the_comparison(exported):
    result, _ = exported
    parity = json.loads((result.path / "manifest.json").read_text())["parity"]
    assert parity["passed"] is True
    assert parity["drawn"] is True
    assert [run["backend"] for run in parity["judgements"]] == ["openvino", "torch"]
    assert [run["arithmetic"] for run in parity["judgements"]] == ["fp32", "fp32"]
    for run in parity["judgements"]:
        assert run["end_to_end"]["minimum"] >= 0.99999
        assert run["own_heatmaps"]["crops"] == 6
        assert run["pose"]["unchanged_distance"] < 1e-4
    assert len(parity["staged"]) == 2
    assert parity["limits"]["cosine"] == 0.99999


def test_all_files_are_there(exported):
    result, _ = exported
    names = set(open_bundle(result.path).manifest.files)
    assert names == {
        "model.onnx",
        "golden.npz",
        "staged.pose.onnx",
        "staged.reid.onnx",
        "deepstream/nvinfer.txt",
        "deepstream/labels.txt",
    }
    assert set(result.sizes) == names


def test_the_onnx_file_alone_says_where_it_belongs(exported):
    result, _ = exported
    notes = {entry.key: entry.value for entry in onnx.load(result.path / "model.onnx").metadata_props}
    assert notes["pamtri.embedding_space"] == result.manifest.embedding_space
    assert notes["pamtri.trained"] == "false"


def test_the_golden_results_are_the_files_and_near_pytorchs(exported):
    result, _ = exported
    golden = open_bundle(result.path).golden()
    assert 1 <= len(golden.inputs["images"]) <= 4
    assert set(golden.expected) == set(golden.reference) == {spec.name for spec in result.manifest.outputs}
    for name, values in golden.expected.items():
        np.testing.assert_allclose(values, golden.reference[name], atol=1e-3)


def test_the_steps_are_told_and_timed(exported):
    result, steps = exported
    assert list(steps.seconds) == list(result.seconds)
    assert "export model.onnx" in steps.seconds
    assert "compare with torch" in steps.seconds


def test_the_staged_networks_together_give_what_the_fused_one_gives(exported):
    bundle = open_bundle(exported[0].path)
    assert bundle.staged is not None
    pose, reid, fused = (create_backend(path) for path in (*bundle.staged, bundle.model))
    images = ops.resize(samples.crops(3, seed=4))
    heatmaps = pose.run({"images": images})["heatmaps"]
    keypoints = ops.decode(heatmaps)
    given = {
        "stack": ops.stack(images, heatmaps),
        "keypoint_vector": keypoints.reshape(3, -1) - np.float32(0.5),
    }
    expected = fused.run({"images": images})
    np.testing.assert_allclose(reid.run(given)["embedding"], expected["embedding"], atol=1e-4)
    np.testing.assert_allclose(keypoints, expected["keypoints"], atol=1e-4)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    pose, reid = remembered_seeded(SMALLEST, pictures=samples.crops(16))
    return save_checkpoint(pose, folder / "pose.pth"), save_checkpoint(reid, folder / "night.pth.tar")


def test_weights_from_files_make_a_bundle_named_after_them(checkpoints, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    pose, reid = checkpoints
    result = export_bundle(ExportOptions(pose=pose, reid=reid, parity_crops=4))
    assert result.path == tmp_path / "night.pamtri"
    assert result.manifest.trained is True
    assert result.manifest.provenance["pose"]["file"] == "pose.pth"
    assert len(result.manifest.provenance["reid"]["sha256"]) == 64
    assert result.manifest.provenance["reid"]["backbone"] == "densenet with blocks of 1, 1, 1, 1 layers"
