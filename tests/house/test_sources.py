# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What every file of the project has in common."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

LONGEST = 450
"""Lines. A longer file holds more than one concept."""

CODE = {".py", ".pyi", ".cpp", ".hpp", ".cu", ".cuh", ".sh"}
HEADER = re.compile(
    r"\A(#!.*\n)?(#|//) SPDX-FileCopyrightText: The pamtri-edge authors\n"
    r"(#|//) SPDX-License-Identifier: Apache-2\.0\n"
)

# Where people keep their own things; what the system has everywhere (/etc, /proc, /opt) may be named.
SOMEBODYS = re.compile(r"(?<![\w.])/(?:home|root|Users|mnt|media|work|scratch|workspace)/(?!someone)\w")


def code_files(source_files):
    return [
        path
        for path in source_files
        if path.suffix in CODE or path.suffix == "" or path.name == "CMakeLists.txt"
    ]


def test_every_source_file_says_its_license(source_files):
    bare = [str(path) for path in code_files(source_files) if not HEADER.match(path.read_text())]
    assert not bare


def test_no_file_holds_more_than_one_concept_by_its_length(source_files):
    lengths = {path: path.read_text().count("\n") for path in code_files(source_files)}
    assert not {str(path): length for path, length in lengths.items() if length > LONGEST}


def test_no_file_names_a_place_on_somebodys_machine(source_files):
    found = [
        f"{path}:{number}: {line.strip()}"
        for path in source_files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SOMEBODYS.search(line) and path != Path(__file__)
    ]
    assert not found


@pytest.fixture(scope="module")
def tree_of():
    """Return what reads a file; each is read once."""

    @cache
    def read(path):
        return ast.parse(path.read_text(), filename=str(path))

    return read


def test_the_library_prints_nothing(modules, tree_of):
    printing = [
        f"{name}:{node.lineno}"
        for name, path in modules.items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printing


def test_every_public_function_and_class_says_what_it_does(modules, tree_of):
    silent = [f"{name}: {thing}" for name, path in modules.items() for thing in _undocumented(tree_of(path))]
    assert not silent


def _undocumented(tree):
    if ast.get_docstring(tree) is None:
        yield "the module"
    for node in tree.body:
        named = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if isinstance(node, ast.FunctionDef):
            named = named and "overload" not in map(ast.unparse, node.decorator_list)
        if named and ast.get_docstring(node) is None:
            yield node.name


def test_folders_of_code_that_is_no_package_have_no_init_file(root: Path):
    for folder in ("kernels", "tests", "pipelines"):
        assert not list((root / folder).rglob("__init__.py"))
