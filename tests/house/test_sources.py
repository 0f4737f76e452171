# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What every file of the project has in common."""

import re
from pathlib import Path

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


def test_the_library_prints_nothing(read_modules):
    assert not [f"{name}:{line}" for name, one in read_modules.items() for line in one.printing]


def test_every_public_function_and_class_says_what_it_does(read_modules):
    assert not [f"{name}: {thing}" for name, one in read_modules.items() for thing in one.undocumented]


def test_folders_of_code_that_is_no_package_have_no_init_file(root: Path):
    for folder in ("kernels", "tests", "pipelines"):
        assert not list((root / folder).rglob("__init__.py"))
