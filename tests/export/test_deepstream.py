# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The generated nvinfer configuration: only keys that exist, each once, with the values the graph needs."""

from __future__ import annotations

import configparser
import dataclasses

import pytest

from pamtri_edge.bundle import open_bundle
from pamtri_edge.export import deepstream
from pamtri_edge.geometry import Geometry
from pamtri_edge.lint.nvinfer_keys import PROPERTY_KEYS
from pamtri_edge.manifest import TensorSpec


@pytest.fixture(scope="module")
def manifest(tiny_bundle):
    return open_bundle(tiny_bundle).manifest


def properties(manifest):
    parser = configparser.ConfigParser(strict=True)  # strict: a key twice is an error
    parser.read_string(deepstream.files(manifest)[deepstream.CONFIG])
    assert parser.sections() == ["property"]
    return dict(parser["property"])


def test_only_keys_of_nvinfer_are_written_each_once(manifest):
    assert properties(manifest).keys() <= PROPERTY_KEYS.keys()  # it ignores a misspelled one


def test_the_graph_is_fed_as_it_was_compared(manifest):
    found = properties(manifest)
    assert found["infer-dims"] == "3;256;256"
    assert found["net-scale-factor"] == "1"
    assert found["model-color-format"] == "0", "RGB"
    assert found["maintain-aspect-ratio"] == "0", "stretched"


def test_it_is_a_secondary_classifier_whose_tensors_are_handed_on(manifest):
    found = properties(manifest)
    assert (found["process-mode"], found["network-type"]) == ("2", "1")
    assert found["output-tensor-meta"] == "1"
    assert found["classifier-async-mode"] == "0", "tensor meta is not attached otherwise"


def test_paths_lead_to_the_files_of_the_bundle(manifest, tiny_bundle):
    found = properties(manifest)
    folder = tiny_bundle / deepstream.FOLDER
    assert (folder / found["onnx-file"]).resolve() == (tiny_bundle / "model.onnx").resolve()
    assert (folder / found["labelfile-path"]).is_file()
    assert (folder / found["model-engine-file"]).resolve().parent == (tiny_bundle / "engines").resolve()


@pytest.mark.parametrize(("precision", "mode"), [("fp32", "0"), ("fp16", "2"), ("int8", "1")])
def test_the_precision_is_named(manifest, precision, mode):
    typed = dataclasses.replace(manifest, precision=precision)
    assert properties(typed)["network-mode"] == mode
    text = deepstream.files(typed)[deepstream.CONFIG]
    assert "--stronglyTyped" in text
    assert ("--noTF32" in text) == (precision == "fp32")
    assert "--fp16 " not in text.replace("no --fp16 or", "")


def test_the_engine_allows_the_batch(manifest):
    text = deepstream.files(manifest)[deepstream.CONFIG]
    assert f"--maxShapes=images:{properties(manifest)['batch-size']}x3x256x256" in text


def test_labels_are_a_line_for_colors_and_one_for_types(manifest):
    lines = deepstream.files(manifest)[deepstream.LABELS].splitlines()
    assert [line.split(";") for line in lines] == [list(manifest.colors), list(manifest.types)]


def test_a_network_without_attributes_has_no_labels(manifest):
    bare = dataclasses.replace(manifest, colors=None, types=None, outputs=manifest.outputs[:1])
    assert set(deepstream.files(bare)) == {deepstream.CONFIG}
    assert "labelfile-path" not in properties(bare)
    assert "tells neither color nor type" in deepstream.files(bare)[deepstream.CONFIG]


def test_the_original_geometry_has_a_note_instead(manifest):
    inputs = (
        *manifest.inputs,
        TensorSpec("pose_images", manifest.inputs[0].shape),
        TensorSpec("crop_size", (None, 2)),
    )
    original = dataclasses.replace(manifest, geometry=Geometry.ORIGINAL, inputs=inputs)
    files = deepstream.files(original)
    assert set(files) == {deepstream.NOTE}
    assert "stock nvinfer gives a network one picture" in files[deepstream.NOTE]


def test_lines_fit_a_terminal(manifest):
    for text in deepstream.files(manifest).values():
        assert max(map(len, text.splitlines())) <= 120
