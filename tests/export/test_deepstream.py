# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The generated nvinfer configuration: keys that exist, each once, with the values the graph needs."""

from __future__ import annotations

import configparser
import dataclasses

import pytest

from pamtri_edge.bundle import open_bundle
from pamtri_edge.export import deepstream
from pamtri_edge.geometry import Geometry
from pamtri_edge.lint import Options, lint_files
from pamtri_edge.manifest import TensorSpec


@pytest.fixture(scope="module")
def manifest(tiny_bundle):
    return open_bundle(tiny_bundle).manifest


def properties(manifest):
    parser = configparser.ConfigParser(strict=True)  # strict: a key twice is an error
    parser.read_string(deepstream.files(manifest)[deepstream.CONFIG])
    assert parser.sections() == ["property"]
    return dict(parser["property"])


def test_lint_finds_nothing_in_that_of_a_bundle_and_its_engine_lies_in_it(manifest, tiny_bundle):
    """So it feeds the graph as it was compared, hands its tensors on, and names files that are there."""
    folder = tiny_bundle / deepstream.FOLDER
    report = lint_files([folder / deepstream.CONFIG], Options())
    assert (report.findings, report.unreadable) == ([], {})
    found = properties(manifest)
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
