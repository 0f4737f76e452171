# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A bad row is counted and left out; a file that holds no tracks is refused with its first wrong line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamtri_edge.errors import PamtriError, SourceError
from pamtri_edge.tracks import read_tracks
from properties import tries

Make = Callable[..., Path]

_BAD = [
    ("1,1,0,0,9", "5 columns; expected 6 to 12: frame, id, x, y, width, height"),
    ("1,2,0,zero,9,9", "column 4 is 'zero'; expected a number"),
    ("1.5,2,0,0,9,9", r"the frame is '1\.5'; expected a whole number"),
    ("1e19,2,0,0,9,9", "the frame is '1e19'; expected a number up to"),
    (f"{'9' * 300},2,0,0,9,9", r"the frame is '9{37}\.\.\.'; expected a number up to"),
    (f"1,{'9' * 5000},0,0,9,9", "the track id is .* expected a whole number"),
    (f"1,{2**64},5,5,9,9", "does not fit 64 bits"),
    ("1,\u00b2,0,0,9,9", "the track id is '\u00b2'; expected a number"),
    ("1,-1,0,0,9,9", "the track id is negative or missing; files without ids hold detections"),
    ("1,2,0,0,0,9", r"the box has the corners \(0, 0, 0, 0\)"),
    ("1,2,0,nan,9,9", r"the box has the corners \(0, nan, 9, nan\)"),
    ("1,2,0,0,inf,9", "the box has the corners"),
    ("1,2,3e9,0,9,9", "the box has the corners"),
    ("1,2,1e308,0,1e308,9", "the box has the corners"),
]


@pytest.mark.parametrize(("line", "message"), _BAD)
def test_a_bad_row_is_left_out_and_told(
    track_file: Make, caplog: pytest.LogCaptureFixture, line: str, message: str
) -> None:
    path = track_file(f"1,1,0,0,9,9\n{line}\n2,1,0,0,9,9\n")
    assert len(read_tracks(path)) == 2
    (record,) = caplog.records
    assert "1 of 3 rows is left out" in record.getMessage()
    with pytest.raises(SourceError, match=rf"tracks\.txt:1: .*{message}"):
        read_tracks(track_file(f"{line}\n"))


def test_a_file_of_which_most_rows_cannot_be_read_is_refused(track_file: Make) -> None:
    with pytest.raises(SourceError, match=r":2: 2 columns; .* 2 of 3 rows of .* cannot be read as tracks"):
        read_tracks(track_file("a b\nthe tracks\nof today\n1,1,0,0,9,9\n"))


@pytest.mark.parametrize("first", [10**20, -(10**20)])
def test_a_first_frame_beyond_any_video_is_refused(track_file: Make, first: int) -> None:
    with pytest.raises(PamtriError, match=r"the first frame is .*; expected a number up to 2147483647"):
        read_tracks(track_file("1,1,0,0,9,9\n"), first_frame=first)


def test_a_first_row_with_numbers_is_no_row_of_names(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(read_tracks(track_file("f1,car,0,0,9,9\n2,1,0,0,9,9\n"))) == 1
    assert "the frame is 'f1'; expected a number" in caplog.text


@pytest.mark.parametrize("id_", [str(2**53 + 1), f"{2**53 + 1}.0", f"+{2**53 + 1}.000"])
def test_an_id_beyond_the_whole_numbers_of_a_float_is_kept(track_file: Make, id_: str) -> None:
    assert read_tracks(track_file(f"1,{id_},0,0,9,9\n")).ids == (2**53 + 1,)


_ROWS = "frame,id,x,y,w,h\n1,1,0,0,9,9\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(_ROWS.encode(), mtime=0), "compressed by gzip; unpack it"),
        (b"PK\3\4" + bytes(40), "save the sheet as CSV"),
        (b"PAR1\x15", "Parquet; write it as CSV"),
        (b"\0\0\0\x20ftypisom" + bytes(40), "a video"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "a JPEG"),
        (_ROWS.encode("utf-16-be"), "UTF-16; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_told_what_it_is(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "tracks.txt"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"is not a text file: it is .*{kind}.*. Expected tracks as text"):
        read_tracks(path)


def test_deepstreams_boxes_of_zeros_are_left_out(track_folder: Make, kitti_line: Callable[..., str]) -> None:
    text = kitti_line("car", 1, "0 0 0 0") + kitti_line("car", 2, "5 2 3 4") + kitti_line("car", 3, "1 2 3 4")
    assert read_tracks(track_folder({"00_000_000000.txt": text})).ids == (3,)


def test_boxes_in_parts_of_the_picture_are_read_as_such_and_told(
    track_file: Make, caplog: pytest.LogCaptureFixture
) -> None:
    tracks = read_tracks(track_file("1,1,0.1,0.2,0.5,0.5\n2,1,0.12,0.2,0.5,0.5\n"))
    assert tracks.in_pixels(100, 200).at(0)[0].box == pytest.approx((10, 40, 60, 140))
    assert "are read as parts of the picture, from 0 to 1, not as pixels" in caplog.text


def test_corners_in_the_place_of_sizes_are_told(track_file: Make, caplog: pytest.LogCaptureFixture) -> None:
    rows = [(k, 10 + 5 * k, 20 + 3 * k) for k in range(1, 20)]
    read_tracks(track_file("".join(f"{k},1,{x},{y},{x + 50},{y + 30 + k % 2}\n" for k, x, y in rows)))
    assert "look like x1, y1, x2, y2; expected are x, y, width, height" in caplog.text
    caplog.clear()
    read_tracks(track_file("".join(f"{k},1,{x},{y},{150 + k % 3},{90 + k % 2}\n" for k, x, y in rows)))
    assert not caplog.records  # a large vehicle near the corner


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("street_1.txt", "2 0.1 0.2 0.3 0.4 7\n", "labels of a single frame; give its folder"),
        ("a.csv", "timestamp,id,x,y,w,h\n0.1,1,0,0,9,9\n", "none is named like a frame"),
        (
            "a.csv",
            "camera,frame,id,x,y,w,h\nn,1,1,0,0,9,9\ns,1,2,0,0,9,9\n",
            "rows of 2 videos or cameras .'n', 's'.",
        ),
        ("a.csv", "frame,id,lon,lat\n1,1,0,0\n", "none is named like a box"),
        ("a.xml", "<annotation><object><bndbox/></object></annotation>", "Pascal VOC's boxes of a picture"),
        ("a.txt", "<!DOCTYPE html><html/>", "is a web page"),
    ],
)
def test_what_is_no_track_is_told_by_its_name(track_file: Make, name: str, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_file(text, name))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"000000.txt": "Car 0.00 0 -1.57 1 2 3 4 1 1 1 1 1 1 1\n"},
            "no track id stands behind .* detections",
        ),
        (
            {"00_000_000000.txt": "car 0.0 0 0.0 1 2 3 4 0.0 0.0 0.0 0.0 0.0 0.0 0.0 0.9\n"},
            r"000\.txt:1: '0\.0' stands where the track id is expected",
        ),
        ({"00_000_000000.txt": "1,1,0,0,9,9\n"}, "1 column; expected 16"),
        ({"street_1.txt": "2 .1 .1 .2 .1 .2 .2 .1 .2 7\n"}, "10 columns: outlines of a -seg network"),
        (
            {"MOT17-02.txt": "1,1,0,0,9,9\n", "MOT17-04.txt": "1,1,0,0,9,9\n"},
            "holds MOT17-02.txt, MOT17-04.txt",
        ),
        ({"street.csv": "frame,id\n", ".hidden.csv": ""}, r"It holds street\.csv: give the file"),
    ],
)
def test_a_folder_of_something_else_is_told(track_folder: Make, files: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(track_folder(files))


_CELL = st.one_of(
    st.integers(-3, 99).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "car", "1e400", "9" * 400, "\u0663", "-0", "1_0", "0x1", "Infinity", "\x1b[2J", "\x00"]
    ),
    st.text(max_size=4),
)
_ROW = st.one_of(
    st.lists(_CELL, max_size=20).flatmap(lambda row: st.sampled_from(",; \t").map(lambda by: by.join(row))),
    st.tuples(*[st.integers(0, 4).map(str)] * 9).map(",".join),
    st.sampled_from(["<a><frame num='1'><target id='x'/></frame></a>", "0 0 Car " + "1 " * 14, "[", "{}"]),
)


_CONTENT = st.one_of(
    st.binary(max_size=80),
    st.lists(_ROW, max_size=8).map(lambda rows: "\n".join(rows).encode("utf-8", "surrogatepass")),
)


_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.floats(0, 9), st.sampled_from(["1", "a_2.jpg"])
)
_KEY = st.sampled_from(
    [
        *("frame", "frame_id", "track_id", "id", "bbox", "x", "y", "width", "height", "x1", "3", "images"),
        *("annotations", "image_id", "file_name", "categories", "labels", "box2d", "frames", "sequence"),
    ]
)
_JSON = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEY, inner, max_size=6), max_leaves=30
).map(lambda value: json.dumps(value).encode())


@settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=_CONTENT | _JSON,
    folder=st.sampled_from(["", "00_000_000000.txt", "a_1.txt"]),
    classes=st.sampled_from([None, ("car",), ("all",), ("3",)]),
)
def test_whatever_a_file_holds_no_other_error_leaves_the_reader(
    track_file: Make, text: bytes, folder: str, classes: tuple[str, ...] | None
) -> None:
    path = track_file(text, f"fuzz/{folder}" if folder else "fuzz.txt")
    try:
        tracks = read_tracks(path.parent if folder else path, classes=classes)
    except PamtriError:
        pass
    else:
        assert len(tracks) > 0
    finally:
        path.unlink()
