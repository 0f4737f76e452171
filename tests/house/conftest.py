# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The source tree as these tests read it: its files as git would list them, and who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_SUFFIXES = {".py", ".pyi", ".cpp", ".hpp", ".cu", ".cuh", ".sh", ".toml", ".md", ".txt", ".yml"}
_GENERATED = {".git", ".venv", "build", "dist", "out", "demo-output", "__pycache__"}


@dataclass(frozen=True)
class Import:
    """One import statement's target, wherever in the file it stands."""

    importer: str
    imported: str
    line: int


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if (
            path.name in _GENERATED
            or path.name.endswith(("_cache", ".egg-info", ".pamtri"))
            or path.is_symlink()
        ):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix in SOURCE_SUFFIXES or path.name in ("Makefile", "run", "environment"):
            yield path


@cache
def _modules() -> dict[str, Path]:
    """Return every module of the package, export/ included, by its dotted name."""
    found = {}
    for base, package in ((ROOT / "pamtri_edge", "pamtri_edge"), (ROOT / "export", "pamtri_edge.export")):
        for path in sorted(base.rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            name = ".".join((package, *parts)).removesuffix(".__init__")
            found[name] = path
    return {name: path for name, path in found.items() if not _through_link(path)}


def _through_link(path: Path) -> bool:
    return any(parent.is_symlink() for parent in path.parents)


@cache
def _imports() -> tuple[Import, ...]:
    """Return every import of every module; `from package import submodule` counts as the submodule."""
    known = _modules()
    return tuple(
        Import(name, target, line)
        for name, path in known.items()
        for target, line in _targets(ast.parse(path.read_text()), name, path.name == "__init__.py", known)
    )


def _targets(tree: ast.AST, name: str, package: bool, known: dict[str, Path]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = name.split(".")[: len(name.split(".")) - node.level + package]
                base = ".".join([*parents, base]).rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in known else base), node.lineno


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def source_files() -> list[Path]:
    """Return every file of the project that a person wrote; links are followed nowhere."""
    return sorted(_walk(ROOT))


@pytest.fixture(scope="session")
def modules() -> dict[str, Path]:
    return _modules()


@pytest.fixture(scope="session")
def imports() -> tuple[Import, ...]:
    return _imports()
