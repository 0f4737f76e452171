# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Each layout of tracks is told from the path and read whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks import TrackBox, read_tracks

Make = Callable[..., Path]
Line = Callable[..., str]


def _jsonl(*records: dict[str, object]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


_DETRAC = """<?xml version="1.0" encoding="utf-8"?>
<sequence name="MVI_20011">
  <ignored_region><box left="1" top="1" width="5" height="5"/></ignored_region>
  <frame density="2" num="2"><target_list>
    <target id="4"><box left="10.5" top="20" width="30" height="40"/><attribute vehicle_type="car"/></target>
    <target id="5"><box left="0" top="0" width="9" height="9"/><attribute vehicle_type="others"/></target>
  </target_list></frame>
  <target id="6"><box left="0" top="0" width="9" height="9"/></target>
</sequence>
"""


MOT_FAMILY = {
    "comma": "1,7,10,20,30,40,0.9,2,-1\n3,7,11,21,30,40,0.9,2,-1\n",
    "blank": "1 7 10 20 30 40 0.9 2 -1\n3 7 11 21 30 40 0.9 2 -1\n",
    "tab": "1\t7\t10\t20\t30\t40\n3\t7\t11\t21\t30\t40\n",
    "UTF-16 of Windows": "frame,id,x,y,w,h\r\n1,7,10,20,30,40\r\n3,7,11,21,30,40\r\n".encode("utf-16"),
    "remarks": "1, 7, 10, 20, 30, 40\n\n# a remark\n3, 7, 11, 21, 30, 40\n",
    "floats, BOM, CRLF": "\ufeff1.0,7.0,1e1,20,30,40\r\n3.0,7.0,11,21,30,40\r\n",
    "semicolon, header": "frame;id;x;y;w;h\n1;7;10,0;20;30;40\n3;7;11,0;21;30;40\n",
    "eleven": "1,7,10,20,30,40,0.9,-1,-1,-1,0\n3,7,11,21,30,40,0.9,-1,-1,-1,0\n",
    "empty cells": "1,7,10,20,30,40,,,,\n3,7,11,21,30,40,,,,\n",
    "tab, decimal commas": "1\t7\t10,0\t20,0\t30,0\t40,0\n3\t7\t11,0\t21,0\t30,0\t40,0\n",
    "blank, decimal commas": "1 7 10,0 20,0 30,0 40,0\n3 7 11,0 21,0 30,0 40,0\n",
    "quoted": '"1","7","10,0",20,30,40\n"3","7","11,0",21,30,40\n',
    "named corners": "frame,id,x1,y1,x2,y2\n1,7,10,20,40,60\n3,7,11,21,41,61\n",
    "names in a remark": "# track_id frame cx cy w h\n7 1 25 40 30 40\n7 3 26 41 30 40\n",
    "numbered rows": ",Frame ID,class,Track ID,BB Left,BB Top,BB Width,BB Height\n"
    "0,1,car,7,10,20,30,40\n1,3,car,7,11,21,30,40",
    "supervision": "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,frame_number\n"
    "10,20,40,60,2,0.9,7,1\n11,21,41,61,2,0.9,7,3\n",
    "boxes as objects in a column": "name,class,box,track_id,frame\n"
    + "".join(
        f"car,2,\"{{'x1': {x}.0, 'y1': {x + 10}.0, 'x2': {x + 30}.0, 'y2': {x + 50}.0}}\",7,{f}\n"
        for f, x in ((1, 10), (3, 11))
    ),
    "boxes as lists in a column": "frame_nmr,car_id,car_bbox\n1,7.0,[10.0 20.0 40.0 60.0]\n2,nan,[0 0 9 9]\n"
    "3,7.0,[11.0 21.0 41.0 61.0]\n",
    "sizes as lists in a column": 'frame,track_id,bbox\n1,7,"[10, 20, 30, 40]"\n3,7,"[11, 21, 30, 40]"\n',
    "names of pictures, and ids of rows": "id,filename,track_id,xmin,ymin,xmax,ymax\n"
    "0,a_0001.jpg,7,10,20,40,60\n1,a_0003.jpg,7,11,21,41,61\n",
    "names with units, from x0 to x1": "frame [#],Track (ID),x0 [px],y0 (px),x1 [px],y1 [px]\n"
    "1,7,10,20,40,60\n3,7,11,21,41,61\n",
    "lines of JSON": _jsonl(
        {"frame": 1, "id": 7, "bbox": [10, 20, 40, 60]}, {"frame": 3, "id": 7, "bbox": [11, 21, 41, 61]}
    ),
}


@pytest.mark.parametrize("text", MOT_FAMILY.values(), ids=MOT_FAMILY)
def test_the_mot_family_counts_frames_from_one_and_gives_corners(track_file: Make, text: str | bytes) -> None:
    tracks = read_tracks(track_file(text))
    assert tracks.at(0) == (TrackBox(7, (10.0, 20.0, 40.0, 60.0)),)
    assert tracks.at(1) == ()
    assert tracks.at(2) == (TrackBox(7, (11.0, 21.0, 41.0, 61.0)),)
    assert (len(tracks), tracks.ids, tracks.frames, tracks.first_frame) == (2, (7,), (0, 2), 1)


def test_boxes_in_any_order_of_frames_are_found_and_counted(track_file: Make) -> None:
    tracks = read_tracks(track_file("5,2,0,0,9,9\n1,1,0,0,9,9\n5,1,1,1,9,9\n2,2,0,0,9,9\n"))
    assert [box.track_id for box in tracks.at(4)] == [2, 1]
    assert tracks.ids == (1, 2)
    assert (tracks.last_frame(1), tracks.last_frame(2), tracks.last_index) == (4, 4, 4)
    assert (tracks.past(1), tracks.past(4), tracks.past(5)) == ((3, 2), (2, 2), (0, 0))


def test_a_frame_0_shows_that_frames_count_from_0(track_file: Make, caplog: pytest.LogCaptureFixture) -> None:
    path = track_file("0,1,0,0,9,9\n1,1,1,0,9,9\n")
    assert read_tracks(path).frames == (0, 1)
    assert "counts frames from 0, as it has a frame 0; --first-frame says otherwise" in caplog.text
    assert read_tracks(path, first_frame=1).frames == (0,)
    assert read_tracks(track_file("5,1,0,0,9,9\n"), first_frame=0).frames == (5,)
    with pytest.raises(SourceError, match=r":1: frame 0, where the first frame is 1; .*--first-frame 0"):
        read_tracks(track_file("0,1,0,0,9,9\n"), first_frame=1)


def test_cvats_export_names_its_classes_beside_it(track_file: Make) -> None:
    gt = track_file("1,1,0,0,9,9,1,1,1.0\n1,2,9,0,9,9,1,2,1.0\n", "task/gt/gt.txt")
    track_file("bicycle\ndelivery van\n", "task/gt/labels.txt")
    for path in (gt, gt.parent, gt.parent.parent):
        assert read_tracks(path).ids == (2,)
    assert read_tracks(gt, classes=["Bicycle"]).ids == (1,)


def test_deepstream_folder_counts_frames_from_zero(
    track_folder: Make, kitti_line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    big = 2**63 + 5  # DeepStream's ids fill 64 bits
    folder = track_folder(
        {
            "00_000_000000.txt": kitti_line("car", big, "1.5 2.5 30.0 40.0", " 0.9"),
            "00_000_000010.txt": kitti_line("car", big, "3.0 4.0 31.0 41.0"),
            "00_000_000011.txt": kitti_line(
                "fire truck", 4, "1 2 3 4", " 0.5 0.7 2.0 4.0"
            ),  # service maker's
            "00_000_000012.txt": kitti_line("car", 2**64 - 1, "1 2 3 4") * 2,  # without a track
            "00_000_000013.txt": "",
            "._00_000_000000.txt": "a fork of a Mac",
            "notes.md": "not a track file",
        }
    )
    tracks = read_tracks(folder)
    assert tracks.at(0) == (TrackBox(big, (1.5, 2.5, 30.0, 40.0)),)
    assert tracks.at(10) == (TrackBox(big, (3.0, 4.0, 31.0, 41.0)),)
    assert tracks.at(11) == (TrackBox(4, (1.0, 2.0, 3.0, 4.0)),)
    assert (tracks.first_frame, tracks.last_frame(big), tracks.ids) == (0, 10, (4, big))
    assert "2 of 5 rows are left out: 2 without a track id" in caplog.text


def test_of_several_streams_one_is_chosen(track_folder: Make, kitti_line: Line) -> None:
    folder = track_folder(
        {
            "00_000_000000.txt": kitti_line("car", 1, "1 2 3 4"),
            "00_001_000000.txt": kitti_line("car", 2, "1 2 3 4"),
        }
    )
    assert read_tracks(folder, stream="00_001").ids == (2,)
    with pytest.raises(SourceError, match=r"holds 2 streams \(00_000, 00_001\); choose one with --stream"):
        read_tracks(folder)
    with pytest.raises(SourceError, match="'00_007' is none of them"):
        read_tracks(folder, stream="00_007")


def test_kittis_benchmark_has_all_frames_in_one_file(track_file: Make) -> None:
    rest = "0 0 -1.79 10 20 30 40 2 1.8 4.4 -4.5 1.8 13.4 -2.1"
    text = f"0 0 Van {rest}\n3 -1 DontCare {rest}\n3 1 Cyclist {rest}\n3 2 Tram {rest}\n"
    tracks = read_tracks(track_file(text))
    assert tracks.ids == (0, 2)
    assert tracks.at(3) == (TrackBox(2, (10.0, 20.0, 30.0, 40.0)),)


def test_a_folder_of_kittis_benchmark_is_not_taken_for_deepstreams(
    track_folder: Make, track_file: Make, kitti_line: Line
) -> None:
    line = "3 7 Van 0 0 -1.7 10 20 40 60 2 1.8 4.4 -4 1.8 13 -2\n"
    folder = track_folder({"0000.txt": line})
    assert read_tracks(folder).at(3) == (TrackBox(7, (10.0, 20.0, 40.0, 60.0)),)
    (folder / "0001.txt").write_text(line)
    with pytest.raises(SourceError, match="2 sequences of KITTI's tracking benchmark; give one as a file"):
        read_tracks(folder)
    with pytest.raises(SourceError, match="a single frame; give its folder"):
        read_tracks(track_file(kitti_line("car", 7, "1 2 30 40"), "00_000_000003.txt"))


@pytest.mark.parametrize("columns", [6, 7])
def test_ultralytics_folders_are_in_parts_of_the_picture(track_folder: Make, columns: int) -> None:
    score = " 0.91" if columns == 7 else ""
    files = {
        "street_9_1.txt": f"2 0.5 0.5 0.25 0.5{score} 3\n0 0.1 0.1 0.1 0.1{score} 4\n",
        "street_9_2.txt": f"7 0.5 0.5 0.25 0.5{score} 3\n",
    }
    tracks = read_tracks(track_folder(files))
    assert (tracks.relative, tracks.ids, tracks.frames) == (True, (3,), (0, 1))
    assert tracks.in_pixels(640, 480).at(0) == (TrackBox(3, (240.0, 120.0, 400.0, 360.0)),)
    assert not tracks.in_pixels(640, 480).relative


@pytest.mark.parametrize("name", ["0012.txt", "00_12.txt", "frame-12.txt", "img12.txt", "frame_0012.txt"])
def test_ultralytics_labels_of_pictures_have_the_names_of_these(track_folder: Make, name: str) -> None:
    folder = track_folder(
        {name: "0 0.5 0.5 0.2 0.2 4\n1 0.2 0.2 0.2 0.2 5\n", "classes.txt": "person\ncar\n"}
    )
    tracks = read_tracks(folder)
    assert (tracks.ids, tracks.frames, tracks.relative) == ((5,), (11,), True)


def test_ultralytics_detections_are_no_tracks(track_folder: Make) -> None:
    folder = track_folder({"street_1.txt": "2 0.5 0.5 0.2 0.2 0.9\n"})
    with pytest.raises(SourceError, match=r"1 boxes without a track id.*These are detections"):
        read_tracks(folder)


def test_ua_detracs_xml_is_read_with_all_its_vehicles(track_file: Make) -> None:
    path = track_file(_DETRAC, "MVI_20011.xml")
    tracks = read_tracks(path)
    assert tracks.ids == (4, 5)
    assert tracks.at(1)[0] == TrackBox(4, (10.5, 20.0, 40.5, 60.0))
    assert read_tracks(path, classes=["car"]).ids == (4,)


def test_cvats_xml_of_a_video_is_read_where_a_vehicle_is_in_sight(track_file: Make) -> None:
    box = '<box frame="{}" outside="{}" xtl="10.5" ytl="20" xbr="40" ybr="60"/>'
    car = f'<track id="4" label="car">{box.format(0, 0)}{box.format(1, 1)}</track>'
    person = f'<track id="5" label="person">{box.format(0, 0)}</track>'
    tracks = read_tracks(track_file(f"<annotations>{car}{person}</annotations>", "annotations.xml"))
    assert tracks.at(0) == (TrackBox(4, (10.5, 20.0, 40.0, 60.0)),)
    assert len(tracks) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('<!DOCTYPE s [<!ENTITY a "b">]><sequence/>', r"has a document type \(DTD\)"),
        (_DETRAC[:300], r"xml:\d+ is no XML"),
        ("<boxes/>", "holds no tracks; expected UA-DETRAC's"),
        ("<annotations><image id='1'/></annotations>", "expected CVAT's for videos: .* Boxes in images"),
        ('<?xml version="1.0" encoding="x-none"?><s/>', "is no XML|cannot be read as XML"),
    ],
)
def test_other_xml_is_refused(track_file: Make, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_file(text, "a.xml"))


def test_nothing_to_read_is_an_error(track_file: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "absent.txt", "there is no track file or folder"),
        (tmp_path / "empty", "holds no track files; expected one a frame"),
        (tmp_path / "pipe", "is a pipe; expected a regular file"),
        (Path("/dev/zero"), "is a device; expected a regular file"),
        (track_file("\n", "blank.txt"), "holds no tracks"),
        (track_file('{"frames": []}', "a.json"), "JSON that holds no tracks in a known way .*'frames'"),
        (track_file(b"\x00\xff\xfe\x80", "tracks.bin"), "is not a text file"),
        (track_file("1,2,3".encode("utf-16-le"), "utf16.txt"), "it is UTF-16; save it as UTF-8"),
        (track_file(b"1," * 2**20, "endless.txt"), "is longer than 65536 characters"),
    ):
        with pytest.raises(SourceError, match=message):
            read_tracks(path)


def test_real_track_files_are_read_whole(shared_data: Path) -> None:
    found = {path.stem: read_tracks(path) for path in (shared_data / "clips").glob("*.txt")}
    assert {name: (len(tracks.ids), len(tracks)) for name, tracks in found.items()} == {
        "intel_car-detection_30s": (4, 166),
        "suburban_a_640x352": (30, 3555),
        "tfl_6600_junction": (25, 1977),
        "tfl_625_201709281436": (61, 4880),
    }
