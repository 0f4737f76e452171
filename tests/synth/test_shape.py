# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from pamtri_edge.synth.body.draft import draft_of
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART, NO_TEXTURE
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.paint.front import plate_height
from pamtri_edge.synth.specification.vehicle import FAMILIES, sample_vehicle

EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)


@EVERY_FAMILY
def test_a_mesh_is_whole(vehicles, family):
    for _, mesh in vehicles[family]:
        vertices, triangles = len(mesh.vertices), len(mesh.triangles)
        assert mesh.vertices.dtype == mesh.normals.dtype == mesh.uv.dtype == mesh.color.dtype == np.float32
        assert mesh.triangles.dtype == mesh.texture.dtype == mesh.material.dtype == np.int32
        assert mesh.part.dtype == mesh.material_maps.dtype == mesh.color_maps.dtype == np.uint8
        assert mesh.normals.shape == (vertices, 3)
        assert mesh.uv.shape == (vertices, 2)
        assert mesh.color.shape == (triangles, 3)
        assert mesh.texture.shape == mesh.material.shape == mesh.part.shape == (triangles,)
        assert mesh.color_maps.shape == (*mesh.material_maps.shape, 3)
        assert mesh.triangles.min() == 0
        assert mesh.triangles.max() < vertices
        assert np.isfinite(mesh.vertices).all()
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
        assert mesh.uv.min() >= 0
        assert mesh.uv.max() <= 1
        assert mesh.texture.min() == NO_TEXTURE
        assert mesh.texture.max() == len(mesh.material_maps) - 1
        assert set(np.unique(mesh.material_maps)) <= {int(one) for one in Material}
        assert set(np.unique(mesh.part)) <= {*range(13), NO_PART}


@EVERY_FAMILY
def test_the_measures_are_those_of_the_specification(vehicles, family):
    for spec, mesh in vehicles[family]:
        shape = spec.shape
        length = shape.wheelbase + shape.front_overhang + shape.rear_overhang
        assert mesh.length == pytest.approx(length, abs=0.35)
        assert mesh.width == shape.width
        assert mesh.height >= shape.height - 0.1
        assert abs(mesh.vertices[:, 2].min()) < 0.02  # the tyres stand on the ground
        assert np.abs(mesh.vertices[:, 1]).max() < shape.width / 2 + 0.36  # mirrors included


@EVERY_FAMILY
def test_the_skin_is_symmetric(vehicles, family):
    """Left and right sheets may differ, the surface under them may not."""
    _, mesh = vehicles[family][0]
    left = mesh.vertices[np.unique(mesh.triangles[mesh.texture == 0])]
    right = mesh.vertices[np.unique(mesh.triangles[mesh.texture == 1])]
    np.testing.assert_array_equal(left * np.array([1, -1, 1], np.float32), right)


@EVERY_FAMILY
def test_normals_point_outward(vehicles, family):
    """Seen from the middle of the body, every point of the skin faces away."""
    _, mesh = vehicles[family][0]
    skin = np.isin(mesh.texture, (0, 1, 2))
    corner = mesh.vertices[mesh.triangles[skin]].mean(axis=1)
    normal = mesh.normals[mesh.triangles[skin]].mean(axis=1)
    middle = np.array([corner[:, 0].mean(), 0, 0.45 * corner[:, 2].max()])
    facing = ((corner - middle) * normal).sum(axis=1) > -0.05
    assert facing.mean() > 0.97


@EVERY_FAMILY
def test_sides_and_faces_meet_without_a_fold(vehicles, family):
    """Where a side and the band share a point, they share its normal: no crack beside the headlamps."""
    _, mesh = vehicles[family][1]
    side = np.unique(mesh.triangles[mesh.texture == 0])
    band = np.unique(mesh.triangles[np.isin(mesh.texture, (2, 3, 4))])
    place = {tuple(np.round(mesh.vertices[i], 4)): i for i in side}
    shared = [(place[key], i) for i in band if (key := tuple(np.round(mesh.vertices[i], 4))) in place]
    rows = len(np.unique(mesh.vertices[band][:, 0].round(4)))
    assert len(shared) > 30
    assert rows > 30
    for one, other in shared:
        assert mesh.normals[one] @ mesh.normals[other] > 0.999


def test_the_surface_turns_smoothly_beside_the_headlamps(vehicles):
    """Between the front face and the fender neighboring normals differ by less than 40 degrees."""
    for _, mesh in vehicles["sedan"] + vehicles["suv"] + vehicles["van"]:
        corner = (mesh.texture == 2) | (mesh.texture == 0)
        edges = mesh.triangles[corner][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        place = mesh.vertices[edges].mean(axis=1)
        near = (place[:, 0] > mesh.keypoints[16, 0] - 0.25) & (place[:, 2] > 0.4) & (place[:, 2] < 0.7)
        turn = (mesh.normals[edges[near, 0]] * mesh.normals[edges[near, 1]]).sum(axis=1)
        assert near.sum() > 50
        assert turn.min() > np.cos(np.radians(40))


@EVERY_FAMILY
def test_every_vehicle_shows_glass_lamps_a_plate_and_tyres_in_open_arches(vehicles, family):
    for _, mesh in vehicles[family]:
        assert (mesh.material_maps[0] == Material.HOLE).mean() > 0.01
        present = set(np.unique(mesh.material_maps)) | set(np.unique(mesh.material[mesh.texture < 0]))
        for material in (
            Material.PAINT,
            Material.GLASS,
            Material.HEADLAMP,
            Material.TAILLAMP,
            Material.PLATE,
            Material.TYRE,
        ):
            assert material in present, material.name


def test_a_plate_hangs_under_the_grille_not_across_it():
    """Only where a grille reaches down to the bumper's foot does the plate hang in it, as low as it can."""
    across = 0
    for identity in range(60):
        draft = draft_of(sample_vehicle(8, identity))
        front, plate = draft.spec.front, draft.spec.plate
        foot = draft.spec.shape.hood_front_z - front.grille_top - front.grille_height
        top = plate_height(draft) + plate.height / 2
        if top > foot:
            across += 1
            assert plate_height(draft) == pytest.approx(draft.frame.sill + plate.height / 2 + 0.05)
    assert across < 20


def test_identities_of_one_model_and_color_look_different():
    """The same model in the same color twice: the maps still differ on every side that a camera sees."""
    one, other = (
        build(sample_vehicle(0, identity, model=3, color="white", family="sedan")) for identity in (1, 2)
    )
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    for sheet, name in ((0, "left"), (2, "front"), (3, "rear"), (4, "top"), (5, "wheels")):
        same = (one.material_maps[sheet] == other.material_maps[sheet]) & (
            np.abs(one.color_maps[sheet].astype(int) - other.color_maps[sheet]).max(axis=-1) < 8
        )
        assert same.mean() < 0.998, name


def test_some_vehicles_carry_marks_on_one_side_only():
    differing = 0
    for identity in range(12):
        mesh = build(sample_vehicle(0, identity, family="hatchback"))
        differing += bool((mesh.material_maps[0] != mesh.material_maps[1]).mean() > 1e-4)
    assert differing >= 9


def test_nothing_behind_shines_like_a_headlamp(vehicles):
    """Reversing lamps are white and dark at night; what is HEADLAMP a renderer lights up."""
    for _, mesh in itertools.chain(*vehicles.values()):
        assert not (mesh.material_maps[3] == Material.HEADLAMP).any()
