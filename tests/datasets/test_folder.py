# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Test sets in folders laid out as VeRi's: what is read, and what is refused with words that help."""

import numpy as np
import pytest

from pamtri_edge.datasets.folder import is_data_folder, read_folder
from pamtri_edge.errors import InputError
from pamtri_edge.vehicle import COLORS, TYPES


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
    for path in data_folder.glob("*.csv"):
        path.unlink()
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


def test_what_is_a_data_folder(data_folder, tmp_path):
    assert is_data_folder(data_folder)
    assert not is_data_folder(tmp_path)


def test_a_folder_of_another_layout_says_what_is_expected(tmp_path):
    with pytest.raises(InputError, match=r"no folder image_query; .* `pamtri synth --split test` makes"):
        read_folder(tmp_path)


def test_a_folder_without_pictures_is_refused(data_folder):
    for path in (data_folder / "image_test").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"image_test holds no pictures; .*\.jpg"):
        read_folder(data_folder)


def test_one_vehicle_is_too_few(data_folder):
    for path in data_folder.rglob("*.jpg"):
        if not path.name.startswith("0001"):
            path.unlink()
    for path in data_folder.glob("*.csv"):
        path.unlink()
    with pytest.raises(InputError, match="shows 1 vehicle; at least 2"):
        read_folder(data_folder)


def test_a_name_that_tells_nothing_is_refused(data_folder):
    (data_folder / "image_query" / "car.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"car\.jpg: neither the name nor a label tells the vehicle"):
        read_folder(data_folder)


def test_a_damaged_picture_is_named_before_any_is_described(data_folder):
    path = data_folder / "image_query" / "0002_c001_00000010_0.jpg"
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(InputError, match=r"0002_c001_00000010_0\.jpg is a damaged JPEG"):
        read_folder(data_folder)


@pytest.mark.parametrize(
    ("file", "row", "words"),
    [
        ("label_query.csv", "{name},1,2", r"label_query\.csv:1: 3 columns; expected 112"),
        ("label_query.csv", "{name},1,11,2", "color id 11; expected 1 to 10 .*, or 0"),
        ("label_query.csv", "{name},1,2,2.5", "found '2.5' where a whole number"),
        ("label_query.csv", "{name},1,red,2", "found 'red' where a whole number is expected"),
        ("label_query.csv", "other.jpg,1,2,2", "the labels name 'other.jpg', which is not in image_query"),
        ("label_query.csv", "{name},1,2,2\n{name},1,2,2", "csv:2: .* labeled before in this file"),
        ("pose_query.csv", "{name},64,48,1,2,1", "6 columns; expected 111"),
        ("pose_query.csv", "{name},0,48," + ",".join(["1"] * 108), "said to be 0x48 pixels"),
        ("pose_query.csv", "{name},64,48,nan," + ",".join(["1"] * 107), "not finite"),
        ("pose_query.csv", b"\xff\xfe\xff", "not a text file"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_file_and_line(data_folder, file, row, words):
    content = row if isinstance(row, bytes) else row.format(name="0001_c001_00000010_0.jpg").encode()
    (data_folder / file).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_folder(data_folder)


def test_color_0_of_old_veri_files_is_unknown(data_folder):
    (data_folder / "label_query.csv").write_text("0001_c001_00000010_0.jpg,1,0,0\n")
    data = read_folder(data_folder)
    assert data.query.colors is None
    assert data.query.types is None


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb2312", "utf-16"])
def test_the_xml_of_veri_tells_colors_and_types(data_folder, encoding):
    for path in data_folder.glob("*.csv"):
        path.unlink()
    for part in ("query", "test"):
        write_xml(data_folder / f"{part}_label.xml", items_of(data_folder, part), encoding=encoding)
    data = read_folder(data_folder)
    for views in (data.query, data.gallery):
        assert set(views.colors) == {COLORS[1]}
        assert set(views.types) == {TYPES[2]}


def test_queries_without_labels_take_those_of_the_same_pictures_in_the_gallery(data_folder):
    for path in data_folder.glob("*.csv"):
        path.unlink()
    write_xml(data_folder / "test_label.xml", items_of(data_folder, "test"))
    data = read_folder(data_folder)
    both = [name in data.gallery.names for name in data.query.names]
    expected = tuple(COLORS[1] if one else None for one in both)
    assert data.query.colors == (expected if any(both) else None)
    assert any(both)


def test_in_cityflow_vehicle_and_camera_stand_in_the_xml(data_folder):
    for path in data_folder.glob("*.csv"):
        path.unlink()
    expected = read_folder(data_folder)
    for part in ("query", "test"):
        items = items_of(data_folder, part, more="")
        for number, (name, *_) in enumerate(items):
            path = data_folder / f"image_{part}" / name
            path.rename(path.with_name(f"{number:06d}.jpg"))
        renamed = [(f"{number:06d}.jpg", *item[1:]) for number, item in enumerate(items)]
        write_xml(data_folder / f"{part}_label.xml", renamed)
    data = read_folder(data_folder)
    assert data.query.vehicles.tolist() == expected.query.vehicles.tolist()
    assert data.gallery.cameras.tolist() == expected.gallery.cameras.tolist()
    assert data.query.colors is None


def test_a_broken_xml_is_named(data_folder):
    (data_folder / "query_label.xml").write_text("<TestImages><Items>")
    with pytest.raises(InputError, match=r"query_label\.xml is not a readable XML file"):
        read_folder(data_folder)


def test_pictures_alone_are_looked_up_between_cameras(tmp_path, data_folder):
    picture = (data_folder / "image_test" / "0001_c001_00000010_0.jpg").read_bytes()
    for name in ("0001_c001_truck.jpg", "0001_c002_truck.jpg", "0002_c001_car.jpg", "0002_c002_car.jpg"):
        (tmp_path / name).write_bytes(picture)
    data = read_folder(tmp_path)
    assert data.between_cameras
    assert data.query.vehicles.tolist() == data.gallery.vehicles.tolist() == [1, 1, 2, 2]
    assert data.query.types == ("truck", "truck", None, None)  # a car may be a sedan, an estate, ...
    assert not read_folder(tmp_path, across_cameras=False).between_cameras


def test_pictures_alone_of_one_camera_are_refused(tmp_path, data_folder):
    picture = (data_folder / "image_test" / "0001_c001_00000010_0.jpg").read_bytes()
    for name in ("0001_c001_a.jpg", "0002_c001_a.jpg"):
        (tmp_path / name).write_bytes(picture)
    with pytest.raises(InputError, match="pictures of 2 vehicles by 1 camera;"):
        read_folder(tmp_path)
    (tmp_path / "0002_c001_a.jpg").rename(tmp_path / "car.jpg")
    with pytest.raises(InputError, match="the name tells no vehicle and camera"):
        read_folder(tmp_path)
