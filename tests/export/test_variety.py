# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which of many labeled pictures int8 is fitted to."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from pamtri_edge.datasets.parts import picture_files
from pamtri_edge.errors import InputError
from pamtri_edge.export.onnx.variety import varied
from pamtri_edge.parity.pictures import spread

COLORS = ("gray", "gray", "gray", "gray", "gray", "gray", "gray", "red", "blue")


def facts(index):
    """Return what picture `index` shows: mostly gray sedans from the left, as on a road."""
    return {
        "azimuth": -90.0 if index % 4 else 30.0 * (index // 4 % 12),
        "color": COLORS[index % 9],
        "type": "truck" if index % 25 == 0 else "sedan",
        "camera_id": index % 3,
        "vehicle_id": index // 10,
    }


@pytest.fixture
def made(tmp_path):
    """Return the folder of a made set of 600 pictures without labels, and a function that adds them."""
    place = tmp_path / "made" / "image_train"
    place.mkdir(parents=True)
    for index in range(600):
        (place / f"{index:04d}.jpg").touch()
    return place.parent


def add_coco(folder, count=600):
    images = [{"id": n + 1, "file_name": f"image_train/{n:04d}.jpg"} for n in range(count)]
    notes = [{"id": n + 1, "image_id": n + 1, "attributes": facts(n)} for n in range(count)]
    (folder / "coco_train.json").write_text(json.dumps({"images": images, "annotations": notes}))


def add_parquet(folder):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"image": f"{n:04d}.jpg", **facts(n)} for n in range(600)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "labels_train.parquet")


@pytest.mark.parametrize("labels", [add_coco, add_parquet])
def test_rare_viewpoints_colors_and_types_are_taken_as_often_as_common_ones(made, labels):
    labels(made)
    files = picture_files(made)
    chosen = [facts(int(path.stem)) for path in varied(files, 48)]
    assert len(chosen) == 48
    sectors = Counter(int(one["azimuth"] % 360 // 30) for one in chosen)
    assert len(sectors) == 12
    assert max(sectors.values()) <= 10, "of all pictures, 3 in 4 show sector 9"
    assert min(Counter(one["color"] for one in chosen).values()) >= 10
    assert Counter(one["type"] for one in chosen)["truck"] >= 12
    assert len({one["vehicle_id"] for one in chosen}) >= 30


def test_the_choice_is_always_the_same_and_in_order(made):
    add_coco(made)
    files = picture_files(made)
    chosen = varied(files, 20)
    assert chosen == varied(files, 20)
    assert chosen == sorted(chosen)
    assert len(set(chosen)) == 20


def test_pictures_without_labels_are_spread_over_their_names(made):
    files = picture_files(made)
    assert varied(files, 10) == spread(files, 10)
    assert varied(files[:5], 10) == files[:5]


def test_labels_of_too_few_pictures_are_not_used(made):
    add_coco(made, count=5)
    files = picture_files(made)
    assert varied(files, 10) == spread(files, 10)


def test_labels_that_cannot_be_read_are_told(made):
    (made / "coco_train.json").write_text("{")
    with pytest.raises(InputError, match=r"coco_train\.json cannot be read as labels of image_train"):
        varied(picture_files(made), 10)
