# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The floors of the house: who may import whom.

A module may import from its own floor and from those below it, never from one above, and never in a
circle. Imports inside functions count: they hide a dependency from the start-up time, not from the design.
"""

import pytest

HOUSE = """
errors version _core _sinks;
compiled addresses vehicle geometry arrays console samples class_names printable options pictures plots given
metrics processors signals spawned files words refit progress libcuda;
_native _render ops nearest;
manifest_fields manifest nvinfer bundle_files golden bundle onnx_wire models;
runtime;
parity;
result_files reidentification reidentifier tracks;
video events sinks matching gallery report gst deepstream;
doctor lint bench;
datasets;
export;
train evaluate synth;
cli
"""
FLOORS = [rooms.split() for rooms in HOUSE.split(";")]
"""The rooms of pamtri_edge, from the ground up."""

TORCH_ROOMS = ("models", "export", "train", "evaluate")
TORCH_BACKEND = "pamtri_edge.runtime.torch."
"""The only rooms and modules that may import torch."""

# The package itself offers `Reidentifier` lazily; that is its one look upward.
FACADE = "pamtri_edge"


def room(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def floor(module: str) -> int:
    found = [height for height, rooms in enumerate(FLOORS) if room(module) in rooms]
    assert found, f"{module}: name the floor of its room in tests/house/test_floors.py"
    return found[0]


@pytest.fixture(scope="module")
def inner(imports):
    """Imports of our own modules by our own modules, the package's facade aside."""
    return [
        one
        for one in imports
        if one.importer != FACADE and one.imported.startswith("pamtri_edge.") and one.imported != one.importer
    ]


def test_every_module_has_a_floor(modules):
    for module in modules:
        if module != FACADE:
            floor(module)


def test_no_module_imports_from_a_floor_above_it(inner):
    upward = [
        f"{one.importer}:{one.line} imports {one.imported}"
        for one in inner
        if floor(one.imported) > floor(one.importer)
    ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle(inner):
    assert not circle({(one.importer, one.imported) for one in inner})


def test_no_rooms_import_each_other_in_a_circle(inner):
    pairs = {(room(one.importer), room(one.imported)) for one in inner}
    assert not circle({pair for pair in pairs if pair[0] != pair[1]})


def circle(edges):
    """Return the names that lie on or lead into a circle: what is left when leaves are taken off."""
    edges = set(edges)
    while True:
        importers = {importer for importer, _ in edges}
        leaves = {imported for _, imported in edges} - importers
        without = {edge for edge in edges if edge[1] not in leaves}
        if without == edges:
            return sorted(importers)
        edges = without


def test_torch_is_imported_only_where_it_is_at_home(imports):
    strangers = [
        f"{one.importer}:{one.line}"
        for one in imports
        if one.imported.split(".")[0] in ("torch", "torchvision", "torch_tensorrt")
        and room(one.importer) not in TORCH_ROOMS
        and not one.importer.startswith(TORCH_BACKEND)
    ]
    assert not strangers


def test_openvino_is_imported_in_the_one_place_that_keeps_its_telemetry_quiet(imports):
    importers = {one.importer for one in imports if one.imported.split(".")[0] == "openvino"}
    assert importers <= {
        "pamtri_edge.runtime.openvino_library",
        "pamtri_edge.train.pose_inputs",  # for its annotations alone
    }


def test_signal_handlers_are_set_in_one_module(imports):
    importers = {one.importer for one in imports if one.imported == "signal"}
    assert importers <= {
        "pamtri_edge.signals",
        "pamtri_edge.doctor.isolated",  # it stops its children
    }


def test_commands_have_no_enumerations_of_their_own(imports):
    strangers = [
        f"{one.importer}:{one.line}"
        for one in imports
        if one.imported.startswith("enum") and (room(one.importer) == "cli" or one.importer.endswith(".cli"))
    ]
    assert not strangers, "the words that options choose between are in pamtri_edge.words"


def test_text_is_never_markup(imports):
    strangers = [f"{one.importer}:{one.line}" for one in imports if one.imported.startswith("rich.markup")]
    assert not strangers, "console.out and console.err print text as it is; a color is made by console.styled"


def test_the_folders_of_the_repository_are_not_imported_by_their_own_names(imports):
    names = {one.imported.split(".")[0] for one in imports}
    assert names.isdisjoint({"export", "kernels", "pipelines", "tests", "benchmarks"})
