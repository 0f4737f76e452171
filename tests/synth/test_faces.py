# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of grille, lamp, badge, wheel ... can be painted, and no two kinds look alike."""

import dataclasses
import itertools

import numpy as np
import pytest

from pamtri_edge.synth.body.draft import FRONT, LEFT, REAR, RIGHT, WHEELS, draft_of
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NEUTRAL
from pamtri_edge.synth.paint.decals import paint_decals
from pamtri_edge.synth.paint.front import GRILLES, INTAKES, paint_front
from pamtri_edge.synth.paint.lamps import HEADLAMPS, TAILLAMPS
from pamtri_edge.synth.paint.rear import paint_rear
from pamtri_edge.synth.paint.side import paint_sides
from pamtri_edge.synth.paint.wheels import paint_wheels
from pamtri_edge.synth.specification.marks import Decal
from pamtri_edge.synth.specification.vehicle import sample_vehicle

PAINTED = {"front": (FRONT, paint_front), "rear": (REAR, paint_rear), "wheels": (WHEELS, paint_wheels)}

DECALS = (
    *("stripe", "wedge", "panel", "lettering", "round"),
    *("checker", "swoosh", "rows", "block", "twin_stripe"),
)
KINDS = {
    ("front", "grille"): tuple(GRILLES),
    ("front", "grille_fill"): (
        *("bars", "thick_bars", "uprights", "one_bar", "wing_bar"),
        *("net", "dots", "hollow", "paint"),
    ),
    ("front", "grille_frame"): ("chrome", "satin", "dark", "paint"),
    ("front", "badge"): (
        *("round", "oval", "ring", "bow_tie", "bar"),
        *("diamond", "rings", "star", "words", "none"),
    ),
    ("front", "lamp"): tuple(HEADLAMPS),
    ("front", "drl"): ("none", "foot", "brow", "hook", "tick", "bars", "frame"),
    ("front", "intake"): tuple(INTAKES),
    ("front", "fog"): ("none", "round", "slot", "upright", "amber", "double"),
    ("front", "insert"): ("none", "silver", "chrome", "paint", "dark"),
    ("front", "bumper"): ("paint", "plastic", "second", "chrome"),
    ("rear", "lamp"): tuple(TAILLAMPS),
    ("rear", "lamp_pattern"): (
        *("plain", "white_low", "white_mid", "amber_top", "amber_low"),
        *("amber_out", "white_in", "clear", "led", "bright_rim"),
    ),
    ("rear", "strip"): ("none", "chrome", "dark", "paint"),
    ("rear", "insert"): ("none", "dark", "silver", "diffuser"),
    ("rear", "reflectors"): ("none", "bar", "round"),
    ("rear", "exhausts"): ("none", "left", "right", "both", "wide", "center"),
    ("wheels", "style"): (
        *("spokes", "double", "turbine", "net", "fork", "star"),
        *("cover", "steel", "disc", "truck", "windmill"),
    ),
    ("wheels", "finish"): ("bright", "satin", "dark", "black", "two_tone", "paint"),
}


def plain():
    """Return a vehicle on which every kind can be seen: nothing covers another thing."""
    spec = sample_vehicle(3, 3, family="suv", color="blue")
    # fmt: off
    front = dataclasses.replace(
        spec.front,
        grille="box", grille_fill="bars", grille_frame="chrome", grille_width=0.4, grille_height=0.18,
        grille_top=0.05, lamp="rectangle", lamp_height=0.16, lamp_housing="dark", lamp_lenses=1,
        intake="wide", intake_height=0.12, fog="none", insert="none", bumper="paint", badge="round",
        plate_z=0.5,
    )
    rear = dataclasses.replace(
        spec.rear,
        lamp="horizontal", lamp_inner=0.5, lamp_top=spec.shape.deck_z - 0.05, lamp_height=0.24,
        lamp_pattern="plain", strip="none", insert="none", insert_height=0.15, plate_at="gate",
        exhausts="none", reflectors="none", spare_wheel=False, ladder=False,
    )
    # fmt: on
    wheels = dataclasses.replace(spec.wheels, style="spokes", finish="bright", spokes=7)
    trim = dataclasses.replace(spec.trim, cladding=0.0, bull_bar=False, two_tone="none")
    return dataclasses.replace(
        spec, front=front, rear=rear, wheels=wheels, trim=trim, decals=(), flaws=(), dirt=0.0
    )


@pytest.fixture(scope="module")
def draft():
    return draft_of(plain())


@pytest.mark.parametrize(("group", "field"), KINDS, ids=[".".join(key) for key in KINDS])
def test_no_two_kinds_look_alike(draft, group, field):
    spec = plain()
    sheet, paint = PAINTED[group]
    painted = {}
    for kind in KINDS[group, field]:
        part = dataclasses.replace(getattr(spec, group), **{field: kind})
        draft.materials[sheet], draft.colors[sheet] = Material.PAINT, NEUTRAL
        paint(dataclasses.replace(draft, spec=dataclasses.replace(spec, **{group: part})))
        texels = np.concatenate([draft.materials[sheet][..., None], draft.colors[sheet]], axis=-1)
        painted[kind] = texels.view(np.uint32)
    for one, other in itertools.combinations(painted, 2):
        differing = (painted[one] != painted[other]).sum()
        assert differing > 30, f"{one} and {other} differ in {differing} texels"


def test_what_is_drawn_is_among_the_kinds():
    for identity in range(60):
        spec = sample_vehicle(2, identity)
        for (group, field), kinds in KINDS.items():
            assert getattr(getattr(spec, group), field) in kinds
        assert {decal.kind for decal in spec.decals} <= set(DECALS)


@pytest.mark.parametrize(("kind", "place"), list(zip(DECALS, itertools.cycle(["left", "right", "both"]))))
def test_a_decal_appears_on_its_side_alone(draft, kind, place):
    decal = Decal(kind, place, 0.5, 0.6, 1.2, 0.2, (0.6, 0.1, 0.1), (0.7, 0.7, 0.7), 9)
    draft.materials[:] = Material.PAINT
    paint_decals(dataclasses.replace(draft, spec=dataclasses.replace(plain(), decals=(decal,))))
    for sheet, side in ((LEFT, "left"), (RIGHT, "right")):
        assert ((draft.materials[sheet] == Material.MATTE).sum() > 100) == (place in (side, "both"))


def glass(family, gate):
    """Return how much of a vehicle's left side is glass."""
    spec = sample_vehicle(3, 3, family=family)
    draft = draft_of(dataclasses.replace(spec, rear=dataclasses.replace(spec.rear, gate=gate)))
    paint_sides(draft)
    return (draft.materials[LEFT] == Material.GLASS).mean()


def test_a_van_with_rear_doors_carries_goods_and_a_minibus_people():
    assert glass("van", "doors") < 0.7 * glass("van", "hatch")  # the cab's windows alone
    assert glass("minibus", "doors") == pytest.approx(glass("minibus", "hatch"), rel=0.05)
