# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri detector describe`: what pipelines read of a detector's network."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pamtri_edge import _core
from pamtri_edge.cli import app
from pamtri_edge.errors import InputError
from pamtri_edge.video.detect.description import describe

pytest.importorskip("onnx", reason="the networks of these tests are made with onnx")
import tiny_detectors as tiny


def command(*arguments: object) -> None:
    CliRunner().invoke(app, ["detector", "describe", *map(str, arguments)], catch_exceptions=False)


def make_network(folder: Path) -> Path:
    net, outputs = tiny.yolov8(3)
    names = str({0: "person", 1: "van", 2: "Truck"})
    return net.save(folder / "net.onnx", outputs, metadata={"names": names})


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return make_network(tmp_path)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> str:
    return json.dumps(describe(make_network(tmp_path_factory.mktemp("network")))[0])


def test_it_says_how_the_network_is_fed_and_read(network: Path) -> None:
    command(network)
    found = json.loads(network.with_suffix(".detector.json").read_text())
    assert found["model"]["file"] == "net.onnx"
    assert found["model"]["sha256"] == hashlib.sha256(network.read_bytes()).hexdigest()
    assert found["picture"]["size"] == [96, 96]
    assert (found["picture"]["divisor"], found["picture"]["fit"]) == (255.0, "center")
    assert (found["decoder"]["kind"], found["decoder"]["form"]) == ("dense", "centers")
    assert found["classes"]["names"] == {"0": "person", "1": "van", "2": "Truck"}
    assert found["classes"]["vehicles"] == [1, 2]


def test_names_of_other_classes_are_left_out_with_the_reason(tmp_path: Path) -> None:
    net, outputs = tiny.yolov8(4)
    names = str({0: "car", 1: "bus"})
    path = net.save(tmp_path / "net.onnx", outputs, metadata={"names": names})
    classes = describe(path)[0]["classes"]
    assert (classes["names"], classes["vehicles"], classes["all"]) == ({}, None, 4)
    assert "4 classes by its outputs, but its metadata names 2" in classes["refusal"]


def test_a_description_that_is_there_is_kept(network: Path) -> None:
    network.with_suffix(".detector.json").write_text("mine")
    with pytest.raises(InputError, match=r"exists; give another name, or --overwrite"):
        command(network)
    assert network.with_suffix(".detector.json").read_text() == "mine"
    command(network, "--overwrite")
    assert "pamtri-detector" in network.with_suffix(".detector.json").read_text()


def test_the_network_and_another_folder_are_refused_as_its_place(network: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the input"):
        command(network, "--output", network, "--overwrite")
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="must lie beside its description"):
        command(network, "--output", tmp_path / "other" / "net.detector.json")


def test_what_is_no_detector_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    for name, message in (("junk", "cannot be loaded"), ("absent", "there is no detector")):
        with pytest.raises(InputError, match=message):
            command(tmp_path / f"{name}.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["junk.onnx"]


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), "pamtri-bundle", r'format is "pamtri-bundle"; expected one of pamtri-detector'),
        (("schema",), 2, r"schema is 2; expected 1, of this release"),
        (("model", "file"), "../net.onnx", r"model\.file is .*a name, of a file beside"),
        (("model", "sha256"), "abc", r"model\.sha256 is .*64 hexadecimal digits"),
        (("picture", "size"), [64, 64], r"picture\.shape is .*pictures of 64x64 with three channels"),
        (("picture", "channels_last"), True, r"picture\.shape is"),
        (("picture", "type"), "f64", r"picture\.type is .*f32, f16, u8"),
        (("picture", "divisor"), 0, r"picture\.divisor is 0; expected a number from 1e-06"),
        (("picture", "deviation"), [1, 1], r"picture\.deviation is \[1, 1\]; expected a list of 3 numbers"),
        (("picture", "fit"), "crop", r"picture\.fit is"),
        (("sizes",), {"input": 0, "shape": [1, 2], "type": "i64"}, "sizes and picture are of the same input"),
        (("sizes",), {"input": 1, "shape": [1, 3], "type": "i64"}, r"sizes\.shape is .*pairs of numbers"),
        (("decoder", "objectness"), "no", r"decoder\.objectness is"),
        (("classes", "names"), {"first": "car"}, r"classes\.names\.first is"),
        (("classes", "names"), {"0": 7}, r"classes\.names\.0 is 7; expected a text"),
        (("classes", "vehicles"), [], r"classes\.vehicles is \[\]"),
        (("classes", "vehicles"), None, r"classes\.refusal is null; expected a text"),
        (("extra",), 1, r"a field extra, which is not known here"),
    ],
)  # fmt: skip
def test_a_description_that_was_changed_is_refused_with_its_field(
    described: str, place: tuple[str, ...], value: object, message: str
) -> None:
    _core.check_detector_plan(described)
    inner = description = json.loads(described)
    for field in place[:-1]:
        inner = inner[field]
    inner[place[-1]] = value
    with pytest.raises(InputError, match=message):
        _core.check_detector_plan(json.dumps(description))
