# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`--fix` writes what is certain, and leaves every other character of a file as it was."""

import stat

import pytest

from deepstream_files import APP, PIPELINE, found, yaml_of
from in_process import run_in_process
from pamtri_edge.bundle import SHIPPED_BUNDLE
from pamtri_edge.cli import app
from pamtri_edge.lint.finding import Insert, Replace
from pamtri_edge.lint.fixing import edited

BROKEN = (
    ("net-scale-factor=1", "net-scale-factor=0.0039"),
    ("model-color-format=0", "model-color-format = 1"),
    ("output-tensor-meta=1", "output-tensor-mata=1"),
    ("classifier-async-mode=0", "classifier-async-mode=1"),
    ("network-type=1", "network-type=100"),
    ("process-mode=2", "process-mode=1"),
    ("batch-size=16", "batch-size=64 # many"),
    ("scaling-filter=1", "scaling-filter=1\noffsets=1;2;3"),
    ("maintain-aspect-ratio=0", "maintain-aspect-ratio=1"),
    ("classifier-threshold=1000000", "classifier-threshold=1000000 # none"),
)


def broken(right):
    text = right
    for old, new in BROKEN:
        assert f"\n{old}" in text
        text = text.replace(f"\n{old}", f"\n{new}")
    return text


def test_a_file_with_ten_mistakes_comes_out_as_it_should_be(write, right):
    path = write(broken(right))
    assert len(found(path)) >= 8
    code, out, _ = run_in_process(app, "lint", "--fix", path, columns=200)
    assert code == 0
    assert "fixed" in out
    assert "nothing found" in out
    fixed = path.read_text()
    expected = right.replace("model-color-format=0", "model-color-format = 0")
    expected = expected.replace("batch-size=16", "batch-size=16 # many")  # which nvinfer passes over
    assert fixed == expected.replace("scaling-filter=1", "scaling-filter=1\n# offsets=1;2;3")


def test_yaml_is_fixed_as_key_files_are(write, right):
    text = yaml_of(broken(right).replace(" # many", "").replace(" # none", ""))
    path = write(text, "config.yml")
    assert run_in_process(app, "lint", "--fix", path)[0] == 0
    assert found(path) == []
    assert path.read_text().count("\n") == text.count("\n")


def test_a_missing_key_is_added_at_the_top_of_its_group(write, right):
    path = write(right.replace("output-tensor-meta=1\n", ""))
    assert run_in_process(app, "lint", "--fix", path)[0] == 0
    assert "[property]\noutput-tensor-meta=1\n" in path.read_text()


def test_what_takes_a_person_is_left_and_told(write, right):
    text = right.replace("/model.onnx", "/other.onnx").replace("model-color-format=0", "model-color-format=1")
    path = write(text)
    code, out, _ = run_in_process(app, "lint", "--fix", path, columns=200)
    assert code == 1
    assert "missing-file" in out
    assert "color-format" not in out
    assert path.read_text() == text.replace("model-color-format=1", "model-color-format=0")


def test_line_ends_marks_rights_and_links_stay(write, right, tmp_path):
    path = write("")
    content = ("\ufeff" + right.replace("process-mode=2", "process-mode=1")).replace("\n", "\r\n")
    path.write_bytes(content.encode())
    path.chmod(0o640)
    link = tmp_path / "link.txt"
    link.symlink_to(path.name)
    code, out, _ = run_in_process(app, "lint", "--fix", link)
    assert code == 1
    assert "a byte order mark stands before the first line: GLib refuses the whole file" in out
    assert "1 file examined: 1 finding" in out
    assert path.read_bytes() == content.replace("process-mode=1", "process-mode=2").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink()


def test_only_named_files_are_written(write, right, tmp_path):
    text = right.replace("model-color-format=0", "model-color-format=1")
    path = write(APP)
    (tmp_path / "nvinfer.txt").write_text(text)
    assert run_in_process(app, "lint", "--fix", path)[0] == 1
    assert (tmp_path / "nvinfer.txt").read_text() == text
    assert run_in_process(app, "lint", "--fix", path, tmp_path / "nvinfer.txt")[0] == 0


def test_a_file_without_mistakes_is_not_written(write, right):
    path = write(right)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert run_in_process(app, "lint", "--fix", path)[0] == 0
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_groups_and_nodes_are_renamed(write):
    path = write(APP.replace("[tracker]", "[Tracker]").replace("[sink0]", "[Sink0]"))
    pipeline = write(PIPELINE.replace("sgie.src: [sink]", "sgi.src: [sink]"), "pipeline.yaml")
    assert run_in_process(app, "lint", "--fix", path, pipeline)[0] == 0
    assert path.read_text() == APP
    assert pipeline.read_text() == PIPELINE


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_line_is_put_behind_the_last_one(end):
    assert edited(f"[a]{end}", [Insert(1, "b=1")]) == "[a]\nb=1\n"


def test_edits_of_one_line_do_not_shift_each_other():
    edits = [Replace(1, 0, 1, "key"), Replace(1, 2, 3, "value"), Insert(1, "more=1")]
    assert edited("k=v\nx=y\n", edits) == "key=value\nmore=1\nx=y\n"


FLOW = {
    "a group in braces": (
        "property: {onnx-file: %s, process-mode: 2, network-type: 1, offsets: '1;2;3', "
        "model-color-format: 1}\n"
    ),
    "an open quote of a key that goes": (
        "property:\n  onnx-file: %s\n  process-mode: 2\n  network-type: 1\n  strange: 'a\n\n    b'\n"
    ),
    "no value": "property:\n  onnx-file: %s\n  process-mode: 2\n  network-type: 1\n  model-color-format:\n",
    "a list": "property:\n  onnx-file: %s\n  process-mode: [2]\n  offsets: [1, 2, 3]\n  network-type: 1\n",
    "values below their keys": "property:\n  onnx-file:\n    %s\n  process-mode:\n    1\n  network-type: 1\n",
}


@pytest.mark.parametrize("name", FLOW)
def test_yaml_that_is_written_otherwise_stays_yaml(write, name):
    yaml = pytest.importorskip("yaml")
    path = write(FLOW[name] % (SHIPPED_BUNDLE / "model.onnx"), "config.yml")
    before = yaml.safe_load(path.read_text())["property"]
    run_in_process(app, "lint", "--fix", path)
    after = yaml.safe_load(path.read_text())["property"]
    assert after["onnx-file"] == before["onnx-file"]
    assert set(before) - {"offsets", "strange"} <= set(after)
    assert before.get("model-color-format") != 1 or after["model-color-format"] == 0
