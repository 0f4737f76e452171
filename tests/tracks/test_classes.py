# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles are used, people and signs are not, whatever list a file numbers its classes by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.tracks import TrackBox, read_tracks

Make = Callable[..., Path]


def _rows(*tails: str) -> str:
    """Return a track for each tail, in two frames."""
    return "".join(f"{k},{n},{20 * n},{k},9,9,{tail}\n" for k in (1, 2) for n, tail in enumerate(tails, 1))


@pytest.mark.parametrize(
    ("tails", "ids"),
    [
        (("1,3,1.0", "1,1,0.8", "0,3,0.5", "1,12,1"), (1,)),
        (("1,3,1", "1,3,1"), (1, 2)),
        (("0.9,2,-1", "0.8,0,-1", "0.7,5,-1", "0.7,7,-1", "0.7,3,-1"), (1, 3, 4)),
        (("1,2,1", "1,7,1", "1,5,1"), (1, 2, 3)),
        (("1,2,1", "1,3,1", "1,2,1"), (1, 3)),
        (("0,0,0,0", "1,4,0,0", "1,5,1,2", "1,6,0,1", "1,9,0,0", "1,1,0,0"), (2, 3, 4, 5)),
        (("0.9,-1,-1,-1", "0.9,-1,-1,-1"), (1, 2)),
        (("0.9", "0.8"), (1, 2)),
    ],
    ids=["MOTChallenge", "cars alone", "COCO", "COCO of flags", "COCO with 3", "VisDrone", "none", "short"],
)
def test_vehicles_are_used_where_the_classes_are_known(
    track_file: Make, tails: tuple[str, ...], ids: tuple[int, ...]
) -> None:
    assert read_tracks(track_file(_rows(*tails))).ids == ids


def test_what_is_left_out_is_said_in_one_line_with_the_list_assumed(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    path = track_file(_rows("1,3,1.0", "1,1,0.8", "0,3,0.5") + "3,1,5,5,0,9,1,3,1\nend\n")
    read_tracks(path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: 6 of 8 rows are left out: 1 with a box without a size or far off any picture, 1 that "
        "cannot be read, 2 of score 0, 2 of class 1 (pedestrian); classes are read as MOTChallenge's "
        f"classes; --classes takes others, or all (first: {path}:7: the box has the corners (5, 5, 5, 5))"
    ]


def test_a_score_of_0_among_confidences_is_no_flag(track_file: Make) -> None:
    assert len(read_tracks(track_file("1,1,0,0,9,9,0.8,2,-1\n2,1,0,0,9,9,0,2,-1\n"))) == 2
    assert len(read_tracks(track_file("1,1,0,0,9,9,0,-1,-1\n2,1,0,0,9,9,0,-1,-1\n"))) == 2


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [("truck", (2,)), ("Truck,bus", (2, 3)), ("2", (1,)), ("all", (1, 2, 3, 4)), ("motorbike", (4,))],
)
def test_classes_are_chosen_by_name_or_by_the_files_number(
    track_file: Make, wanted: str, ids: tuple[int, ...]
) -> None:
    path = track_file(_rows("0.9,2,-1", "0.9,7,-1", "0.9,5,-1", "0.9,3,-1"))
    assert read_tracks(path, classes=wanted.split(",")).ids == ids


def test_classes_that_cannot_be_obeyed_are_refused(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InputError, match="holds no classes, so that --classes car cannot be obeyed"):
        read_tracks(track_file(_rows("0.9")), classes=["car"])
    path = track_file(_rows("0.9,2,-1"))
    with pytest.raises(SourceError, match=r"2 of class 2 \(car\)\. Classes are read as COCO's"):
        read_tracks(path, classes=["bus"])
    assert read_tracks(path, classes=["car", "tuck"]).ids == (1,)
    assert "has no class tuck; it has class 2 (car): 2" in caplog.text


def test_people_alone_are_refused_with_the_way_out(track_file: Make) -> None:
    path = track_file(_rows("0.9,0,-1"))
    with pytest.raises(SourceError, match=r"2 of class 0 \(person\)\. .* --classes takes others"):
        read_tracks(path)
    assert read_tracks(path, classes=["0"]).ids == (1,)


def test_numbers_of_no_known_list_are_all_used_and_told(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_tracks(track_file(_rows("0.9,101,-1", "0.9,102,-1"))).ids == (1, 2)
    assert "what its classes mean is not known, so all are used: class 101: 2" in caplog.text


@pytest.mark.parametrize(
    ("labels", "ids"),
    [
        (("Car", "Pedestrian", "DontCare", "Van"), (1, 4)),
        (("car", "road sign", "roadsign", "bicycle", "person"), (1,)),
        (("object", "person"), (1,)),
        (("school bus", "person on vehicle", "Person_sitting", "thing"), (1,)),
    ],
)
def test_labels_tell_vehicles_by_their_names(
    track_folder: Make, kitti_line: Callable[..., str], labels: tuple[str, ...], ids: tuple[int, ...]
) -> None:
    text = "".join(kitti_line(label, n, "1 2 30 40") for n, label in enumerate(labels, 1))
    assert read_tracks(track_folder({"00_000_000000.txt": text})).ids == ids


def _tracked(*rows: str) -> str:
    return "".join(f"{frame},{row}\n" for frame in range(1, 7) for row in rows)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.txt", ("1,0,0,9,9,0.9,car", "2,9,0,9,9,0.9,Person", "3,0,9,9,9,0.8,box truck")),
        ("a.txt", ("1,0,0,9,9,car", "2,9,0,9,9,person", "3,0,9,9,9,bus")),
        ("a.txt", ("1,0,0,9,9,2,-1,-1,0", "2,9,0,9,9,0,-1,-1,0", "3,0,9,9,9,7,-1,-1,0")),
        ("M0101_gt_whole.txt", ("1,0,0,9,9,1,2,1", "3,9,0,9,9,2,3,3")),
    ],
    ids=["by name", "by name in column 7", "by number in column 7", "UAVDT"],
)
def test_classes_are_found_where_other_programs_put_them(
    track_file: Make, name: str, rows: tuple[str, ...]
) -> None:
    assert read_tracks(track_file(_tracked(*rows), name)).ids == (1, 3)


def test_scores_in_percent_are_no_classes(track_file: Make) -> None:
    rows = ("1,0,0,9,9,93,-1,-1,-1", "2,9,0,9,9,71,-1,-1,-1")
    assert read_tracks(track_file(_tracked(*rows))).ids == (1, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ("2,1,10,20,30,40,-1,-1,-1", "2,2,50,20,30,40,-1,-1,-1", "2,3,90,20,30,40,-1,-1,-1"),
            "repeats tracks",
        ),
        (("x,0,0,9,9",), "cannot be read"),
    ],
    ids=["class before id", "no numbers"],
)
def test_columns_in_another_order_are_refused(track_file: Make, rows: tuple[str, ...], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_file(_tracked(*rows)))
    with pytest.raises(SourceError, match="none is named like a track id"):
        read_tracks(track_file("frame,x1,y1,x2,y2,conf\n1,0,0,9,9,0.9\n"))


def test_an_id_in_two_classes_of_a_frame_is_two_tracks(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    text = "1,1,0,0,9,9,0.9,2,-1\n1,1,50,0,9,9,0.8,7,-1\n2,1,1,0,9,9,0.9,2,-1\n2,3,9,9,9,9,0.9,7,-1\n"
    tracks = read_tracks(track_file(text + "3,1,51,0,9,9,0.8,7,-1\n"))
    assert tracks.ids == (1, 3, 4)
    assert tracks.at(2) == (TrackBox(4, (51.0, 0.0, 60.0, 9.0)),)
    assert "track 1 twice in one frame" in caplog.text
    assert "from 4 on" in caplog.text


def test_a_class_that_flickers_leaves_one_track(track_file: Make) -> None:
    assert read_tracks(track_file("1,1,0,0,9,9,0.9,2,-1\n2,1,0,0,9,9,0.9,7,-1\n")).ids == (1,)


def test_a_vehicle_keeps_the_id_that_it_shares_with_a_person(track_file: Make) -> None:
    tracks = read_tracks(track_file("1,1,0,0,9,9,0.9,0,-1\n1,1,50,0,9,9,0.8,2,-1\n"))
    assert tracks.at(0) == (TrackBox(1, (50.0, 0.0, 59.0, 9.0)),)


def test_of_two_boxes_of_a_track_the_surer_stays(track_file: Make, caplog: pytest.LogCaptureFixture) -> None:
    tracks = read_tracks(track_file("1,1,0,0,9,9,0.5\n1,1,50,0,9,9,0.8\n1,1,70,0,9,9,0.8\n"))
    assert tracks.at(0) == (TrackBox(1, (50.0, 0.0, 59.0, 9.0)),)
    assert "but 2 more were found (first: " in caplog.text
