# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Contact sheets: every wanted picture is on them, where its names say."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.synth.dataset.contact import write_sheets
from pamtri_edge.vehicle import COLORS

FAMILIES = ("sedan", "coupe", "bus")


def plain(wanted):
    """Return a picture whose gray tells its color, and a pose whose keypoints lie in its middle."""
    gray = 20 + 20 * COLORS.index(wanted.color) if wanted.color else 10 * (wanted.view + 1)
    visible = np.arange(36) % 2 == 0
    return SimpleNamespace(
        image=np.full((64, 64, 3), gray, np.uint8),
        keypoints=np.full((36, 2), 0.5, np.float32),
        visible=visible,
        azimuth=30.0,
        elevation=12.0,
        distance=9.0,
        color_name=wanted.color or "red",
        type_name=wanted.family or "sedan",
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the sheets by their names, the pictures that were asked for, and what was told meanwhile."""
    folder, asked, told = tmp_path_factory.mktemp("sheets") / "new" / "sheets", [], []

    def draw(wanted):
        asked.append(wanted)
        return plain(wanted)

    def tell(done, total):
        told.append((done, total))

    paths = write_sheets(folder, draw, families=FAMILIES, tile=32, on_progress=tell)
    assert paths == [folder / f"{name}.png" for name in ("grid", "keypoints", "identities")]
    return {path.stem: cv2.imread(str(path)) for path in paths}, asked, told


def test_the_grid_has_a_row_a_family_and_a_column_a_color(written):
    sheets, asked, _ = written
    pairs = [(family, color) for family in FAMILIES for color in COLORS]
    assert [(wanted.family, wanted.color) for wanted in asked[: len(pairs)]] == pairs
    sheet = sheets["grid"][..., 0]
    left, top = sheet.shape[1] - 320, sheet.shape[0] - 96
    assert min(left, top) > 0
    assert sheet[top + 16 :: 32, left + 16 :: 32].tolist() == [[20 + 20 * k for k in range(10)]] * 3
    assert (sheet[:, :left] < 128).any()  # names are printed
    assert (sheet[:top] < 128).any()


def test_keypoints_and_segments_are_drawn_beside_the_picture(written):
    sheet = written[0]["keypoints"]
    assert sheet.shape[1] == 4 * 2 * 384  # sixteen pictures, each as it is and with its pose
    first = sheet[: sheet.shape[0] // 4, :768]
    bare, posed = first[:384, :384], first[:384, 384:]
    assert np.ptp(bare, axis=(0, 1)).max() == 0
    assert np.ptp(posed[160:220, 160:240], axis=(0, 1)).max() > 100


def test_a_vehicle_is_shown_by_twelve_cameras(written):
    sheets, asked, _ = written
    asked = asked[len(FAMILIES) * len(COLORS) + 16 :]
    for identity in {wanted.identity for wanted in asked}:
        mine = [wanted for wanted in asked if wanted.identity == identity]
        assert len(mine) == 12
        assert len({wanted.view for wanted in mine}) == len({wanted.camera for wanted in mine}) == 12
    assert sheets["identities"][-16, -16 - 11 * 32 :: 32, 0].tolist() == [10 * (k + 1) for k in range(12)]


def test_progress_counts_pictures(written):
    _, asked, told = written
    assert told == [(k + 1, len(asked)) for k in range(len(asked))]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file cannot be made"):
        write_sheets(tmp_path / "file", plain, families=FAMILIES, sheets=["grid"])


def test_a_picture_is_no_folder_for_sheets(tmp_path):
    with pytest.raises(InputError, match=r"sheet\.png is to be a folder, in which each sheet gets its name"):
        write_sheets(tmp_path / "sheet.png", plain, families=FAMILIES)
    assert list(tmp_path.iterdir()) == []
