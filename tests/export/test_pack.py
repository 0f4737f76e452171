# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri-export --deepstream DIR`: a folder with which stock DeepStream runs a bundle."""

import configparser
import dataclasses
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from in_process import run_in_process
from pamtri_edge.bundle import SHIPPED_BUNDLE, Bundle, open_bundle
from pamtri_edge.errors import ExportError, InputError
from pamtri_edge.export import cli
from pamtri_edge.export.pack.sources import SAMPLE, sources
from pamtri_edge.export.pack.writing import pack_files, write_pack
from pamtri_edge.geometry import Geometry
from pamtri_edge.lint import Options, lint_files
from pamtri_edge.manifest import TensorSpec

EXAMINED = ("nvinfer.txt", "deepstream-app.txt", "deepstream-test5.txt", "service-maker.yaml")
FILES = (*EXAMINED, "labels.txt", "msgconv.txt", "postprocess.txt", "README.md")
CAMERAS = ("rtsp://user:secret@camera-1/stream", "rtsps://camera-2/a", "file:///opt/nvidia/deepstream/a.mp4")


@pytest.fixture(scope="module")
def shipped():
    return open_bundle(SHIPPED_BUNDLE)


@pytest.fixture
def pack(shipped, tmp_path):
    return write_pack(shipped, tmp_path / "pack", sources(CAMERAS))


def export(*arguments):
    return run_in_process(cli.app, *arguments, columns=300)


def parsed(path):
    parser = configparser.ConfigParser(strict=True, comment_prefixes=("#",), interpolation=None)
    parser.read_string(path.read_text())
    return parser


def test_lint_finds_nothing_in_a_pack(pack):
    report = lint_files([pack / name for name in EXAMINED], Options())
    assert not report.unreadable
    assert not report.findings
    assert {path.name for path in report.examined} >= set(EXAMINED)


def test_lint_finds_what_is_then_broken_in_it(pack):
    text = (pack / "nvinfer.txt").read_text()
    (pack / "nvinfer.txt").write_text(text.replace("model-color-format=0", "model-color-format=1"))
    for name in EXAMINED:
        report = lint_files([pack / name], Options())
        assert [one.rule for one in report.findings] == ["color-format"], name


def test_a_pack_holds_the_bundle_whole_and_every_file(pack, shipped):
    copy = open_bundle(pack / "pamtri-lite.pamtri")
    assert copy.manifest == shipped.manifest
    assert {path.name for path in pack.iterdir()} == {*FILES, "plugin", "pamtri-lite.pamtri"}


@pytest.mark.parametrize("name", ["deepstream-app.txt", "deepstream-test5.txt"])
def test_every_source_has_its_group_and_its_place_in_the_batch(pack, name):
    config = parsed(pack / name)
    assert [config[f"source{n}"]["uri"] for n in range(3)] == list(CAMERAS)
    assert [config[f"source{n}"]["type"] for n in range(3)] == ["4", "4", "2"]
    assert config["streammux"]["batch-size"] == config["primary-gie"]["batch-size"] == "3"
    assert config["streammux"]["live-source"] == "1"
    assert int(config["tiled-display"]["rows"]) * int(config["tiled-display"]["columns"]) >= 3
    assert config["secondary-gie0"]["operate-on-gie-id"] == config["primary-gie"]["gie-unique-id"]
    assert config["tracker"]["enable"] == "1"


def test_only_test5_sends_to_a_broker(pack):
    kinds = {
        name: [group["type"] for title, group in parsed(pack / name).items() if title.startswith("sink")]
        for name in ("deepstream-app.txt", "deepstream-test5.txt")
    }
    assert kinds == {"deepstream-app.txt": ["2"], "deepstream-test5.txt": ["2", "6"]}
    assert (pack / parsed(pack / "deepstream-test5.txt")["sink1"]["msg-conv-config"]).is_file()
    assert parsed(pack / "msgconv.txt").sections() == ["sensor0", "sensor1", "sensor2"]


def test_the_pipeline_joins_every_node(pack):
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load((pack / "service-maker.yaml").read_text())["deepstream"]
    names = {node["name"] for node in content["nodes"]}
    assert set(content["edges"]) | set(content["edges"].values()) == names
    assert [node["properties"]["uri"] for node in content["nodes"][:3]] == list(CAMERAS)


def test_the_configurations_name_libraries_that_the_pack_makes(pack):
    config = parsed(pack / "nvinfer.txt")["property"]
    makefile = (pack / "plugin" / "Makefile").read_text().split()
    parser = (pack / "plugin" / "parse.cpp").read_text()
    assert config["custom-lib-path"].removeprefix("plugin/") in makefile
    assert f" {config['parse-classifier-func-name']}(" in parser
    pipeline = (pack / "service-maker.yaml").read_text()
    assert 'postprocesslib-name: "plugin/libnvds_pamtri_postprocess.so"' in pipeline
    assert "libnvds_pamtri_postprocess.so" in makefile
    assert not any(path.is_symlink() for path in pack.rglob("*"))


def test_without_deepstream_the_makefile_says_what_is_missing(pack, tmp_path):
    command = ["make", "-C", str(pack / "plugin"), f"DEEPSTREAM={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert (
        f"there is no nvdsinfer.h of DeepStream in {tmp_path}: build on a device that has it" in done.stderr
    )


def test_lint_tells_a_library_that_nothing_makes(pack):
    (pack / "plugin" / "Makefile").unlink()
    rules = {one.rule for one in lint_files([pack / "nvinfer.txt"], Options()).findings}
    assert rules == {"missing-file"}


def test_a_pack_has_all_that_its_makefile_compiles(pack):
    """The same sources are compiled with this Makefile in tests/deepstream."""
    if not shutil.which("make"):
        pytest.skip("there is no make")
    tests = Path(__file__).parents[1]
    headers = (pack / "plugin", tests / "deepstream" / "fake_nvds", tests / "pipelines" / "fake_cuda")
    command = ["make", "-n", "-C", str(headers[0]), f"NVDS_INCLUDES={headers[1]}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    included = {
        name
        for path in headers[0].glob("*.[ch]*")
        for name in re.findall(r'^#include "(.+)"', path.read_text(), re.MULTILINE)
    }
    assert included
    assert not [name for name in included if not any((place / name).is_file() for place in headers)]


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        ("touch libnvdsinfer_pamtri.so libnvds_pamtri_postprocess.so parse.o", 2),
        ("touch libnvdsinfer_pamtri.so libnvds_pamtri_postprocess.so parse.o; exit 2", 0),
        ("touch libnvdsinfer_pamtri.so parse.o", 0),
    ],
    ids=["both", "a failure", "one alone"],
)
def test_libraries_are_kept_where_both_are_built(shipped, tmp_path, monkeypatch, script, kept):
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\ncd "$2" && {script}\n')
    make.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PAMTRI_DEEPSTREAM", str(tmp_path))
    path = write_pack(shipped, tmp_path / "pack", sources([]))
    assert len(list((path / "plugin").glob("*.so"))) == kept
    assert not list((path / "plugin").glob("*.o"))


def test_the_readme_says_what_to_start_where(pack):
    text = (pack / "README.md").read_text()
    for word in ("Jetson", "x86", "trtexec", *(f"deepstream-{app} -c" for app in ("app", "test5-app"))):
        assert word in text
    assert "secret" not in text


def test_a_network_without_attributes_has_no_labels_and_needs_no_parser(shipped):
    bare = dataclasses.replace(
        shipped.manifest, name="of mine; [x]", colors=None, types=None, outputs=shipped.manifest.outputs[:1]
    )
    texts = pack_files(bare, sources([]))
    assert set(texts) == set(FILES) - {"labels.txt"}
    assert "onnx-file=bundle.pamtri/model.onnx" in texts["nvinfer.txt"]
    assert "custom-lib-path" not in texts["nvinfer.txt"]
    assert "classifier-threshold=1000000" in texts["nvinfer.txt"]
    assert "--saveEngine='bundle.pamtri/engines/of mine; [x]_b16_fp16.engine'" in texts["README.md"]


def test_the_original_geometry_is_refused_with_the_reason(shipped, tmp_path):
    inputs = (*shipped.manifest.inputs, TensorSpec("pose_images", (None, 3, 256, 256)))
    manifest = dataclasses.replace(shipped.manifest, geometry=Geometry.ORIGINAL, inputs=inputs)
    with pytest.raises(ExportError, match="one picture a vehicle"):
        write_pack(Bundle(shipped.path, manifest), tmp_path / "pack", sources([]))
    assert not list(tmp_path.iterdir())


def test_the_original_geometry_is_refused_before_it_is_exported(tmp_path):
    code, _, err = export(
        *("--model", "lite", "--geometry", "original", "--output", tmp_path / "a.pamtri"),
        *("--deepstream", tmp_path / "pack"),
    )
    assert code == 1
    assert "one picture a vehicle" in err
    assert not list(tmp_path.iterdir())


def test_without_weights_the_pack_is_of_the_bundle_of_the_package(tmp_path):
    code, out, _ = export("--deepstream", tmp_path / "pack")
    assert code == 0
    assert "pamtri-lite" in out
    assert f"uri={SAMPLE}" in (tmp_path / "pack" / "deepstream-app.txt").read_text()


def test_a_dry_run_writes_nothing(tmp_path):
    code, out, _ = export("--deepstream", tmp_path / "pack", "--dry-run")
    assert code == 0
    assert "deepstream-test5.txt" in out
    assert not list(tmp_path.iterdir())


def test_the_pack_of_another_bundle(tiny_bundle, tmp_path):
    assert export("--deepstream", tmp_path / "pack", "--bundle", tiny_bundle)[0] == 0
    report = lint_files([tmp_path / "pack" / name for name in EXAMINED], Options())
    assert not report.findings
    assert "network-mode=0" in (tmp_path / "pack" / "nvinfer.txt").read_text()


def test_a_pack_is_replaced_only_when_asked_and_nothing_else_is(pack, tmp_path):
    code, _, err = export("--deepstream", pack)
    assert code == 1
    assert "--overwrite" in err
    assert export("--deepstream", pack, "--overwrite")[0] == 0
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("mine")
    code, _, err = export("--deepstream", mine, "--overwrite")
    assert code == 1
    assert "not a pack" in err
    assert (mine / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--bundle", "a.pamtri"), "give --deepstream"),
        (("--source", "a.mp4", "--model", "lite"), "give --deepstream"),
        (("--deepstream", "pack", "--bundle", "a.pamtri", "--model", "lite"), "give one of the two"),
        (("--deepstream", "pack", "--precision", "int8"), "--precision"),
        (("--deepstream", "pack", "--bundle", "none.pamtri"), "none.pamtri"),
        (("--deepstream", "pack", "--source", "none.mp4"), "none.mp4 is not there"),
        (("--deepstream", "pack", "--source", "ftp://a/b.mp4"), "expected a file, or an address"),
        (("--deepstream", "pack", "--source", "rtsp://a/\nenable=0"), "no address has"),
    ],
)
def test_what_does_not_go_together_is_refused_and_nothing_written(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = export(*arguments)
    assert code == 1
    assert said in err
    assert not list(tmp_path.iterdir())


def test_files_become_addresses(tmp_path):
    video = tmp_path / "a b.mp4"
    video.write_bytes(b"")
    assert sources([str(video), "rtsp://a"]) == (f"file://{video}", "rtsp://a")
    with pytest.raises(InputError, match="holds characters"):
        sources([""])


def test_a_uri_stands_in_quotes_in_the_pipeline(shipped):
    text = pack_files(shipped.manifest, ['rtsp://a/?q="x"#y'])["service-maker.yaml"]
    assert json.dumps('rtsp://a/?q="x"#y') in text
