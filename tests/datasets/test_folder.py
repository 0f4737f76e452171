# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Test sets in folders laid out as VeRi's: what is read, and what is refused with words that help."""

import shutil

import cv2
import numpy as np
import pytest

from drawn_sets import drawn
from pamtri_edge.datasets.folder import is_data_folder, read_folder
from pamtri_edge.datasets.parts import read_data
from pamtri_edge.errors import InputError
from pamtri_edge.vehicle import COLORS, TYPES


@pytest.fixture
def pictures(tmp_path):
    """Return what writes a folder of the same picture under several names, in folders too."""

    def write(*names):
        folder = tmp_path / "pictures"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name), drawn(1, 1))
        return folder

    return write


def without_tables(folder):
    for path in folder.glob("*.csv"):
        path.unlink()


def test_names_tell_vehicle_and_camera_and_csv_files_the_rest(data_folder):
    data = read_folder(data_folder)
    assert (data.name, data.across_cameras, data.identities) == ("set", True, 3)
    assert data.query.vehicles.tolist() == [1, 2, 3]
    assert data.gallery.cameras.tolist() == [1, 2, 3] * 3
    assert data.query.names[0] == "0001_c001_00000010_0.jpg"
    assert data.query.colors == COLORS[:3]
    assert set(data.gallery.types) == {"suv"}
    assert np.allclose(data.query.keypoints[0], (0.5, 0.5, 1.0))
    assert data.query.sizes[0].tolist() == [64, 48]


def test_pictures_are_read_as_rgb_when_they_are_needed(data_folder):
    data = read_folder(data_folder)
    picture = data.query.read(0)  # the first vehicle is orange: more red than blue
    assert picture.shape == (48, 64, 3)
    assert picture[..., 0].mean() > picture[..., 2].mean() + 10
    assert [len(batch) for batch in data.gallery.pictures(4)] == [4, 4, 1]


def test_without_csv_files_a_set_serves_for_retrieval(data_folder):
    without_tables(data_folder)
    data = read_folder(data_folder, across_cameras=False)
    assert data.query.colors is None
    assert data.query.types is None
    assert data.query.keypoints is None
    assert not data.across_cameras


def test_pictures_without_a_row_stay_in_the_set(data_folder):
    path = data_folder / "label_query.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    (data_folder / "pose_query.csv").unlink()
    data = read_folder(data_folder)
    assert data.query.colors == (COLORS[0], None, None)
    assert len(data.query) == 3


def test_junk_and_distractors_are_named_as_market_1501_names_them(data_folder):
    for name in ("-1_c1s1_000401_03.jpg", "0000_c002_00000001_0.jpg"):
        source = data_folder / "image_test" / "0001_c001_00000010_0.jpg"
        (data_folder / "image_test" / name).write_bytes(source.read_bytes())
    data = read_folder(data_folder)
    assert {-1, 0} <= set(data.gallery.vehicles.tolist())
    assert data.identities == 3


def test_a_folder_of_another_layout_says_what_is_expected(data_folder, tmp_path):
    assert is_data_folder(data_folder)
    assert not is_data_folder(tmp_path)
    with pytest.raises(InputError, match=r"it is no set itself; name .*/set"):
        read_folder(data_folder.parent)
    shutil.rmtree(data_folder)
    with pytest.raises(InputError, match=r"no folder image_query \(it is empty\); .* `pamtri synth --split"):
        read_folder(tmp_path)


def test_one_vehicle_is_too_few(data_folder):
    for path in data_folder.rglob("*.jpg"):
        if not path.name.startswith("0001"):
            path.unlink()
    without_tables(data_folder)
    with pytest.raises(InputError, match="shows 1 vehicle; at least 2"):
        read_folder(data_folder)


def test_a_damaged_picture_is_named_before_any_is_described(data_folder):
    path = data_folder / "image_query" / "0002_c001_00000010_0.jpg"
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(InputError, match=r"0002_c001_00000010_0\.jpg is a damaged JPEG"):
        read_folder(data_folder)


def write_xml(path, items, *, encoding="utf-8"):
    rows = "".join(
        f'<Item imageName="{name}" vehicleID="{vehicle:04d}" cameraID="c{camera:03d}" {more}/>\r\n'
        for name, vehicle, camera, more in items
    )
    head = '<?xml version="1.0" encoding="gb2312"?>\r\n<TestImages Version="1.0"><Items>'
    text = f"{head}{rows}</Items></TestImages>"
    path.write_bytes(text.encode(encoding))


def items_of(folder, part, more='colorID="2" typeID="3"'):
    names = sorted(path.name for path in (folder / f"image_{part}").iterdir())
    return [(name, int(name[:4]), int(name[6:9]), more) for name in names]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_xml_of_veri_tells_colors_and_types(data_folder, encoding):
    without_tables(data_folder)
    for part in ("query", "test"):
        write_xml(data_folder / f"{part}_label.xml", items_of(data_folder, part), encoding=encoding)
    data = read_folder(data_folder)
    for views in (data.query, data.gallery):
        assert set(views.colors) == {COLORS[1]}
        assert set(views.types) == {TYPES[2]}


def test_queries_without_labels_take_those_of_the_same_pictures_in_the_gallery(data_folder):
    without_tables(data_folder)
    write_xml(data_folder / "test_label.xml", items_of(data_folder, "test"))
    data = read_folder(data_folder)
    both = [name in data.gallery.names for name in data.query.names]
    expected = tuple(COLORS[1] if one else None for one in both)
    assert data.query.colors == (expected if any(both) else None)
    assert any(both)


def test_pictures_alone_are_looked_up_between_cameras(pictures):
    folder = pictures("0001_c001_truck.jpg", "0001_c002_truck.jpg", "0002_c001_car.jpg", "0002_c002_car.jpg")
    data = read_folder(folder)
    assert data.between_cameras
    assert data.query.vehicles.tolist() == data.gallery.vehicles.tolist() == [1, 1, 2, 2]
    assert data.query.types == ("truck", "truck", None, None)  # a car may be a sedan, an estate, ...
    apart = read_folder(folder, across_cameras=False)  # none finds itself, and all find all others
    assert apart.gallery.cameras.tolist() == [0, 1, 2, 3]
    assert apart.between_cameras


def test_distractors_and_junk_among_pictures_alone_are_not_looked_for(pictures):
    names = ("-1_c1s1_1.jpg", "0000_c1s1_1.jpg", "0000_c2s1_1.jpg", "0001_c1s1_1.jpg", "0001_c2s1_1.jpg")
    data = read_folder(pictures(*names))
    assert data.query.vehicles.tolist() == [-1, -1, -1, 1, 1]
    assert data.gallery.vehicles.tolist() == [-1, 0, 0, 1, 1]


def test_pictures_alone_of_one_camera_are_refused(pictures):
    folder = pictures("0001_c001_a.jpg", "0002_c001_a.jpg")
    with pytest.raises(InputError, match=r"pictures of 2 vehicles by 1 camera; .*, or --same-camera, which"):
        read_folder(folder)
    assert read_folder(folder, across_cameras=False).identities == 2
    with pytest.raises(InputError, match="the name tells no vehicle and camera"):
        read_folder(pictures("car.jpg"))


@pytest.mark.parametrize("names", [("query", "bounding_box_test"), ("Image_Query", "Image_Test")])
def test_folders_may_be_called_as_in_market_1501(data_folder, names):
    meant = read_folder(data_folder)
    for part, name in zip(("query", "test"), names, strict=True):
        (data_folder / f"image_{part}").rename(data_folder / name)
    found = read_folder(data_folder)
    assert found.query.names == meant.query.names
    assert found.gallery.cameras.tolist() == meant.gallery.cameras.tolist()


def test_a_folder_of_pictures_for_each_vehicle_is_a_set(pictures):
    folder = pictures("0007/c001.jpg", "0007/c002.jpg", "0012/cam2_5.jpg")
    data = read_folder(folder)
    assert data.query.vehicles.tolist() == [7, 7, 12]
    assert data.query.cameras.tolist() == [1, 2, 2]
    assert [sample.vehicle for sample in read_data(folder).samples] == [7, 7, 12]


def test_vehicles_folders_may_have_names_and_no_cameras(pictures):
    data = read_folder(pictures("red/1.jpg", "red/2.jpg", "blue/1.jpg"), across_cameras=False)
    assert data.query.vehicles.tolist() == [1, 2, 2]
    assert len(set(data.query.cameras.tolist())) == 3, "each by one of its own: no picture finds itself"
    assert data.between_cameras


@pytest.mark.parametrize("names", [("images", "masks"), ("train", "val"), ("cam1", "cam2")])
def test_folders_of_another_meaning_are_no_vehicles(pictures, names):
    with pytest.raises(InputError, match=r"has no folder image_query \(it holds"):
        read_folder(pictures(*(f"{name}/1.jpg" for name in names)))


@pytest.mark.parametrize("row", ["0001_c001_00000010_0.jpg,1,2,3", "0001_c001_00000010_0.jpg; 1.0; 2.0; 3"])
def test_tables_are_read_as_they_are_saved_and_the_row_that_names_the_columns_is_passed_over(
    data_folder, row
):
    path = data_folder / "label_test.csv"
    header = "image,vehicleID,colorID,typeID" if "," in row else "image;vehicleID;colorID;typeID"
    path.write_text(f"{header}\n{row}\n")
    assert COLORS[1] in read_folder(data_folder).gallery.colors
