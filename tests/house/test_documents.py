# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The documents tell the truth: their code runs, their commands exist, their versions agree."""

import ast
import importlib
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import pamtri_edge
from our_programs import PROGRAMS, commands, program
from pamtri_edge import Reidentifier

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md"))),
)
MORE_DOCUMENTS = (
    *("benchmarks/README.md", "benchmarks/RESULTS.md"),
    *("examples/README.md", "pamtri_edge/weights/README.md"),
)
LONGEST_README = 130, 1200  # lines, words


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_readme_is_short_and_begins_with_a_small_picture(root):
    text = (root / "README.md").read_text()
    assert text.count("\n") <= LONGEST_README[0]
    assert len(text.split()) <= LONGEST_README[1]
    picture = re.search(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert picture is not None
    assert text[: picture.start()].count("\n") < 10
    assert (root / picture[1]).stat().st_size < 150_000


def test_every_link_of_a_document_leads_to_a_file(root):
    broken = [
        f"{document}: {target}"
        for document in (*DOCUMENTS, "examples/README.md", "benchmarks/RESULTS.md")
        for target in re.findall(r"\]\(([^)#]+)\)", (root / document).read_text())
        if "://" not in target and not (root / document).parent.joinpath(target).exists()
    ]
    assert not broken


@pytest.mark.filterwarnings("default:.*untrained.*")
@pytest.mark.parametrize("document", ["README.md", "docs/pictures.md", "docs/video.md"])
def test_the_python_of_a_document_runs_as_it_stands(root, users_folder, document, monkeypatch, capsys):
    monkeypatch.chdir(users_folder)
    (code,) = blocks((root / document).read_text(), "python")
    names: dict[str, object] = {}
    exec(compile(code, document, "exec"), names)
    if "matches" in names:
        assert [(pair.first, pair.second) for pair in names["matches"].pairs] == [(0, 0)]
    else:
        assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"1", "2"}


def test_the_python_for_a_gpu_calls_what_there_is(root):
    (code,) = blocks((root / "docs/gpu.md").read_text(), "python")
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
    targets = set(re.findall(r"^([a-z-]+):.*##", (root / "Makefile").read_text(), re.MULTILINE))
    shown = {words[1] for _, words in command_lines(root) if words[0] == "make"}
    assert shown
    assert shown <= targets


@pytest.fixture(scope="module")
def extras(root):
    """The names that pyproject.toml declares as lists, extras among them."""
    return set(re.findall(r"^([a-z-]+) = \[", (root / "pyproject.toml").read_text(), re.MULTILINE))


def test_every_extra_and_file_that_a_document_installs_exists(root, extras):
    for document, words in command_lines(root):
        if words[:2] == ["pip", "install"]:
            asked = re.findall(r"\[([a-z,-]+)\]", " ".join(words))
            assert {extra for group in asked for extra in group.split(",")} <= extras, document
        if words[:2] == ["docker", "build"]:
            assert (root / (words[words.index("--file") + 1] if "--file" in words else "Dockerfile")).exists()


def test_every_file_of_the_project_that_a_document_names_is_there(root):
    rooms = "benchmarks|docs|examples|export|kernels|pamtri_edge|pipelines|recipes|tests"
    named = {
        (document, path.rstrip("."))
        for document in (*DOCUMENTS, *MORE_DOCUMENTS)
        for path in re.findall(rf"(?<![\w/.])((?:{rooms})/[\w./*-]+)", (root / document).read_text())
    }
    assert len(named) > 100
    assert not [one for one in named if not list(root.glob(one[1]))]


def mentions(text):
    """Yield the words of every call of our programs: in blocks of any language and within sentences."""
    blocks_of_any = re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks_of_any for line in block.replace("\\\n", " ").splitlines()]
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    for line in lines:
        call = re.match(r"(?:\$ |docker run .*pamtri-edge (?=run))?((?:pamtri|pamtri-export) [a-z-].*)", line)
        if call is not None:
            yield shlex.split(call[1].partition(" | ")[0], comments=True)


def test_every_command_line_that_a_document_mentions_is_understood(root):
    checked = 0
    for document in (*DOCUMENTS, *MORE_DOCUMENTS):
        for words in mentions((root / document).read_text()):
            command = typer.main.get_command(program(words[0]))
            arguments = words[1:]
            while arguments and arguments[0] in getattr(command, "commands", {}):
                command = command.commands[arguments.pop(0)]
            known = {name for one in command.params for name in (*one.opts, *one.secondary_opts, "--help")}
            used = {word for word in arguments if word.startswith("-") and not re.match(r"-\d", word)}
            said = f"{document}: {shlex.join(words)}"
            assert used <= known, said
            assert not getattr(command, "commands", {}) or not arguments or used, said  # no such command
            checked += 1
    assert checked >= 90


OPTIONS_OF_OTHERS = {"--help", "--user", "--stronglyTyped", "--system-site-packages"}
"""Of every program, of docker, trtexec and Python's venv."""


def test_every_option_that_a_sentence_of_a_document_names_exists(root):
    known = {
        option
        for _, command in commands()
        for one in command.params
        for option in (*one.opts, *one.secondary_opts)
    }
    named = {
        (document, option)
        for document in DOCUMENTS
        for option in re.findall(r"`(--[\w-]+)", (root / document).read_text())
    }
    assert len(named) > 40
    assert not {one for one in named if one[1] not in known | OPTIONS_OF_OTHERS}


def test_every_name_that_a_document_imports_exists(root):
    imported = re.findall(
        r"^from (pamtri_edge[\w.]*) import (.+)$",
        "\n".join((root / document).read_text() for document in DOCUMENTS),
        re.MULTILINE,
    )
    assert len(imported) > 10
    for module, names in imported:
        for name in re.split(r", *", names):
            one = importlib.import_module(module)
            assert hasattr(one, name) or importlib.import_module(f"{module}.{name}"), f"{module}: {name}"


NOT_HERE = {
    "pamtri doctor": "asks every package of the machine; tests/doctor/test_examine.py does",
    "rtsp://camera/stream": "needs a camera of a network",
    "pamtri run 0 ": "needs a camera at the machine",
    "//localhost": "needs a broker; tests/video/test_sinks_of_run.py and tests/sinks start one",
    "mqtts://broker": "needs a broker of a network",
    "pamtri train ": "takes hours; tests/cli/test_train_command.py runs it on four pictures",
    "pamtri evaluate unseen ": "needs what training made; tests/cli/test_evaluate_command.py runs it",
}
"""Commands of the documents that are looked at and not run, and why."""

SMALL = {
    "--model lite --precision": "--pose pose.pth --reid reid.pth.tar --precision",
    "--precision int8": "--precision int8 --allow-drift --parity-crops 4",  # 8 pictures calibrate nothing
    "--network": "--parity-crops 4 --network",
    "--flip-test": "--flip-test --dry-run",  # tests/export/test_exporting.py exports that form
    "--identities 1000 --images 20000": "--identities 2 --images 4 --processes 1",
    "--identities 200 --images 4000 --cameras 12": "--identities 2 --images 4 --cameras 2 --processes 1",
}
"""What stands in the documents, and what is run instead: smaller networks and fewer pictures."""


def run_instead(line):
    for shown, small in SMALL.items():
        line = line.replace(shown, small)
    return line


def test_every_command_line_that_a_document_shows_runs(root, users_folder, monkeypatch):
    """In the order of the documents, in one folder; what differs in the output alone runs once."""
    monkeypatch.chdir(users_folder)
    done = set()
    for document, words in command_lines(root):
        line = shlex.join(words)
        if words[0] not in PROGRAMS or any(start in f"{line} " for start in NOT_HERE):
            continue
        line = run_instead(line)
        what = re.sub(r" --output \S+", "", line)
        if what in done:
            continue
        done.add(what)
        result = CliRunner().invoke(program(words[0]), shlex.split(line)[1:])
        assert result.exit_code == 0, f"{document}: {line}\n{result.output}\n{result.exception!r}"
    assert len(done) >= 20


def test_versions_agree(root):
    said = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert said is not None
    assert said[1] == pamtri_edge.__version__


def test_every_extra_that_a_message_recommends_exists(extras, modules):
    recommended = {
        extra
        for path in modules.values()
        for extra in re.findall(r"pamtri-edge\[([a-z-]+)\]", path.read_text())
    }
    assert recommended
    assert recommended <= extras


def test_every_place_where_a_decision_is_made_is_there(root):
    cells = re.findall(r"[^|\n]+", (root / "docs/decisions.md").read_text())
    places, missing = 0, []
    for cell in cells:
        folder = root
        for name in re.findall(r"`([\w./*]+)`", cell):
            if "/" in name:
                folder = (root / name).parent
            elif not re.search(r"\.[chp]+$", name):
                continue
            places += 1
            if not list(folder.glob(Path(name).name)):
                missing.append(name)
    assert places > 60
    assert not missing


@pytest.mark.slow
def test_the_documents_become_pages_without_a_warning(root, tmp_path):
    pytest.importorskip("mkdocs", reason="the documentation needs the dependency group docs")
    pytest.importorskip("mkdocstrings", reason="the documentation needs the dependency group docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    assert "embed_frame" in (tmp_path / "site" / "api" / "reidentifier.html").read_text()


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.deepstream", "Dockerfile.jetson"])
def test_a_dockerfile_is_clean_and_runs_as_an_ordinary_user(root, extras, name):
    text = (root / name).read_text()
    installed = {extra for group in re.findall(r"'\.\[([a-z,-]+)\]'", text) for extra in group.split(",")}
    assert installed
    assert installed <= extras
    last = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)
    assert re.search(r'^STOPSIGNAL SIGINT\nENTRYPOINT \["pamtri"\]$', last, re.MULTILINE)
    hadolint = shutil.which("hadolint") or shutil.which(
        "hadolint", path=os.fspath(Path(sys.executable).parent)
    )
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    found = subprocess.run([hadolint, str(root / name)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
