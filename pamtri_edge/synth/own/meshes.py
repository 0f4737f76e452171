# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes of one's own: glTF or OBJ beside the 36 keypoints as JSON.

A folder holds NAME.glb (.gltf, .obj) and, for each, NAME.json:

    {"type": "sedan",
     "keypoints": {"left_rear_wheel": [x, y, z], ... all 36 of vehicle.KEYPOINT_NAMES},
     "metres_per_unit": 1.0,
     "materials": {"carbon.*": "PLASTIC", "seat": null}}

Keypoints are in the mesh's own coordinates. Which way it faces follows from them, so that no axes need
be told: the wheels say where front and left are. `metres_per_unit` and `materials` may be left out; the
latter's keys are patterns that come before the rules of `MATERIAL_RULES`, null leaves triangles away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import Mesh
from pamtri_edge.synth.own.conversion import Piece, assemble
from pamtri_edge.vehicle import KEYPOINT_NAMES, TYPES

SUFFIXES: Final = (".glb", ".gltf", ".obj")

MATERIAL_RULES: Final[tuple[tuple[str, Material], ...]] = (
    (r"head.?(lamp|light)|front.?(lamp|light)", Material.HEADLAMP),
    (r"(tail|rear|brake|stop).?(lamp|light)", Material.TAILLAMP),
    (r"indicator|blinker|turn.?(signal|lamp|light)", Material.INDICATOR),
    (r"glass|window|wind.?(shield|screen)", Material.GLASS),
    (r"tyre|(?<![a-z])tires?|rubber", Material.TYRE),
    (r"chrome|(?<![a-z])rims?(?![a-z])|alloy|wheel|disc|silver", Material.CHROME),
    (r"(licen[cs]e|number).?plate", Material.PLATE),
    (r"interior|seat|under|inside|cabin", Material.DARK),
    (r"plastic|trim|grill|moulding", Material.PLASTIC),
    (r"paint|body|coat|(?<![a-z])lack|shell", Material.PAINT),
)
"""What a material is by its name (or its part's), first match first; no match is matt in its own color."""


@dataclass(frozen=True)
class MeshFile:
    """A mesh that was read.

    Attributes:
        name: of its file.
        mesh: as the renderer takes it.
        type_name: one of `vehicle.TYPES`.
    """

    name: str
    mesh: Mesh
    type_name: str


@dataclass(frozen=True)
class _Notes:
    """What NAME.json says."""

    type_name: str
    keypoints: NDArray[np.float64]
    metres_per_unit: float = 1.0
    materials: dict[str, Material | None] = field(default_factory=dict)


def read_meshes(folder: Path) -> tuple[MeshFile, ...]:
    """Read all meshes of a folder, in the order of their names.

    Raises:
        InputError: there is none, one has no or wrong keypoints, cannot be read, or has nothing painted.
        MissingDependencyError: trimesh is not installed.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; expected one with meshes, NAME.glb and NAME.json.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"the folder {folder} holds no mesh; accepted: {', '.join(SUFFIXES)}.")
    return tuple(read_mesh(path) for path in paths)


def read_mesh(path: Path) -> MeshFile:
    """Read a mesh and the JSON beside it.

    Raises:
        InputError, MissingDependencyError: see `read_meshes`.
    """
    notes = _read_notes(path.with_suffix(".json"))
    pieces = []
    found = []
    for name, piece in _pieces(path, notes):
        found.append(name)
        if piece is not None:
            pieces.append(piece)
    if not any(piece.material == Material.PAINT for piece in pieces):
        raise InputError(
            f"{path}: none of its materials ({', '.join(sorted(set(found)))}) is paint by its name, so that "
            f'it would have no color; say which is in {path.stem}.json: "materials": {{"NAME": "PAINT"}}.'
        )
    mesh = assemble(pieces, notes.keypoints, notes.metres_per_unit, label=str(path))
    return MeshFile(path.name, mesh, notes.type_name)


def _read_notes(path: Path) -> _Notes:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing; a mesh needs its 36 keypoints there, by name, in its own coordinates."
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(data, dict) or not isinstance(data.get("keypoints"), dict):
        raise InputError(f'{path} has no "keypoints"; expected an object of 36 names, each [x, y, z].')
    type_name = data.get("type")
    if type_name not in TYPES:
        raise InputError(f"{path}: type {type_name!r}; accepted: {', '.join(TYPES)}.")
    scale = data.get("metres_per_unit", 1.0)
    if not isinstance(scale, (int, float)) or not 1e-4 <= scale <= 1e4:
        raise InputError(f"{path}: metres_per_unit is {scale!r}; expected a number, 0.01 for centimetres.")
    return _Notes(type_name, _keypoints(data["keypoints"], path), float(scale), _materials(data, path))


def _keypoints(given: dict[str, Any], path: Path) -> NDArray[np.float64]:
    missing = [name for name in KEYPOINT_NAMES if name not in given]
    strange = [name for name in given if name not in KEYPOINT_NAMES]
    if missing or strange:
        lacks = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(strange)}, which is none"
        raise InputError(
            f"{path}: keypoints: {lacks}; expected the 36 of pamtri_edge.vehicle.KEYPOINT_NAMES."
        )
    try:
        points = np.array([given[name] for name in KEYPOINT_NAMES], np.float64)
    except (TypeError, ValueError):
        points = np.empty((0, 0))
    if points.shape != (36, 3) or not np.isfinite(points).all():
        raise InputError(f"{path}: every keypoint must be [x, y, z], three finite numbers.")
    return points


def _materials(data: dict[str, Any], path: Path) -> dict[str, Material | None]:
    materials: dict[str, Material | None] = {}
    for pattern, name in data.get("materials", {}).items():
        try:
            re.compile(pattern)
            materials[pattern] = None if name is None else Material[name]
        except (re.error, KeyError, TypeError) as error:
            raise InputError(
                f"{path}: materials: {pattern!r}: {name!r} is no pattern with a material; accepted: "
                f"{', '.join(material.name for material in Material)} or null."
            ) from error
    return materials


def _pieces(path: Path, notes: _Notes) -> Iterator[tuple[str, Piece | None]]:
    """Give the geometries of a file with the name that decided their material; None where left away."""
    scene = _load(path)
    # The file's own order is not kept by the reader; names are.
    for node in sorted(scene.graph.nodes_geometry):
        transform, geometry = scene.graph[node]
        shape = scene.geometry[geometry]
        if not hasattr(shape, "faces") or not len(shape.faces):
            continue  # lines and points
        surface = getattr(shape.visual, "material", None)
        name = str(getattr(surface, "name", None) or geometry)
        material = _material_of((name, str(geometry), str(node)), notes.materials)
        if material is None:
            yield name, None
            continue
        yield (
            name,
            Piece(
                np.asarray(shape.vertices @ transform[:3, :3].T + transform[:3, 3], np.float64),
                np.asarray(shape.faces, np.int64),
                material,
                _albedo(surface),
            ),
        )


def _load(path: Path) -> Any:
    try:
        trimesh = import_module("trimesh")
    except ImportError as error:
        raise MissingDependencyError(
            f"reading meshes needs trimesh ({error}): pip install 'pamtri-edge[synth]'"
        ) from error
    try:
        scene = trimesh.load_scene(path)
    except Exception as error:  # whatever a reader of foreign files raises
        raise InputError(f"{path} cannot be read as a mesh: {error}.") from error
    if not len(scene.graph.nodes_geometry):
        raise InputError(f"{path} holds no geometry.")
    return scene


def _material_of(names: tuple[str, ...], own: dict[str, Material | None]) -> Material | None:
    """Return what the first matching rule says, of the material's name before its part's."""
    rules = [*own.items(), *MATERIAL_RULES]
    for name in names:
        for pattern, material in rules:
            if re.search(pattern, name, re.IGNORECASE):
                return material
    return Material.MATTE


def _albedo(surface: Any) -> tuple[float, float, float]:
    color = getattr(surface, "main_color", None)
    if color is None:
        return 0.2, 0.2, 0.2
    r, g, b = (float(value) / 255.0 for value in color[:3])
    return r**2.2, g**2.2, b**2.2
