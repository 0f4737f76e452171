# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Labels as the original's tools, COCO's and a data frame read them."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synth_fakes import FakeStudio

from pamtri_edge.datasets.layout import TRAIN
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.synth.dataset.plan import SynthPlan
from pamtri_edge.synth.dataset.record import Record
from pamtri_edge.synth.dataset.write import (
    whole_file,
    write_coco,
    write_labels,
    write_parquet,
    write_pose_csv,
    write_reid_csv,
)
from pamtri_edge.vehicle import KEYPOINT_NAMES


@pytest.fixture(scope="module")
def records():
    plan = SynthPlan(identities=3, images=9, size=64, cameras=4, vehicle_offset=5000)
    studio = FakeStudio(plan)
    return [shot.record for job in plan.jobs() for shot in studio.draw(job)]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_the_reid_csv_is_the_originals(records, tmp_path):
    write_reid_csv(tmp_path / "label.csv", records)
    table = rows(tmp_path / "label.csv")
    assert len(table) == 9
    for row, record in zip(table, records, strict=True):
        assert len(row) == 4 + 108
        assert row[0] == record.image
        assert int(row[0][row[0].index("c") + 1 :][:3]) == record.camera  # as the original reads it
        assert [int(cell) for cell in row[1:4]] == [record.vehicle, *ids(record)]
        points = np.array(row[4:], float).reshape(36, 3)
        assert np.allclose(points[:, :2], record.keypoints, atol=0.0051)
        assert (points[:, 2] == np.array(record.visible_veri)).all()
    assert record.vehicle == 5003


def ids(record):
    colors = ["yellow", "orange", "green", "gray", "red", "blue", "white", "golden", "brown", "black"]
    types = ["sedan", "suv", "van", "hatchback", "mpv", "pickup", "bus", "truck", "estate"]
    return colors.index(record.color) + 1, types.index(record.type) + 1


def test_the_pose_csv_holds_whole_numbers_because_the_original_reads_nothing_else(records, tmp_path):
    write_pose_csv(tmp_path / "pose.csv", records)
    for row, record in zip(rows(tmp_path / "pose.csv"), records, strict=True):
        assert len(row) == 3 + 108
        numbers = [int(cell) for cell in row[1:]]
        assert numbers[:2] == [64, 64]
        points = np.array(numbers[2:]).reshape(36, 3)
        assert np.abs(points[:, :2] - np.array(record.keypoints)).max() <= 0.5
        assert (points[:, 2] == np.array(record.visible_veri)).all()


def test_coco_has_the_depth_true_visibility_and_keeps_the_other(records, tmp_path):
    write_coco(tmp_path / "coco.json", records)
    data = json.loads((tmp_path / "coco.json").read_text())
    (category,) = data["categories"]
    assert category["keypoints"] == list(KEYPOINT_NAMES)
    assert len(data["segments"]) == 13
    assert all(1 <= end <= 36 for line in category["skeleton"] for end in line)  # COCO counts from 1
    assert [image["file_name"] for image in data["images"]] == [f"image_train/{r.image}" for r in records]
    for annotation, image, record in zip(data["annotations"], data["images"], records, strict=True):
        assert annotation["image_id"] == image["id"]
        points = np.array(annotation["keypoints"]).reshape(36, 3)
        assert (points[:, 2] == np.where(record.visible, 2, 1)).all()
        assert annotation["num_keypoints"] == 36
        assert annotation["attributes"]["visible_veri"] == [int(flag) for flag in record.visible_veri]
        assert annotation["attributes"]["vehicle_id"] == record.vehicle
        assert annotation["bbox"] == [2.0, 3.0, 60.0, 58.0]


def test_parquet_holds_everything(records, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(tmp_path / "labels.parquet", records)
    table = parquet.read_table(tmp_path / "labels.parquet")
    assert table.num_rows == 9
    assert json.loads(table.schema.metadata[b"keypoint_names"]) == list(KEYPOINT_NAMES)
    for row, record in zip(table.to_pylist(), records, strict=True):
        x, y = np.array(record.keypoints).T
        assert np.allclose(row["keypoints_x"], x, atol=1e-4)
        assert np.allclose(row["keypoints_y"], y, atol=1e-4)
        assert tuple(row["visible"]) == record.visible
        assert tuple(row["visible_veri"]) == record.visible_veri
        assert (row["color"], row["type"]) == (record.color, record.type)
        assert (row["color_id"], row["type_id"]) == ids(record)
        assert (row["crop_width"], row["crop_height"]) == (233, 194)
        assert row["azimuth"] == pytest.approx(record.azimuth, abs=1e-3)


def test_parquet_without_its_package_says_what_to_do(records, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pamtri-edge\[synth\].*--formats veri,coco"):
        write_parquet(tmp_path / "labels.parquet", records)


def test_the_wanted_formats_are_written_and_no_others(records, tmp_path):
    written = write_labels(tmp_path, TRAIN, records, ("veri", "coco"))
    assert {path.name for path in written} == {"label_train.csv", "pose_train.csv", "coco_train.json"}
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in written}


def test_a_record_that_was_written_and_read_again_is_equal(records):
    for record in records:
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_record_of_another_vehicle_model_is_refused(records):
    with pytest.raises(InputError, match="35 visible; a vehicle has 36"):
        replace(records[0], visible=records[0].visible[:35])


def test_a_file_that_could_not_be_finished_leaves_nothing(tmp_path):
    def fail():
        with whole_file(tmp_path / "labels.csv") as file:
            file.write("half")
            raise ValueError("something")

    with pytest.raises(ValueError, match="something"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(records):
    with pytest.raises(InputError, match=r"labels\.csv cannot be written: No such file or directory"):
        write_reid_csv(Path("no/such/folder/labels.csv"), records)
