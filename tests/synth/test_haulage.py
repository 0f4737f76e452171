# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Trucks that haul, buses with coolers on the roof, and sets in which they are many."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from surface import lies_on
from typer.testing import CliRunner

from pamtri_edge.cli.synth import app
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.dataset.fleet import Fleet
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.specification.families import FAMILIES
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.vehicle import KEYPOINT_NAMES

HAULING = tuple(name for name, family in FAMILIES.items() if family.haulage)
KINDS = ["panel", "box", "container", "curtain", "tarp", "flatbed", "tipper", "tank", "mixer", "skeleton"]


@cache
def hauling():
    """Return the first of 60 vehicles of each family that carries a kind of load: by kind, then by family."""
    found = {kind: {} for kind in KINDS}
    for family in HAULING:
        for identity in range(60):
            spec = sample_vehicle(3, identity, family=family)
            found[spec.cargo.kind].setdefault(family, spec)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_keypoint_lies_on_the_surface_whatever_is_hauled(kind):
    family, spec = next(iter(hauling()[kind].items()))
    mesh = build(spec)
    for name, point in zip(KEYPOINT_NAMES[:18], mesh.keypoints[:18], strict=True):
        assert lies_on(mesh, point), (family, name)
    assert set(range(13)) <= set(np.unique(mesh.part)), family


def test_every_axle_stands_on_the_road_and_none_in_another():
    for family in HAULING:
        for identity in range(12):
            spec = sample_vehicle(1, identity, family=family)
            places = sorted([0.0, -spec.shape.wheelbase, *spec.cargo.axles])
            assert np.diff(places).min() > 2 * spec.shape.wheel_radius
    spec = sample_vehicle(1, 0, family="semitrailer")
    mesh = build(spec)
    tyres = mesh.vertices[np.unique(mesh.triangles[mesh.material == Material.TYRE])]
    for place in spec.cargo.axles:
        near = np.abs(tyres[:, 0] - (spec.shape.wheelbase / 2 + place)) < spec.shape.wheel_radius
        assert abs(tyres[near, 2].min()) < 0.02


def test_a_trailer_is_longer_than_a_rigid_truck_and_a_load_is_mostly_taller_than_its_cab():
    lengths = {}
    for family in ("box_truck", "rigid_truck", "semitrailer"):
        shapes = [sample_vehicle(2, n, family=family).shape for n in range(6)]
        lengths[family] = np.mean([one.wheelbase + one.front_overhang + one.rear_overhang for one in shapes])
    assert lengths["box_truck"] < 7.5 < lengths["rigid_truck"] < 10 < lengths["semitrailer"]
    for kind in ("panel", "container", "curtain"):
        for spec in hauling()[kind].values():
            assert spec.cargo.height > spec.shape.height - 0.35


def test_newer_families_take_only_from_their_elders():
    """What a vehicle of any other family looks like does not change when families are added."""
    shares = Counter()
    for name, family in FAMILIES.items():
        elder = family.elder or name
        assert FAMILIES[elder].type_name == family.type_name
        assert not FAMILIES[elder].elder
        shares[elder] += family.weight
    wanted = {"truck": 0.06, "light_truck": 0.03, "bus": 0.05, "double_decker": 0.02}
    assert {name: round(shares[name], 9) for name in wanted} == wanted


def test_passers_by_are_of_the_elder_families():
    passers = Fleet(SynthPlan(identities=1, images=1)).passers_by()
    assert not any(FAMILIES[one.spec.family].elder for one in passers)


@pytest.mark.parametrize("family", ["city_bus", "tour_coach", "midi_coach"])
def test_newer_buses_have_coolers_and_hatches_above_the_roof(family):
    spec = sample_vehicle(5, 1, family=family)
    assert len(spec.bus.hatches) >= 2
    assert build(spec).height > spec.shape.height + 0.04


def test_a_plan_hands_its_shares_to_its_fleet():
    plan = SynthPlan(identities=2, images=2, types={"truck": 1.0})
    assert [Fleet(plan).vehicle(n).type for n in range(2)] == ["truck", "truck"]
    assert plan.to_json()["types"] == {"truck": 1.0}


@pytest.mark.parametrize("text", ["truck", "truck=much", "truck=nan", "truck=0.1,truck=0.2"])
def test_the_command_says_how_shares_are_written(tmp_path, text):
    result = CliRunner().invoke(app, ["--output", str(tmp_path / "set"), "--types", text])
    assert result.exit_code == 2
    assert "truck=0.35,bus=0.25" in " ".join(result.output.replace("│", " ").split())
