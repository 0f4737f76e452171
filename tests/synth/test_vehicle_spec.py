# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import itertools

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.synth.specification.families import FAMILIES, family_at
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.vehicle import COLORS, TYPES


def test_another_identity_or_seed_is_another_vehicle():
    drawn = [sample_vehicle(seed, identity) for seed in (0, 1) for identity in range(10)]
    assert len({dataclasses.replace(spec, seed=0, identity=0) for spec in drawn}) == 20
    assert sample_vehicle(1, 9) == drawn[-1]


def test_what_differs_between_identities_is_what_a_camera_sees():
    """Not merely the seeds of patterns: shapes, faces, backs, wheels and trim."""
    specs = [sample_vehicle(0, identity, family="sedan", color="white") for identity in range(60)]
    for name in ("front", "rear", "wheels", "cabin", "shape"):
        assert len({getattr(spec, name) for spec in specs}) == 60
    assert len({spec.trim for spec in specs}) >= 55
    for name, least in (("grille", 9), ("lamp", 8), ("drl", 6), ("intake", 6), ("grille_fill", 7)):
        assert len({getattr(spec.front, name) for spec in specs}) >= least
    assert len({spec.rear.lamp for spec in specs}) >= 8


def test_a_family_and_a_color_can_be_asked_for():
    for family, color in zip(FAMILIES, itertools.cycle(COLORS)):
        spec = sample_vehicle(1, 2, family=family, color=color)
        assert (spec.family, spec.color_name) == (family, color)
        assert spec.type_name in TYPES


def test_vehicles_of_one_model_share_shape_face_and_back_but_not_their_marks():
    specs = [sample_vehicle(0, identity, model=7) for identity in range(12)]
    first = specs[0]
    for spec in specs[1:]:
        assert (spec.family, spec.shape) == (first.family, first.shape)
        assert (spec.front.grille, spec.front.lamp) == (first.front.grille, first.front.lamp)
        assert spec.rear.lamp == first.rear.lamp
    assert len({spec.plate for spec in specs}) == 12
    assert len({(spec.wheels, spec.trim, spec.cabin, spec.flaws) for spec in specs}) == 12
    assert sample_vehicle(0, 3, model=8).shape != first.shape


def test_colors_keep_apart_in_paint():
    """Brown is darker than golden by far, gray has no hue, black is black."""
    paints = {
        color: np.array([sample_vehicle(0, n, color=color).paint.base for n in range(12)]) for color in COLORS
    }
    luminance = {color: rgb @ np.array([0.2126, 0.7152, 0.0722]) for color, rgb in paints.items()}
    assert luminance["brown"].max() * 2.5 < luminance["golden"].min()
    assert luminance["black"].max() < 0.04 < 0.06 < luminance["gray"].min()
    assert luminance["gray"].max() < luminance["white"].min()
    assert np.ptp(paints["gray"], axis=1).max() < 0.06
    assert (paints["golden"][:, 0] > 1.5 * paints["golden"][:, 2]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1, "identity": 0}, "seed"),
        ({"seed": 0, "identity": -1}, "identity"),
        ({"seed": 0, "identity": 0, "model": -2}, "model"),
        ({"seed": 0, "identity": 0, "family": "limousine"}, "limousine"),
        ({"seed": 0, "identity": 0, "color": "pink"}, "pink"),
    ],
)
def test_an_order_that_cannot_be_filled_names_what_can(arguments, message):
    with pytest.raises(InputError, match=message):
        sample_vehicle(**arguments)


def test_left_alone_all_colors_come():
    assert {sample_vehicle(0, identity).color_name for identity in range(60)} == set(COLORS)


def test_forty_two_consecutive_models_or_vehicles_cover_all_types():
    for start in (0, 1000):
        numbers = range(start, start + 42)
        assert {sample_vehicle(1, 0, model=n).type_name for n in numbers} == set(TYPES)
        assert {sample_vehicle(1, n).type_name for n in numbers} == set(TYPES)


def test_families_come_in_the_shares_of_their_weights():
    families = [family_at(0.3, number) for number in range(500)]
    total = sum(family.weight for family in FAMILIES.values())
    for name, family in FAMILIES.items():
        assert families.count(name) / 500 == pytest.approx(family.weight / total, abs=0.01)


def test_types_come_in_the_shares_that_are_asked_for():
    shares = {"truck": 0.35, "bus": 0.25}
    types = [FAMILIES[family_at(0.3, number, shares)].type_name for number in range(600)]
    for name, share in shares.items():
        assert types.count(name) / 600 == pytest.approx(share, abs=0.01)
    assert set(types) == set(TYPES)
    assert types.count("sedan") > types.count("estate") > 0
    assert {sample_vehicle(4, n, shares={"bus": 1.0}).type_name for n in range(8)} == {"bus"}
    assert "van" not in {family_at(0.3, number, {"van": 0.0}) for number in range(60)}


def test_a_second_color_stands_out_and_takes_no_private_cars_name():
    for identity in range(60):
        spec = sample_vehicle(0, identity)
        first, second = (np.array(rgb) for rgb in (spec.paint.base, spec.paint.second))
        assert np.abs(np.log((second + 0.02) / (first + 0.02))).max() > 0.8
        if FAMILIES[spec.family].commercial <= 0.2:
            assert np.ptp(second) < 0.02
