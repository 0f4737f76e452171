# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files that nobody would call a configuration end in one sentence and exit code 2, at once."""

import os
import time

import pytest

from in_process import run_in_process
from pamtri_edge.cli import app
from pamtri_edge.lint.reading import LARGEST

UNREADABLE = {
    "binary": bytes(range(256)) * 16,
    "zero bytes": b"[property]\nonnx-file=a\0b\n",
    "not UTF-8": b"[property]\n# caf\xe9\nonnx-file=a.onnx\n",
    "UTF-16": "[property]\nonnx-file=a.onnx\n".encode("utf-16"),
    "huge": b"[property]\n" + b"onnx-file=a\n" * (LARGEST // 8),
    "a long line": b"[property]\nonnx-file=" + b"a" * 100_000,
    "empty": b"",
    "prose": b"Dear all,\n\nthe camera is broken.\n",
}


@pytest.mark.parametrize("name", ["a.txt", "a.yml"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_configuration_is_said_to_be_none(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(UNREADABLE[kind])
    code, out, err = run_in_process(app, "lint", "--fix", path, columns=500)
    assert code in ((1, 2) if (kind, name) == ("prose", "a.yml") else (2,))
    assert "Traceback" not in out + err
    assert str(path) in out + err
    assert path.read_bytes() == UNREADABLE[kind]


@pytest.mark.parametrize("name", ["a.txt", "a.yml"])
def test_thousands_of_keys_and_groups_take_no_long_time(tmp_path, name):
    path = tmp_path / name
    if name == "a.txt":
        path.write_text("[property]\n" + "".join(f"key-{n}=1\n" for n in range(3900)))
    else:
        path.write_text("property:\n  gpu-id: 0\n" + "".join(f"group-{n}:\n  a: 1\n" for n in range(1900)))
    start = time.process_time()
    code, _, err = run_in_process(app, "lint", path)
    assert time.process_time() - start < 20
    assert code in (0, 1)
    assert "Traceback" not in err


DEEP = {
    "brackets": "a: " + "[" * 5000,
    "braces": "{a: " * 5000,
    "indentation": "".join(f"{' ' * depth}a:\n" for depth in range(500)),
    "dashes": "- " * 5000,
    "aliases": "a: &a [x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_yaml_ends_at_once(tmp_path, kind):
    path = tmp_path / "a.yml"
    path.write_text(f"property:\n  onnx-file: a.onnx\nmore:\n  {DEEP[kind]}\n")
    start = time.process_time()
    code, out, err = run_in_process(app, "lint", path, columns=500)
    assert time.process_time() - start < 20
    assert code in (1, 2)
    assert "Traceback" not in out + err


def test_a_pipe_and_a_folder_are_refused_without_waiting(tmp_path):
    pipe = tmp_path / "pipe.txt"
    os.mkfifo(pipe)
    code, _, err = run_in_process(app, "lint", pipe, tmp_path, tmp_path / "none.txt", columns=500)
    assert code == 2
    assert "is a pipe" in err
    assert "is a folder" in err
    assert "none.txt cannot be read" in err


def test_a_pipe_that_a_configuration_names_is_not_opened(write, right, tmp_path):
    os.mkfifo(tmp_path / "labels.fifo")
    lines = [
        f"labelfile-path={tmp_path / 'labels.fifo'}" if line.startswith("labelfile-path") else line
        for line in right.splitlines()
    ]
    code, out, _ = run_in_process(app, "lint", write("\n".join(lines)), columns=500)
    assert code == 1
    assert "is a pipe" in out


def test_names_with_brackets_and_controls_are_shown_as_they_are(write, right):
    path = write(right.replace("model-color-format=0", "model-color-format=1"), "[bold]a[blink].txt")
    code, out, _ = run_in_process(app, "lint", path, columns=500)
    assert code == 1
    assert "[bold]a[blink].txt" in out
    assert "[color-format]" in out
    path = write("[property]\nonnx-file=a.onnx\n\x1b[31mred=1\n")
    _, out, _ = run_in_process(app, "lint", path, columns=500)
    assert "\x1b" not in out
    assert r"\x1b[31mred" in out


def test_one_unreadable_file_does_not_hide_the_others(write, right, tmp_path):
    path = write(right.replace("model-color-format=0", "model-color-format=1"))
    code, out, _ = run_in_process(app, "lint", tmp_path / "none.txt", path, columns=500)
    assert code == 2
    assert "color-format" in out


def test_a_bundle_that_is_none_is_exit_code_2(write, tmp_path):
    path = write("[property]\nprocess-mode=2\nnetwork-type=1\n")
    code, _, err = run_in_process(app, "lint", "--bundle", tmp_path / "none.pamtri", path, columns=500)
    assert code == 2
    assert "none.pamtri" in err


def test_a_path_that_cannot_be_one_is_a_missing_file(write, right):
    name = "x" * 5000
    path = write(right.replace("/model.onnx", f"/{name}.onnx"))
    code, out, err = run_in_process(app, "lint", path, columns=500)
    assert code == 1
    assert "missing-file" in out
    assert "Traceback" not in err


def test_without_pyyaml_a_sentence_says_what_to_install(write, right, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    code, _, err = run_in_process(app, "lint", write("property:\n  gpu-id: 0\n", "a.yml"), columns=500)
    assert code == 2
    assert "pip install 'pamtri-edge[lint]'" in err
