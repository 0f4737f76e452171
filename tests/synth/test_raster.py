# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import numpy as np
import pytest
from box_vehicle import HEIGHT, LENGTH, WIDTH, box_mesh

from pamtri_edge import _render
from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.camera import Camera, aim
from pamtri_edge.synth.view.light import Weather, light_scene, sample_sky
from pamtri_edge.synth.view.raster import NOTHING, Samples, background, place
from pamtri_edge.synth.view.scenery import surface_of


def side_view(distance: float = 10.0, focal: float = 100.0, size: int = 128) -> Camera:
    """A camera on the vehicle's left at half its height: a face at depth d is focal / d times as large."""
    eye = np.array([0.0, distance + WIDTH / 2, HEIGHT / 2])
    return Camera(eye, aim(-math.pi / 2, 0.0, 0.0), (focal, focal), (size / 2, size / 2))


def drawn(*models, camera: Camera | None = None, size: int = 128) -> Samples:
    samples = Samples(size, size)
    for number, model in enumerate(models):
        samples.draw(model, camera or side_view(size=size), number)
    return samples


def test_a_face_covers_the_samples_whose_centers_lie_in_it():
    samples = drawn(place(box_mesh()))
    rows, columns = np.nonzero(samples.instance != NOTHING)
    half_width, half_height = 100.0 / 10.0 * LENGTH / 2, 100.0 / 10.0 * HEIGHT / 2
    centers = np.arange(128) + 0.5 - 64
    assert set(columns) == set(np.flatnonzero(np.abs(centers) < half_width))
    assert set(rows) == set(np.flatnonzero(np.abs(centers) < half_height))
    assert len(rows) == len(set(rows)) * len(set(columns))
    np.testing.assert_allclose(1.0 / samples.inverse_depth[rows, columns], 10.0, rtol=1e-6)


def test_the_nearer_of_two_vehicles_is_seen_whatever_the_order():
    near, far = place(box_mesh(), y=3.0), place(box_mesh())
    first, second = drawn(near, far), drawn(far, near)
    np.testing.assert_array_equal(first.inverse_depth, second.inverse_depth)
    middle = (64, 64)
    assert (first.instance[middle], second.instance[middle]) == (0, 1)


def test_what_lies_behind_a_hole_is_seen():
    samples = drawn(place(box_mesh(holes=("left",))))
    np.testing.assert_allclose(1.0 / samples.inverse_depth[64, 64], 10.0 + WIDTH, rtol=1e-6)


def test_nothing_behind_the_camera_is_drawn():
    eye = np.array([0.0, 30.0, 1.0])
    away = Camera(eye, aim(math.pi / 2, 0.0, 0.0), (100.0, 100.0), (64.0, 64.0))
    assert (drawn(place(box_mesh()), camera=away).instance == NOTHING).all()


def test_a_turned_vehicle_is_where_it_was_put():
    model = place(box_mesh(), x=5.0, y=-2.0, heading=math.pi / 2)
    low, high = model.vertices.min(axis=0), model.vertices.max(axis=0)
    np.testing.assert_allclose(low, [5.0 - WIDTH / 2, -2.0 - LENGTH / 2, 0.0], atol=1e-5)
    np.testing.assert_allclose(high, [5.0 + WIDTH / 2, -2.0 + LENGTH / 2, HEIGHT], atol=1e-5)


def test_neighboring_triangles_leave_no_gap(rng):
    camera = side_view(size=256)
    turned = [place(box_mesh(), heading=float(angle)) for angle in rng.uniform(0, 6, 5)]
    for model in turned:
        shown = drawn(model, camera=camera, size=256).instance != NOTHING
        for row in shown:
            columns = np.flatnonzero(row)
            assert len(columns) == 0 or len(columns) == columns[-1] - columns[0] + 1  # a box is convex


def sunlit(direction: np.ndarray, *models, cover: float = 1.0):
    """Light, with a sun in that direction and no clouds; the map of depths is around the origin."""
    sky = sample_sky(np.random.default_rng(0), Weather.PLAIN)
    sky = dataclasses.replace(
        sky,
        direction=direction / np.linalg.norm(direction),
        wet=0.0,
        haze=0.0,
        cover=np.full_like(sky.cover, cover),
    )
    return light_scene(sky, (0.2, 0.2, 0.2), models, np.array([0.0, 0.0, 0.6]), 3.0)


def ground_seen(lit, models) -> tuple[np.ndarray, np.ndarray]:
    """Color and shadow straight down on 12 x 12 m, every 0.1 m; x = 6 in row 0, y = 6 in column 0."""
    rotation = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    camera = Camera(np.array([0.0, 0.0, 100.0]), rotation, (1000.0, 1000.0), (60.0, 60.0))
    road = _render.Road()
    road.half_width, road.asphalt, road.grain, road.mark_strength = 50.0, (0.2, 0.2, 0.2), 0.0, 0.0
    return background(
        camera,
        lit,
        road,
        noise=np.full((4, 4), 0.5, np.float32),
        blocks=np.zeros((0, 12), np.float32),
        models=models,
        size=(120, 120),
    )


def shown(model, lit, *, camera: Camera | None = None, samples: Samples | None = None, **shine) -> np.ndarray:
    """Return (128, 128, 4) the light of a white vehicle, of instance 0."""
    camera, out = camera or side_view(), np.zeros((128, 128, 4), np.float32)
    spec = sample_vehicle(0, 0, color="white")
    (samples or drawn(model, camera=camera)).shade(model, camera, 0, lit, surface_of(spec, **shine), out)
    return out


def at(picture: np.ndarray, x: float, y: float) -> np.ndarray:
    return picture[int(60 - 10 * x), int(60 - 10 * y)]


def test_a_vehicle_throws_its_shadow_away_from_the_sun():
    model = place(box_mesh())
    lit = sunlit(np.array([0.0, 1.0, 1.0]), model)  # from the left, 45 degrees up
    shadow = ground_seen(lit, [])[1]
    assert at(shadow, 0.0, 1.6) == pytest.approx(1.0, abs=1e-5)
    assert at(shadow, 0.0, -WIDTH / 2 - HEIGHT + 0.25) < 0.7
    assert at(shadow, 0.0, -WIDTH / 2 - HEIGHT - 0.25) == pytest.approx(1.0, abs=1e-5)


def test_the_ground_is_dark_beside_a_vehicle_even_without_sun():
    shadow = ground_seen(sunlit(np.array([0.0, 0.0, 1.0])), [place(box_mesh())])[1]
    under, beside, away = (at(shadow, 0.0, y) for y in (0.0, WIDTH / 2 + 0.3, WIDTH / 2 + 2.0))
    assert under < beside < away == pytest.approx(1.0, abs=1e-5)


def test_what_shades_the_ground_shades_the_vehicle_too():
    model, levels = place(box_mesh()), []
    for cover in (1.0, 0.0):
        lit = sunlit(np.array([0.3, 1.0, 1.0]), model, cover=cover)
        levels.append((shown(model, lit)[64, 64, 0], ground_seen(lit, [])[0][0, 0, 0]))
    assert levels[0][0] > 1.3 * levels[1][0]
    assert levels[0][1] > 1.3 * levels[1][1]


def test_the_vehicles_own_body_keeps_the_sun_off_its_far_side():
    model = place(box_mesh(material=Material.MATTE))
    near, far = (shown(model, sunlit(np.array([0.0, y, 0.6]), model))[64, 64, 0] for y in (1.0, -1.0))
    assert near > 1.5 * far


def test_only_the_samples_of_the_instance_are_colored():
    near, far = place(box_mesh(), x=2.0, y=3.0), place(box_mesh())
    samples = drawn(far, near)
    out = shown(far, sunlit(np.array([0.0, 1.0, 1.0]), far), samples=samples)
    np.testing.assert_array_equal(out[..., 3] == 1.0, samples.instance == 0)


def test_lamps_of_the_headlamps_kind_shine_at_the_front_only():
    """At the rear they are reversing lamps; a car that stands turned round has its front there too."""
    eye = np.array([12.0, 0.0, HEIGHT / 2])
    before = Camera(eye, aim(math.pi, 0.0, 0.0), (200.0, 200.0), (64.0, 64.0))
    levels = []
    for heading in (0.0, math.pi):
        model = place(box_mesh(material=Material.HEADLAMP), heading=heading)
        out = shown(model, sunlit(np.array([0.0, 0.1, 1.0])), camera=before, lamps=5.0)
        levels.append(float(out[64, 64, 0]))
    assert levels[0] > levels[1] + 4.0


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("vertices", np.nan, "vertices and normals must be finite"),
        ("uv", np.nan, "uv must be finite"),
        ("triangles", 24, "row numbers of vertices"),
    ],
)
def test_a_mesh_with_numbers_that_cannot_be_is_refused(name: str, number: float, said: str):
    broken = box_mesh()
    array = getattr(broken, name).copy()
    array[2, 0] = number
    with pytest.raises(ValueError, match=said):
        place(dataclasses.replace(broken, **{name: array}))
