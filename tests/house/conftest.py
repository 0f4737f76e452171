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
_GENERATED = {".git", ".venv", "build", "dist", "out", "demo-output", "site", "__pycache__"}


@dataclass(frozen=True)
class Import:
    """One import statement's target, wherever in the file it stands."""

    importer: str
    imported: str
    line: int


@dataclass(frozen=True)
class Module:
    """What these tests want to know of a module: its imports, lines that print, and what is undocumented."""

    imports: tuple[Import, ...]
    printing: tuple[int, ...]
    undocumented: tuple[str, ...]


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
def _read() -> dict[str, Module]:
    """Return what every module says; each is parsed once, and its tree is not kept."""
    known = _modules()
    return {name: _seen(ast.parse(path.read_text()), name, path, known) for name, path in known.items()}


def _seen(tree: ast.Module, name: str, path: Path, known: dict[str, Path]) -> Module:
    imports, printing = [], []
    for node in ast.walk(tree):
        for target in _targets(node, name, path.name == "__init__.py", known):
            imports.append(Import(name, target, node.lineno))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            printing.append(node.lineno)
    return Module(tuple(imports), tuple(printing), tuple(_undocumented(tree)))


def _targets(node: ast.AST, name: str, package: bool, known: dict[str, Path]) -> Iterator[str]:
    """Yield what a statement imports; `from package import submodule` counts as the submodule."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = name.split(".")[: len(name.split(".")) - node.level + package]
            base = ".".join([*parents, base]).rstrip(".")
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            yield inner if inner in known else base


def _undocumented(tree: ast.Module) -> Iterator[str]:
    if ast.get_docstring(tree) is None:
        yield "the module"
    for node in tree.body:
        named = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        if isinstance(node, ast.FunctionDef):
            named = named and "overload" not in map(ast.unparse, node.decorator_list)
        if named and ast.get_docstring(node) is None:
            yield node.name


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
def read_modules() -> dict[str, Module]:
    return _read()


@pytest.fixture(scope="session")
def imports() -> tuple[Import, ...]:
    return tuple(one for module in _read().values() for one in module.imports)


@pytest.fixture(scope="module")
def users_folder(written_folder, tiny_bundle):
    """Return the folder of a user, who has a default bundle and a cache of compiled networks."""
    from pamtri_edge.runtime import compiled_cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAMTRI_CACHE", str(written_folder / "cache"))
        patch.delenv("PAMTRI_NO_CACHE", raising=False)
        patch.setattr(compiled_cache, "LEAST_BYTES", 0)
        patch.setenv("PAMTRI_BUNDLE", str(tiny_bundle))
        yield written_folder


@pytest.fixture(scope="session")
def written_folder(tmp_path_factory):
    """Return a folder with the files that the documents name: tiny networks, a short video."""
    import cv2
    import numpy as np
    import onnx
    import torch

    import made_once
    import remembered_exports
    import tiny_detectors
    from foreign_networks import tiny_network
    from pamtri_edge import samples
    from pamtri_edge.video.encode import VideoWriter
    from tiny_networks import SMALLEST

    remembered_exports.install(made_once.base(tmp_path_factory) / "exports")
    folder = tmp_path_factory.mktemp("user")
    crops = samples.crops(8)
    (folder / "crops").mkdir()
    for index, crop in enumerate(crops):
        cv2.imwrite(str(folder / "crops" / f"{index}.png"), crop[..., ::-1])
    for name, crop in zip(("car", "van"), crops, strict=False):
        cv2.imwrite(str(folder / f"{name}.jpg"), crop[..., ::-1])
    cv2.imwrite(str(folder / "frame.jpg"), cv2.resize(crops[1], (640, 352)))
    tracks = []
    writer = VideoWriter(folder / "crossing.mp4", rate=25)
    for index in range(45):  # two vehicles that come after a while, in opposite directions
        picture = np.full((240, 240, 3), 70, np.uint8)
        for track, (y, x) in enumerate(((20, 3 * index - 30), (140, 150 - 3 * index)), 1):
            if index >= 14 and 10 <= x <= 130:
                picture[y : y + 81, x : x + 96] = cv2.resize(crops[2 + 2 * track], (96, 81))
                tracks.append(f"{index + 1},{track},{x},{y},96,81\n")
        writer.write(picture, index / 25)
    writer.close()
    (folder / "crossing.txt").write_text("".join(tracks))
    for name in ("north", "south"):
        for suffix in (".mp4", ".txt"):
            (folder / f"{name}{suffix}").write_bytes((folder / f"crossing{suffix}").read_bytes())
    pose, reid = remembered_exports.remembered_seeded(
        SMALLEST, pictures=samples.crops(16)
    )  # as tests/export exports them
    torch.save(pose.state_dict(), folder / "pose.pth")
    torch.save(reid.state_dict(), folder / "reid.pth.tar")
    for name in ("torchreid", "fastreid", "osnet", "osnet_ain_x1_0_vehicle_reid"):
        onnx.save(tiny_network(batch="N"), folder / f"{name}.onnx")
    net, outputs = tiny_detectors.yolox()
    net.save(folder / "yolox_nano.onnx", outputs)
    return folder
