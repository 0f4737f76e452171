# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes from elsewhere: turned, scaled and named right, or refused with what is wrong."""

import json
import sys

import numpy as np
import pytest
from own_car import add, car, keypoints, trimesh, write

from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NO_PART, NO_TEXTURE
from pamtri_edge.synth.own import conversion
from pamtri_edge.synth.own.meshes import read_mesh, read_meshes
from pamtri_edge.synth.own.normals import with_normals
from pamtri_edge.vehicle import KEYPOINT_NAMES, SEGMENTS


def test_a_mesh_is_read_with_its_materials_parts_and_keypoints(tmp_path):
    read = read_mesh(write(tmp_path, "car.glb", car()))
    mesh = read.mesh
    assert (read.name, read.type_name) == ("car.glb", "sedan")
    assert np.allclose(mesh.keypoints, keypoints(), atol=1e-5)
    assert mesh.length == pytest.approx(4.23, abs=0.01)
    assert mesh.height == pytest.approx(1.45, abs=0.01)
    assert mesh.vertices[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    counts = np.bincount(mesh.material, minlength=14)
    assert counts[Material.PAINT] == counts[Material.GLASS] == counts[Material.HEADLAMP] == 12
    assert counts[Material.TYRE] == 4 * 96
    assert (mesh.texture == NO_TEXTURE).all()
    logo = mesh.color[mesh.material == Material.MATTE]
    assert np.allclose(logo, [0, 1, 0])
    assert np.allclose(mesh.color[mesh.material == Material.PAINT], 0.5)  # leaves the paint as it is
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-5)
    assert mesh.vertices.dtype == mesh.normals.dtype == mesh.uv.dtype == np.float32
    assert mesh.triangles.dtype == mesh.material.dtype == np.int32


def test_parts_are_those_of_the_segments_that_the_keypoints_span(tmp_path):
    scene = car()
    scene.geometry["shell"] = scene.geometry["shell"].subdivide().subdivide().subdivide()
    scene.geometry["shell"].visual = car().geometry["shell"].visual
    mesh = read_mesh(write(tmp_path, "car.glb", scene)).mesh
    centers = mesh.vertices[mesh.triangles].mean(axis=1)
    names = [segment.name for segment in SEGMENTS]
    paint = mesh.material == Material.PAINT

    def part(where):
        found = np.bincount(mesh.part[paint & where], minlength=256).argmax()
        return names[found]

    x, y, z = centers.T
    assert part((y > 0.84) & (np.abs(x) < 0.5)) == "left_doors"
    assert part((y < -0.84) & (x < -1.5) & (z > 0.6)) == "right_rear_fender"
    assert part(x > 2.09) == "front_face"
    assert part(x < -2.09) == "rear_face"
    assert part((z > 0.94) & (x > 1.3)) == "hood"
    assert (mesh.part[paint & (z < 0.31)] == NO_PART).mean() > 0.5  # its floor is none of them


def test_normals_are_smooth_over_bends_and_sharp_at_edges():
    ball = trimesh.creation.icosphere(subdivisions=3)
    vertices, normals, triangles = with_normals(ball.vertices, ball.faces)
    assert len(vertices) == len(ball.vertices)  # nothing to double
    assert np.abs(normals - vertices).max() < 0.03
    assert np.allclose(vertices[triangles], ball.vertices[ball.faces])
    box = trimesh.creation.box((1, 2, 3))
    vertices, normals, triangles = with_normals(box.vertices, box.faces)
    assert len(vertices) == 24
    assert np.allclose(np.abs(normals).max(axis=1), 1.0)
    assert np.allclose(vertices[triangles], box.vertices[box.faces])


def test_triangles_without_area_and_vertices_of_many_triangles_do_no_harm():
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]])
    _, normals, _ = with_normals(corners, np.array([[0, 1, 2], [0, 1, 3]]))
    assert np.allclose(normals[:, 2], 1.0)
    disc = trimesh.creation.cylinder(1.0, 0.1, sections=500)
    _, normals, _ = with_normals(disc.vertices, disc.faces)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1.0)


TURNS = {
    "y up, as glTF": trimesh.transformations.rotation_matrix(-np.pi / 2, [1, 0, 0]),
    "backward": trimesh.transformations.rotation_matrix(np.pi, [0, 0, 1]),
    "askew and far away": trimesh.transformations.compose_matrix(
        angles=(0.4, 1.1, -2.0), translate=(50.0, -7.0, 3.0)
    ),
}


@pytest.mark.parametrize(
    ("suffix", "turn"), [(".glb", name) for name in TURNS] + [(".obj", "askew and far away")]
)
def test_whichever_way_it_faces_it_comes_out_the_same(tmp_path, suffix, turn):
    straight = read_mesh(write(tmp_path, f"a{suffix}", car())).mesh
    turned = read_mesh(write(tmp_path, f"b{suffix}", car(), turn=TURNS[turn])).mesh
    assert np.allclose(turned.keypoints, straight.keypoints, atol=1e-4)
    assert np.allclose(sorted(turned.vertices[:, 0]), sorted(straight.vertices[:, 0]), atol=1e-4)
    assert turned.height == pytest.approx(straight.height, abs=1e-4)
    assert sorted(turned.part.tolist()) == sorted(straight.part.tolist())


def test_centimeters_are_told_or_refused(tmp_path):
    scale = trimesh.transformations.scale_matrix(100.0)
    path = write(tmp_path, "car.glb", car(), turn=scale, metres_per_unit=0.01)
    assert read_mesh(path).mesh.length == pytest.approx(4.23, abs=0.01)
    wrong = write(tmp_path, "car.glb", car(), turn=scale)
    with pytest.raises(InputError, match=r"wheels stand 260 m apart.*metres_per_unit"):
        read_mesh(wrong)


def test_own_rules_come_before_ours_and_null_leaves_away(tmp_path):
    rules = {"logo": "CHROME", "tyre": None, "glass": "DARK"}
    mesh = read_mesh(write(tmp_path, "car.glb", car(), materials=rules)).mesh
    counts = np.bincount(mesh.material, minlength=14)
    assert counts[Material.CHROME] == counts[Material.DARK] == 12
    assert counts[Material.TYRE] == counts[Material.GLASS] == counts[Material.MATTE] == 0


NAMES = {
    "Car_Paint.001": Material.PAINT,
    "front_light_glass": Material.HEADLAMP,
    "BrakeLights": Material.TAILLAMP,
    "windscreen": Material.GLASS,
    "Tire": Material.TYRE,
    "Rim_alloy": Material.CHROME,
    "license plate": Material.PLATE,
    "black plastic trim": Material.PLASTIC,
    "Blinker_L": Material.INDICATOR,
    "black": Material.MATTE,
}


def test_names_say_what_things_are_made_of(tmp_path):
    scene, box = car(), trimesh.creation.box((0.1, 0.1, 0.1))
    places = {name: (0.2 * number - 1.0, 0, 0.6) for number, name in enumerate(NAMES)}
    for name, place in places.items():
        add(scene, f"more {name}", name, box.copy(), place, [9, 9, 9])
    mesh = read_mesh(write(tmp_path, "car.glb", scene)).mesh
    centers = mesh.vertices[mesh.triangles].mean(axis=1)
    for name, place in places.items():
        there = np.abs(centers - place).max(axis=1) < 0.06
        assert mesh.material[there].tolist() == [NAMES[name]] * 12, name


def test_too_many_triangles_are_thinned_and_the_shape_stays(tmp_path, monkeypatch, caplog):
    scene = car()
    fine = scene.geometry["shell"]
    for _ in range(5):
        fine = fine.subdivide()
    fine.visual = scene.geometry["shell"].visual
    scene.geometry["shell"] = fine
    path = write(tmp_path, "car.glb", scene)
    monkeypatch.setattr(conversion, "MAX_TRIANGLES", 10_000)
    assert len(fine.faces) > 10_000
    mesh = read_mesh(path).mesh
    assert 1000 < len(mesh.triangles) <= 10_000
    assert "thinned to" in caplog.text
    assert mesh.length == pytest.approx(4.23, abs=0.03)
    assert mesh.height == pytest.approx(1.45, abs=0.03)
    monkeypatch.setattr(conversion, "MAX_TRIANGLES", 300)
    with pytest.raises(InputError, match=r"has \d+ triangles.*at most 300 are accepted"):
        read_mesh(path)


POINTS = dict(zip(KEYPOINT_NAMES, keypoints().tolist(), strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", 'has no "keypoints"'),
        ({"type": "car"}, "type 'car'; accepted: sedan, suv"),
        ({"metres_per_unit": 0}, "metres_per_unit is 0; expected a number"),
        ({"materials": {"(": "PAINT"}}, "is no pattern with a material"),
        ({"materials": {"x": "GOLD"}}, "'GOLD' is no pattern with a material"),
        ({"keypoints": dict(list(POINTS.items())[:-1])}, "lacks right_front_bumper_bottom"),
        ({"keypoints": {**POINTS, "nose": [0, 0, 0]}}, "has nose, which is none"),
        ({"keypoints": {**POINTS, "left_hood_front": [0, 0]}}, "three finite numbers"),
        ({"keypoints": {**POINTS, "left_hood_front": [9, 0, 0]}}, "left_hood_front lie outside the mesh"),
        ({"keypoints": {name: [0, 0, 0] for name in POINTS}}, "say no direction"),
        (
            {"keypoints": dict(zip(KEYPOINT_NAMES, np.roll(keypoints(), 18, axis=0).tolist(), strict=True))},
            "roof lies below its wheels; left and right",
        ),
    ],
)
def test_what_is_wrong_with_the_notes_is_told(tmp_path, changes, message):
    path = write(tmp_path, "car.glb", car())
    notes = path.with_suffix(".json")
    text = changes if isinstance(changes, str) else json.dumps(json.loads(notes.read_text()) | changes)
    notes.write_text(text)
    with pytest.raises(InputError, match=message):
        read_mesh(path)


def test_a_mesh_without_paint_or_notes_or_content_is_refused(tmp_path):
    path = write(tmp_path, "car.glb", car(), materials={"CarPaint": "PLASTIC"})
    with pytest.raises(InputError, match=r"none of its materials \(CarPaint_01, .*\) is paint"):
        read_mesh(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(InputError, match=r"car\.json is missing; a mesh needs its 36 keypoints"):
        read_mesh(path)
    broken = write(tmp_path, "broken.glb", car())
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read as a mesh"):
        read_mesh(broken)


def test_folders_are_read_in_the_order_of_names(tmp_path):
    for name in ("b.glb", "a.obj"):
        write(tmp_path, name, car())
    assert [read.name for read in read_meshes(tmp_path)] == ["a.obj", "b.glb"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"holds no mesh; accepted: \.glb, \.gltf, \.obj"):
        read_meshes(tmp_path / "none")
    with pytest.raises(InputError, match="there is no folder"):
        read_meshes(tmp_path / "absent")


def test_without_trimesh_the_extra_is_named(tmp_path, monkeypatch):
    path = write(tmp_path, "car.glb", car())
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'pamtri-edge\[synth\]'"):
        read_mesh(path)
