# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets are read from the layouts of VeRi and CityFlow, and what does not fit is refused by name."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from drawn_sets import keypoints_of
from pamtri_edge.datasets.data_set import check_identities, mixed
from pamtri_edge.datasets.folder import read_folder
from pamtri_edge.datasets.parts import read_data, read_pose_csv
from pamtri_edge.errors import InputError
from pamtri_edge.pictures import check_pictures, picture_size
from pamtri_edge.vehicle import COLORS

ROW = ",".join(["0"] * 108)


def picture(path: Path, width: int = 40, height: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))
    return path


@pytest.fixture(scope="module")
def once(veri):
    return read_data(veri)


def test_a_folder_as_synthesis_writes_it_is_read_whole(once, veri):
    assert len(once) == 30
    assert once.identities == (1, 2, 3, 4, 5, 6)
    first = once.samples[0]
    assert (first.path.name, first.vehicle, first.camera) == ("0001_c001_00000000_0.jpg", 1, 1)
    assert (first.color, first.type) == (1, 1), "id 2 of each, counted from 0"
    test = read_data(veri, part="test")
    assert test.identities == (11, 12, 13, 14)
    assert sorted(set(test.labels.tolist())) == [0, 1, 2, 3], "classes in the order of the vehicles"


def test_keypoints_are_in_crop_units_with_the_flags_of_the_pose_labels(once):
    sample = once.samples[7]
    width, height = picture_size(sample.path)
    pixels = np.round(keypoints_of(2, 1) * [width, height, 1])
    assert sample.keypoints.dtype == np.float32
    np.testing.assert_allclose(sample.keypoints, pixels / [width, height, 1], atol=1e-6)


def test_mixed_sets_keep_their_vehicles_apart(once):
    both = mixed([once, once])
    assert len(both) == 2 * len(once)
    assert len(both.identities) == 2 * len(once.identities)
    assert both.fingerprint != once.fingerprint


def test_veri_s_own_xml_is_read_though_it_names_an_encoding_python_lacks(tmp_path):
    picture(tmp_path / "image_train" / "0001_c002_00000001_0.jpg")
    (tmp_path / "train_label.xml").write_bytes(
        b'<?xml version="1.0" encoding="gb2312"?><TrainingImages Version="1.0"><Items number="1">'
        b'<Item imageName="0001_c002_00000001_0.jpg" vehicleID="0001" cameraID="c002" colorID="10" '
        b'typeID="0" /></Items></TrainingImages>'
    )
    (sample,) = read_data(tmp_path).samples
    assert (sample.camera, sample.color, sample.type) == (2, 9, None)


def test_pose_labels_alone_need_no_vehicles(tmp_path):
    picture(tmp_path / "images" / "a.jpg", 50, 40)
    (tmp_path / "pose.csv").write_text("a.jpg,50,40," + ",".join(["25,10,1"] * 36) + "\n")
    (sample,) = read_pose_csv(tmp_path / "pose.csv", tmp_path / "images").samples
    np.testing.assert_allclose(sample.keypoints, np.tile([0.5, 0.25, 1.0], (36, 1)))


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("label_train.csv", "a", r"label_train\.csv:1: 1 column; expected 112"),
        ("label_train.csv", f"0001_c001_0.jpg,1,11,1,{ROW}", "color id 11; expected 1 to 10"),
        ("label_train.csv", f"0001_c001_0.jpg,1,1,10,{ROW}", "type id 10; expected 1 to 9"),
        ("label_train.csv", f"0001_c001_0.jpg,one,1,1,{ROW}", "found 'one' where a whole number"),
        ("label_train.csv", f"0001_c001_0.jpg,1,1,1,{ROW[:-1]}x", "a coordinate is not a number"),
        ("label_train.csv", f"0001_c001_0.jpg,1,1,1,{ROW[:-1]}nan", "not finite"),
        ("label_train.csv", f"0001_c001_0.jpg,2,1,1,{ROW}", "its name says vehicle 1, its label says 2"),
        ("label_train.csv", f"0009_c001_0.jpg,9,1,1,{ROW}", r"'0009_c001_0\.jpg', which is not in"),
        ("label_train.csv", "\n".join([f"0001_c001_0.jpg,1,1,1,{ROW}"] * 2), ":2: .* labeled before"),
        ("pose_train.csv", f"0001_c001_0.jpg,40,30,{ROW},1", r"pose_train\.csv:1: 112 columns; expected 111"),
        ("pose_train.csv", f"0001_c001_0.jpg,0,30,{ROW}", "said to be 0x30 pixels"),
        ("pose_train.csv", "", "has no rows"),
        ("pose_train.csv", b"\xff\xfe\xff", "not a text file"),
        ("train_label.xml", "<broken", "not a readable XML"),
        ("train_label.xml", "<T><Item imageName='a.jpg'/></T>", "lacks imageName or vehicleID"),
    ],
)
def test_a_label_that_does_not_fit_is_named(tmp_path, name, row, message):
    picture(tmp_path / "image_train" / "0001_c001_0.jpg")
    (tmp_path / name).write_bytes(row if isinstance(row, bytes) else f"{row}\n".encode())
    with pytest.raises(InputError, match=message):
        read_data(tmp_path)


def test_names_of_two_kinds_go_together_where_labels_tell_the_rest(tmp_path):
    picture(tmp_path / "image_train" / "0001_c001_0.jpg")
    picture(tmp_path / "image_train" / "other.jpg")
    with pytest.raises(InputError, match=r"other\.jpg: neither .* or a row in train_label\.xml"):
        read_data(tmp_path)
    (tmp_path / "train_label.xml").write_text(
        '<T><Items><Item imageName="other.jpg" vehicleID="0007" cameraID="c031"/></Items></T>'
    )
    assert [(one.vehicle, one.camera) for one in read_data(tmp_path).samples] == [(1, 1), (7, 31)]


def test_junk_is_not_learned_from_and_left_out_of_a_gallery(tmp_path):
    picture(tmp_path / "image_train" / "-1_c001_0.jpg")
    with pytest.raises(InputError, match=r"-1_c001_0\.jpg is marked as junk"):
        read_data(tmp_path)
    for name in ("-1_c001_0.jpg", "0003_c001_0.jpg"):
        picture(tmp_path / "image_test" / name)
    assert [sample.vehicle for sample in read_data(tmp_path, part="test").samples] == [3]
    (tmp_path / "image_test" / "0003_c001_0.jpg").unlink()
    with pytest.raises(InputError, match="all pictures of the test part are marked as junk"):
        read_data(tmp_path, part="test")


@pytest.mark.parametrize("labels", ["veri", "cityflow"])
def test_what_is_learned_from_can_be_evaluated_on(data_folder, labels):
    folder = data_folder
    if labels == "cityflow":
        for part in ("query", "test"):
            as_cityflow(folder, part)
    data = read_folder(folder)
    for part, views in (("query", data.query), ("test", data.gallery)):
        learned = read_data(folder, part=part)
        assert views.names == tuple(one.path.name for one in learned.samples)
        assert views.vehicles.tolist() == [one.vehicle for one in learned.samples]
        assert views.cameras.tolist() == learned.cameras.tolist()
        assert views.colors == tuple(COLORS[one.color] for one in learned.samples)


def as_cityflow(folder, part):
    """Rename the pictures of a part, and tell what their names told in an XML file."""
    rows = []
    for number, path in enumerate(sorted((folder / f"image_{part}").iterdir())):
        vehicle, camera = path.name.split("_")[:2]
        path.rename(path.with_name(f"{number:06d}.jpg"))
        rows.append(
            f'<Item imageName="{number:06d}.jpg" vehicleID="{vehicle}" cameraID="{camera}" colorID="3"/>'
        )
    (folder / f"{part}_label.xml").write_text(f"<T><Items>{''.join(rows)}</Items></T>")
    for path in folder.glob(f"*_{part}.csv"):
        path.unlink()


def test_a_set_that_tells_no_cameras_is_evaluated_where_they_do_not_count(data_folder):
    for part in ("query", "test"):
        (data_folder / f"pose_{part}.csv").unlink()
        rows = []
        for number, path in enumerate(sorted((data_folder / f"image_{part}").iterdir())):
            rows.append(f"{number:06d}.jpg,{int(path.name[:4])},1,1")
            path.rename(path.with_name(f"{number:06d}.jpg"))
        (data_folder / f"label_{part}.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"000000\.jpg: nothing tells the camera.*--same-camera"):
        read_folder(data_folder)
    assert read_folder(data_folder, across_cameras=False).identities == 3


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="is empty; expected image_train with pictures"):
        read_data(tmp_path)
    (tmp_path / "image_train").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        read_data(tmp_path)
    with pytest.raises(InputError, match="no data was given"):
        mixed([])


def test_a_damaged_picture_is_found_before_the_training(tmp_path):
    good = picture(tmp_path / "image_train" / "0001_c001_0.jpg")
    cut = good.with_name("0001_c001_1.jpg")
    cut.write_bytes(good.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"0001_c001_1\.jpg is a damaged JPEG"):
        read_data(tmp_path)
    text = good.with_name("0001_c001_2.jpg")
    text.write_text("not a picture")
    with pytest.raises(
        InputError, match=r"1\.jpg is a damaged JPEG(.|\n)*2\.jpg is something else, not a picture"
    ):
        check_pictures([good, cut, text])


@pytest.mark.parametrize(
    ("vehicles", "message"),
    [
        ([1], "show one vehicle"),
        ([1, 2, 3], "3 vehicles, but a batch takes 8 of 4 pictures.*--batch, 12 at most"),
    ],
)
def test_one_vehicle_is_not_enough_and_neither_are_fewer_than_a_batch_takes(make_set, vehicles, message):
    with pytest.raises(InputError, match=message):
        check_identities(read_data(make_set(vehicles=vehicles)), least=8, pictures=4)
