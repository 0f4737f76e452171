# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pamtri_edge.synth.body.material import Material
from pamtri_edge.synth.body.mesh import NEUTRAL
from pamtri_edge.synth.paint.canvas import Canvas


@pytest.fixture
def sheet():
    """Four meters by two, a texel a centimeter."""
    material = np.full((200, 400), int(Material.PAINT), np.uint8)
    return Canvas(material, np.full((200, 400, 3), NEUTRAL, np.uint8), (-2.0, 0.0), (2.0, 2.0))


def rows_and_columns(sheet, material):
    rows, columns = np.nonzero(sheet.material == material)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_metres_become_texels_upward_and_to_the_right(sheet):
    sheet.box(0.0, 1.0, 1.5, 2.0, Material.GLASS)
    np.testing.assert_allclose(rows_and_columns(sheet, Material.GLASS), (0, 50, 200, 300), atol=1)


def test_a_place_has_the_texture_coordinates_of_the_texel_that_is_painted_there(sheet):
    place = np.array([0.63]), np.array([1.21])
    sheet.box(0.60, 0.66, 1.18, 1.24, Material.PLATE)
    u, v = sheet.uv(*place)[0]
    assert sheet.material[int(v * 200), int(u * 400)] == Material.PLATE


def test_what_lies_outside_the_sheet_is_cut_off(sheet):
    sheet.box(-50.0, -1.5, -50.0, 50.0, Material.SEAM)
    np.testing.assert_allclose(rows_and_columns(sheet, Material.SEAM), (0, 200, 0, 50), atol=1)
    sheet.polygon([(5.0, 5.0), (6.0, 5.0), (6.0, 6.0)], Material.TYRE, only=(Material.PAINT,))
    assert not (sheet.material == Material.TYRE).any()


def test_only_some_materials_are_painted_over(sheet):
    sheet.box(-2.0, 0.0, 0.0, 2.0, Material.GLASS)
    sheet.box(-1.0, 1.0, 0.5, 1.5, Material.MATTE, albedo=(0.25, 0.0, 1.0), only=(Material.PAINT,))
    assert (sheet.material[:, :199] == Material.GLASS).all()
    assert sheet.material[100, 250] == Material.MATTE
    assert sheet.color[100, 250].tolist() == [127, 0, 255]  # squared, it is the albedo again
    assert (sheet.color[100, :199] == NEUTRAL).all()


def test_a_tint_of_one_is_neutral_and_painting_anew_forgets_the_old_color(sheet):
    sheet.box(-1, 1, 0, 2, Material.HEADLAMP, tint=(0.5, 1.0, 1.9))
    assert sheet.color[100, 200].tolist() == [64, 128, 243]
    sheet.box(-1, 1, 0, 2, Material.HEADLAMP, tint=0.5)
    assert sheet.color[100, 200].tolist() == [64, 64, 64]
    sheet.box(-1, 1, 0, 2, Material.PAINT)
    assert (sheet.color == NEUTRAL).all()


def test_shading_multiplies_saturates_and_leaves_the_material(sheet):
    sheet.box(0, 2, 0, 2, Material.GLASS)
    sheet.shade([(-1, 0.5), (1, 0.5), (1, 1.5), (-1, 1.5)], (0.5, 1.0, 3.0), only=(Material.PAINT,))
    assert sheet.color[100, 150].tolist() == [64, 128, 255]
    assert (sheet.color[100, 201:] == NEUTRAL).all()
    assert (sheet.material[100, 150], sheet.material[100, 250]) == (Material.PAINT, Material.GLASS)


def test_a_line_is_as_wide_as_asked(sheet):
    sheet.path([(-1.5, 0.5), (0.0, 0.5), (1.5, 0.5)], 0.2, Material.CHROME)
    low, high, left, right = rows_and_columns(sheet, Material.CHROME)
    assert high - low == pytest.approx(20, abs=2)
    assert right - left == pytest.approx(300, abs=2)


def test_an_ellipse_has_its_radii(sheet):
    sheet.ellipse((0.0, 1.0), (0.8, 0.4), Material.TAILLAMP)
    low, high, left, right = rows_and_columns(sheet, Material.TAILLAMP)
    assert (high - low, right - left) == (pytest.approx(80, abs=3), pytest.approx(160, abs=3))
    assert (sheet.material == Material.TAILLAMP).sum() == pytest.approx(np.pi * 80 * 40, rel=0.04)
