# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The documents tell the truth: their code runs, their commands exist, their versions agree."""

import ast
import importlib
import inspect
import re
import shlex

import cv2
import pytest
import typer

import pamtri_edge
from pamtri_edge import Reidentifier, samples

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    tomllib = None

DOCUMENTS = ("README.md", "CONTRIBUTING.md")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def in_a_users_folder(tmp_path, monkeypatch, tiny_bundle):
    """A folder with the pictures that the README reads, and a default bundle."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAMTRI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PAMTRI_BUNDLE", str(tiny_bundle))
    for name, crop in zip(("car.jpg", "van.jpg"), samples.crops(2), strict=True):
        cv2.imwrite(name, crop[..., ::-1])
    cv2.imwrite("frame.jpg", cv2.resize(samples.crops(2)[1], (640, 352)))


@pytest.mark.filterwarnings("default:.*untrained.*")
def test_the_readmes_python_runs_as_it_stands(root, in_a_users_folder):
    code, _ = blocks((root / "README.md").read_text(), "python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    out = names["out"]
    assert len(out) == 1
    assert out.keypoints.shape == (1, 36, 3)
    assert [(pair.first, pair.second) for pair in names["matches"].pairs] == [(0, 0)]


def test_the_readmes_python_for_a_gpu_calls_what_there_is(root):
    _, code = blocks((root / "README.md").read_text(), "python")
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    ours = [call for call in calls if ast.unparse(call.func) in ("Reidentifier.load", "reid.embed")]
    assert len(ours) == 2
    for call in ours:
        known = inspect.signature(getattr(Reidentifier, call.func.attr)).parameters
        assert {keyword.arg for keyword in call.keywords} <= set(known)


def command_lines(root):
    """Yield (document, words) for every command line that a document shows."""
    for document in DOCUMENTS:
        for block in blocks((root / document).read_text(), "sh"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    yield document, words


def test_every_target_of_make_that_a_document_names_exists(root):
    targets = set(re.findall(r"^([a-z]+):.*##", (root / "Makefile").read_text(), re.MULTILINE))
    shown = {words[1] for _, words in command_lines(root) if words[0] == "make"}
    assert shown
    assert shown <= targets


def test_every_command_line_that_a_document_shows_is_understood(root):
    checked = 0
    for document, words in command_lines(root):
        module = {"pamtri": "pamtri_edge.cli", "pamtri-export": "pamtri_edge.export.cli"}.get(words[0])
        if module is None:
            continue
        command = typer.main.get_command(importlib.import_module(module).app)
        arguments = words[1:]
        while arguments and arguments[0] in getattr(command, "commands", {}):
            command = command.commands[arguments.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        used = {word for word in arguments if word.startswith("-")}
        assert used <= known, f"{document}: {shlex.join(words)}"
        checked += 1
    assert checked >= 6


def test_versions_agree(root):
    if tomllib is None:
        pytest.skip("needs Python 3.11's tomllib")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["version"] == pamtri_edge.__version__


def test_every_extra_that_a_message_recommends_exists(root, modules):
    declared = set(re.findall(r"^([a-z-]+) = \[", (root / "pyproject.toml").read_text(), re.MULTILINE))
    recommended = {
        extra
        for path in modules.values()
        for extra in re.findall(r"pamtri-edge\[([a-z-]+)\]", path.read_text())
    }
    assert recommended
    assert recommended <= declared


def test_the_places_for_the_measured_tables_are_marked(root):
    readme = (root / "README.md").read_text()
    for table in ("speed", "parity"):
        assert f"<!-- table: {table} -->" in readme
