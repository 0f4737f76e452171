# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pamtri_edge.synth.body.draft import draft_of
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART, NO_TEXTURE
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.paint.front import plate_height
from pamtri_edge.synth.specification.vehicle import sample_vehicle


def test_a_mesh_is_whole(vehicles):
    for family, (_, mesh) in vehicles.items():
        vertices, triangles = len(mesh.vertices), len(mesh.triangles)
        assert mesh.vertices.dtype == mesh.normals.dtype == mesh.uv.dtype == mesh.color.dtype == np.float32
        assert mesh.triangles.dtype == mesh.texture.dtype == mesh.material.dtype == np.int32
        assert mesh.part.dtype == mesh.material_maps.dtype == mesh.color_maps.dtype == np.uint8
        assert mesh.normals.shape == (vertices, 3)
        assert mesh.uv.shape == (vertices, 2)
        assert mesh.color.shape == (triangles, 3)
        assert mesh.texture.shape == mesh.material.shape == mesh.part.shape == (triangles,)
        assert mesh.color_maps.shape == (*mesh.material_maps.shape, 3)
        assert (mesh.triangles.min(), mesh.triangles.max()) == (0, vertices - 1), family
        assert np.isfinite(mesh.vertices).all(), family
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4, err_msg=family)
        assert 0 <= mesh.uv.min() < mesh.uv.max() <= 1, family
        assert mesh.texture.min() == NO_TEXTURE
        assert mesh.texture.max() == len(mesh.material_maps) - 1, family
        assert set(np.unique(mesh.material_maps)) <= {int(one) for one in Material}
        assert set(np.unique(mesh.part)) <= {*range(13), NO_PART}


def test_the_measures_are_those_of_the_specification(vehicles):
    for family, (spec, mesh) in vehicles.items():
        shape = spec.shape
        length = shape.wheelbase + shape.front_overhang + shape.rear_overhang
        assert mesh.length == pytest.approx(length, abs=0.35), family
        assert mesh.width == shape.width
        assert mesh.height >= shape.height - 0.1, family
        assert abs(mesh.vertices[:, 2].min()) < 0.02, family  # the tyres stand on the ground
        assert np.abs(mesh.vertices[:, 1]).max() < shape.width / 2 + 0.36, family  # mirrors included


def test_the_skin_is_symmetric(vehicles):
    """Left and right sheets may differ, the surface under them may not."""
    for family, (_, mesh) in vehicles.items():
        left = mesh.vertices[np.unique(mesh.triangles[mesh.texture == 0])]
        right = mesh.vertices[np.unique(mesh.triangles[mesh.texture == 1])]
        np.testing.assert_array_equal(left * np.array([1, -1, 1], np.float32), right, family)


def test_normals_point_outward(vehicles):
    """Seen from the middle of the body, every point of the skin faces away."""
    for family, (_, mesh) in vehicles.items():
        skin = np.isin(mesh.texture, (0, 1, 2))
        corner = mesh.vertices[mesh.triangles[skin]].mean(axis=1)
        normal = mesh.normals[mesh.triangles[skin]].mean(axis=1)
        middle = np.array([corner[:, 0].mean(), 0, 0.45 * corner[:, 2].max()])
        facing = ((corner - middle) * normal).sum(axis=1) > -0.05
        assert facing.mean() > 0.97, family


def test_sides_and_faces_meet_without_a_fold(vehicles):
    """Where a side and the band share a point, they share its normal: no crack beside the headlamps."""
    for family, (_, mesh) in vehicles.items():
        side = np.unique(mesh.triangles[mesh.texture == 0])
        band = np.unique(mesh.triangles[np.isin(mesh.texture, (2, 3, 4))])
        place = {tuple(point): row for row, point in zip(side, mesh.vertices[side].round(4), strict=True)}
        keys = map(tuple, mesh.vertices[band].round(4))
        shared = np.array([(place[key], row) for row, key in zip(band, keys, strict=True) if key in place])
        assert len(shared) > 30, family
        normals = mesh.normals[shared]
        assert (normals[:, 0] * normals[:, 1]).sum(axis=1).min() > 0.999, family


def test_the_surface_turns_smoothly_beside_the_headlamps(vehicles):
    """Between the front face and the fender neighboring normals differ by less than 40 degrees."""
    for family in ("sedan", "suv", "van"):
        _, mesh = vehicles[family]
        corner = (mesh.texture == 2) | (mesh.texture == 0)
        edges = mesh.triangles[corner][:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
        place = mesh.vertices[edges].mean(axis=1)
        near = (place[:, 0] > mesh.keypoints[16, 0] - 0.25) & (place[:, 2] > 0.4) & (place[:, 2] < 0.7)
        turn = (mesh.normals[edges[near, 0]] * mesh.normals[edges[near, 1]]).sum(axis=1)
        assert near.sum() > 50
        assert turn.min() > np.cos(np.radians(40))


def test_every_vehicle_shows_glass_lamps_a_plate_and_tyres_in_open_arches(vehicles):
    shown = {"PAINT", "GLASS", "HEADLAMP", "TAILLAMP", "PLATE", "TYRE"}
    for family, (_, mesh) in vehicles.items():
        assert (mesh.material_maps[0] == Material.HOLE).mean() > 0.01
        present = {*np.unique(mesh.material_maps), *np.unique(mesh.material[mesh.texture < 0])}
        assert shown <= {Material(number).name for number in present}, family


def test_a_plate_hangs_under_the_grille_not_across_it():
    """Only where a grille reaches down to the bumper's foot does the plate hang in it, as low as it can."""
    across = 0
    for identity in range(30):
        draft = draft_of(sample_vehicle(8, identity))
        front, plate = draft.spec.front, draft.spec.plate
        foot = draft.spec.shape.hood_front_z - front.grille_top - front.grille_height
        top = plate_height(draft) + plate.height / 2
        if top > foot:
            across += 1
            assert plate_height(draft) == pytest.approx(draft.frame.sill + plate.height / 2 + 0.05)
    assert across < 10


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
    for identity in range(5):
        mesh = build(sample_vehicle(0, identity, family="hatchback"))
        differing += bool((mesh.material_maps[0] != mesh.material_maps[1]).mean() > 1e-4)
    assert differing >= 4


def test_nothing_behind_shines_like_a_headlamp(vehicles):
    """Reversing lamps are white and dark at night; what is HEADLAMP a renderer lights up."""
    for family, (_, mesh) in vehicles.items():
        assert not (mesh.material_maps[3] == Material.HEADLAMP).any(), family
