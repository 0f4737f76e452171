# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.synth.specification.families import family_of
from pamtri_edge.synth.specification.vehicle import FAMILIES, VehicleSpec, sample_vehicle
from pamtri_edge.vehicle import COLORS, TYPES


def _fields(spec, *names):
    return [getattr(spec, name) for name in names]


def test_another_identity_or_seed_is_another_vehicle():
    drawn = {sample_vehicle(seed, identity).to_json() for seed in (0, 1) for identity in range(40)}
    assert len(drawn) == 80


def test_what_differs_between_identities_is_what_a_camera_sees():
    """Not merely the seeds of patterns: shapes, faces, backs, wheels and trim."""
    specs = [sample_vehicle(0, identity, family="sedan", color="white") for identity in range(60)]
    for name, least in (
        ("front", 60),
        ("rear", 60),
        ("wheels", 60),
        ("trim", 55),
        ("cabin", 60),
        ("shape", 60),
    ):
        assert len({getattr(spec, name) for spec in specs}) >= least
    for name, least in (("grille", 9), ("lamp", 8), ("drl", 6), ("intake", 6), ("grille_fill", 7)):
        assert len({getattr(spec.front, name) for spec in specs}) >= least
    assert len({spec.rear.lamp for spec in specs}) >= 8


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_and_a_color_can_be_asked_for(family):
    for color in COLORS:
        spec = sample_vehicle(1, 2, family=family, color=color)
        assert (spec.family, spec.color_name) == (family, color)
        assert spec.type_name in TYPES


def test_vehicles_of_one_model_share_shape_face_and_back_but_not_their_marks():
    specs = [sample_vehicle(0, identity, model=7) for identity in range(12)]
    first = specs[0]
    for spec in specs[1:]:
        assert _fields(spec, "family", "shape") == _fields(first, "family", "shape")
        assert spec.front.grille == first.front.grille
        assert spec.front.lamp == first.front.lamp
        assert spec.rear.lamp == first.rear.lamp
    assert len({spec.plate for spec in specs}) == 12
    assert len({(spec.wheels, spec.trim, spec.cabin, spec.flaws) for spec in specs}) == 12
    assert sample_vehicle(0, 3, model=8).shape != first.shape


def test_colors_keep_apart_in_paint():
    """Brown is darker than golden by far, gray has no hue, black is black."""
    paints = {
        color: np.array([sample_vehicle(0, n, color=color).paint.base for n in range(30)]) for color in COLORS
    }
    luminance = {color: rgb @ np.array([0.2126, 0.7152, 0.0722]) for color, rgb in paints.items()}
    assert luminance["brown"].max() * 2.5 < luminance["golden"].min()
    assert luminance["black"].max() < 0.04 < 0.06 < luminance["gray"].min()
    assert luminance["gray"].max() < luminance["white"].min()
    assert np.ptp(paints["gray"], axis=1).max() < 0.06
    assert (paints["golden"][:, 0] > 1.5 * paints["golden"][:, 2]).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_json_gives_back_every_digit(family):
    for identity in range(2):
        spec = sample_vehicle(9, identity, family=family)
        assert VehicleSpec.from_json(spec.to_json()) == spec


def test_json_that_is_no_vehicle_is_refused():
    good = json.loads(sample_vehicle(0, 0).to_json())
    for text, message in (
        ("{", "not JSON"),
        ("[]", "schema"),
        (json.dumps({**good, "schema": 99}), "schema"),
        (json.dumps({key: value for key, value in good.items() if key != "dirt"}), "dirt"),
        (json.dumps({**good, "horn": 1}), "horn"),
        (json.dumps({**good, "dirt": "much"}), "vehicle.dirt"),
        (json.dumps({**good, "family": "tank"}), "tank"),
        (json.dumps({**good, "paint": {**good["paint"], "base": [0.1, 0.2]}}), r"paint\.base"),
    ):
        with pytest.raises(InputError, match=message):
            VehicleSpec.from_json(text)


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
    assert {sample_vehicle(0, identity).color_name for identity in range(100)} == set(COLORS)


def test_forty_two_consecutive_models_or_vehicles_cover_all_types():
    for seed in (0, 1):
        for start in (0, 1000):
            numbers = range(start, start + 42)
            assert {sample_vehicle(seed, 0, model=n).type_name for n in numbers} == set(TYPES)
            assert {sample_vehicle(seed, n).type_name for n in numbers} == set(TYPES)


def test_families_come_in_the_shares_of_their_weights():
    families = [sample_vehicle(3, identity).family for identity in range(500)]
    total = sum(family_of(name).weight for name in FAMILIES)
    for name in FAMILIES:
        assert families.count(name) / 500 == pytest.approx(family_of(name).weight / total, abs=0.01)


def test_a_second_color_stands_out_and_takes_no_private_cars_name():
    for identity in range(150):
        spec = sample_vehicle(0, identity)
        first, second = (np.array(rgb) for rgb in (spec.paint.base, spec.paint.second))
        assert np.abs(np.log((second + 0.02) / (first + 0.02))).max() > 0.8
        if family_of(spec.family).commercial <= 0.2:
            assert np.ptp(second) < 0.02
