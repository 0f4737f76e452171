# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The compiled decisions themselves: their stub, and what they refuse."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pamtri_edge
from pamtri_edge import _core
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.geometry import crop_rectangles
from pamtri_edge.video.gate import GateSpec

ROOT = Path(__file__).resolve().parents[2]


def signatures(stub: str) -> dict[str, list[str]]:
    """Return the functions, methods and properties of a stub, and the names of their arguments."""
    found = {}
    for node in ast.parse(stub).body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, ast.FunctionDef) and "setter" not in ast.dump(member):
                owner = node.name + "." if isinstance(node, ast.ClassDef) else ""
                found[owner + member.name] = [argument.arg for argument in member.args.args]
            elif isinstance(member, ast.AnnAssign) and member is not node:  # a property that can be set
                found[f"{node.name}.{ast.unparse(member.target)}"] = ["self"]  # type: ignore[union-attr]
    return found


def test_the_committed_stub_names_what_the_module_has() -> None:
    stubgen = pytest.importorskip("nanobind.stubgen", reason="nanobind generates the stub to compare with")
    generator = stubgen.StubGen(_core)
    generator.put(_core)
    committed = signatures((ROOT / "pamtri_edge" / "_core.pyi").read_text())
    generated = signatures(generator.get())
    assert {name: args for name, args in generated.items() if args or name in committed} == committed


def test_the_numbers_of_the_gate_are_those_of_the_core() -> None:
    numbers = {name for name in dir(_core.GateSpec) if not name.startswith("_")} - {"check"}
    assert {field.name for field in dataclasses.fields(GateSpec)} == numbers


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(GateSpec)])
def test_numbers_that_cannot_be_meant_are_refused_by_name(name: str) -> None:
    bad = (
        [0, -1]
        if name in ("min_side", "max_views")
        else [-1]
        if name == "reinfer_interval"
        else [-0.1, float("nan"), float("inf")]
    )
    for value in bad:
        with pytest.raises(InputError, match=f"{name} .*(expected a number|must be at least 1)"):
            GateSpec(**{name: value})  # type: ignore[arg-type]


def test_frames_beyond_what_a_rectangle_holds_are_refused() -> None:
    box = np.array([[0.0, 0.0, 5.0, 5.0]])
    largest = 2**31 - 1
    assert _core.crop_rectangles(box, largest, 9, "exact").tolist() == [[0, 0, 5, 5]]
    for size in ((largest + 1, 9), (9, -1)):
        with pytest.raises(InputError, match="expected sides of 0 to 2147483647 pixels"):
            _core.crop_rectangles(box, *size, "exact")


def test_another_rule_is_refused() -> None:
    with pytest.raises(InputError, match="the crop rule is 'even'; expected 'exact' or 'nvinfer'"):
        _core.crop_rectangles(np.zeros((0, 4)), 9, 9, "even")


def test_views_of_two_bundles_are_not_fused() -> None:
    fusion = _core.Fusion()
    half = np.float32([0.5, 0.5])
    fusion.add(1.0, 1.0, True, half, half, None)
    with pytest.raises(InputError, match="an embedding has 3 numbers, one before it 2"):
        fusion.add(1.0, 1.0, True, np.ones(3, np.float32), half, None)
    with pytest.raises(InputError, match="a view has 1 probabilities of color, one before it 2"):
        fusion.add(1.0, 1.0, True, half, half[:1], None)
    with pytest.raises(InputError, match="color probabilities that sum to 0; check the bundle"):
        fusion.add(1.0, 1.0, True, half, 0 * half, None)
    assert fusion.embedding().tolist() == pytest.approx([np.sqrt(0.5)] * 2)  # nothing has changed


def test_without_compiled_code_a_box_is_answered_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(pamtri_edge, "_core")
    monkeypatch.setitem(sys.modules, "pamtri_edge._core", None)
    with pytest.raises(MissingDependencyError, match=r"_core, cannot be loaded .* pip install \."):
        crop_rectangles([(0, 0, 5, 5)], 9, 9)


def test_the_package_itself_does_without_the_core() -> None:
    code = "import sys, pamtri_edge, pamtri_edge.geometry; assert 'pamtri_edge._core' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
