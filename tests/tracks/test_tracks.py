# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from pamtri_edge.errors import SourceError
from pamtri_edge.tracks import TrackBox, read_tracks

_ZEROS = "0.0 0.0 0.0 0.0 0.0 0.0 0.0"


def _file(folder: Path, text: str, name: str = "tracks.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def _kitti(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def _line(label: str, track: str, box: str, tail: str = "") -> str:
    return f"{label} {track} 0.0 0 0.0 {box} {_ZEROS}{tail}\n"


@pytest.mark.parametrize(
    "text",
    [
        "1,7,10,20,30,40,0.9,2,-1\n3,7,11,21,30,40,0.9,2,-1\n",
        "1 7 10 20 30 40 0.9 2 -1\n3 7 11 21 30 40 0.9 2 -1\n",
        "1, 7, 10, 20, 30, 40\n\n# a remark\n3, 7, 11, 21, 30, 40\n",
        "\ufeff1.0,7.0,1e1,20,30,40\r\n3.0,7.0,11,21,30,40\r\n",
    ],
    ids=["comma", "blank", "six columns, remarks", "floats, BOM, CRLF"],
)
def test_motchallenge_counts_frames_from_one_and_gives_corners(tmp_path: Path, text: str) -> None:
    tracks = read_tracks(_file(tmp_path, text))
    assert tracks.at(0) == (TrackBox(7, (10.0, 20.0, 40.0, 60.0)),)
    assert tracks.at(1) == ()
    assert tracks.at(2) == (TrackBox(7, (11.0, 21.0, 41.0, 61.0)),)
    assert (len(tracks), tracks.ids, tracks.last_index, tracks.first_frame) == (2, (7,), 2, 1)


def test_boxes_in_any_order_of_frames_are_found(tmp_path: Path) -> None:
    tracks = read_tracks(_file(tmp_path, "5,2,0,0,9,9\n1,1,0,0,9,9\n5,1,1,1,9,9\n2,2,0,0,9,9\n"))
    assert [box.track_id for box in tracks.at(4)] == [2, 1]
    assert tracks.ids == (1, 2)
    assert (tracks.last_frame(1), tracks.last_frame(2)) == (4, 4)


def test_boxes_past_the_end_are_counted_with_their_tracks(tmp_path: Path) -> None:
    tracks = read_tracks(_file(tmp_path, "1,1,0,0,9,9\n5,1,0,0,9,9\n6,1,0,0,9,9\n6,2,0,0,9,9\n"))
    assert tracks.past(4) == (3, 2)
    assert tracks.past(6) == (0, 0)


def test_deepstream_folder_counts_frames_from_zero(tmp_path: Path) -> None:
    big = 2**63 + 5  # DeepStream's ids fill 64 bits
    folder = _kitti(
        tmp_path / "kitti",
        {
            "00_000_000000.txt": _line("car", str(big), "1.5 2.5 30.0 40.0", " 0.9"),
            "00_000_000010.txt": _line("car", str(big), "3.0 4.0 31.0 41.0"),
            "00_000_000011.txt": "",
            "notes.md": "not a track file",
        },
    )
    tracks = read_tracks(folder)
    assert tracks.at(0) == (TrackBox(big, (1.5, 2.5, 30.0, 40.0)),)
    assert tracks.at(10) == (TrackBox(big, (3.0, 4.0, 31.0, 41.0)),)
    assert (tracks.first_frame, tracks.last_frame(big)) == (0, 10)


def test_service_maker_names_and_projected_foot_points_are_read(tmp_path: Path) -> None:
    folder = _kitti(
        tmp_path / "kitti", {"003_000002.txt": _line("truck", "4", "1 2 3 4", " 0.5 0.7 2.0 4.0")}
    )
    assert read_tracks(folder).at(2) == (TrackBox(4, (1.0, 2.0, 3.0, 4.0)),)


def test_labels_with_blanks_do_not_shift_the_columns(tmp_path: Path) -> None:
    folder = _kitti(tmp_path / "kitti", {"00_000_000000.txt": _line("fire truck", "4", "1 2 3 4", " 0.5")})
    assert read_tracks(folder).at(0)[0].track_id == 4


def test_objects_without_a_track_id_are_left_out(tmp_path: Path) -> None:
    text = _line("car", str(2**64 - 1), "1 2 3 4") * 2 + _line("car", "1", "5 6 7 8")
    assert read_tracks(_kitti(tmp_path / "kitti", {"00_000_000000.txt": text})).ids == (1,)


def test_of_several_streams_one_is_chosen(tmp_path: Path) -> None:
    folder = _kitti(
        tmp_path / "kitti",
        {
            "00_000_000000.txt": _line("car", "1", "1 2 3 4"),
            "00_001_000000.txt": _line("car", "2", "1 2 3 4"),
        },
    )
    assert read_tracks(folder, stream="00_001").ids == (2,)
    with pytest.raises(SourceError, match=r"holds 2 streams \(00_000, 00_001\); choose one with --stream"):
        read_tracks(folder)
    with pytest.raises(SourceError, match="'00_007' is none of them"):
        read_tracks(folder, stream="00_007")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,1,0,0,9", r"tracks\.txt:2: 5 columns; expected 6 to 10: frame, id, x, y, width, height"),
        ("1,1,0,0,9,9,1,1,1,1,1", "11 columns; expected 6 to 10"),
        ("1,2,0,0,9,9,1", r":2: 7 columns, but the lines before have 6"),
        ("1,2,0,zero,9,9", r":2: column 4 is 'zero'; expected a number"),
        ("1,2,0,nan,9,9", r":2: column 4 is nan; expected a finite number"),
        ("1.5,2,0,0,9,9", r":2: frame is 1\.5; expected a whole number"),
        ("0,2,0,0,9,9", r":2: frame 0; MOTChallenge counts frames from 1"),
        ("1,-1,0,0,9,9", r":2: track id -1; expected 0 or more\. Files with -1 hold detections"),
        ("1,2,0,0,0,9", r":2: the box is 0 wide and 9 high"),
        ("1,1,5,5,9,9", r":2: track 1 already has a box in frame 1 \(line 1\)"),
        (f"1,{2**64},5,5,9,9", "does not fit 64 bits"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found_and_expected(
    tmp_path: Path, line: str, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(_file(tmp_path, f"1,1,0,0,9,9\n{line}\n"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"car 0.0 0 0.0 1 2 3 4 {_ZEROS} 0.9", "'0.0' stands where the track id is expected"),
        ("car 1 0.0 0 0.0 1 2 3 4", "9 columns; expected 16"),
        (_line("car", "1", "5 2 3 4"), "is empty or inverted; expected left, top, right, bottom"),
        (_line("car", "1", "1 2 3 4") * 2, r"000000\.txt:2: track 1 already has a box in frame 0"),
        ("1,1,0,0,9,9", "1 columns; expected 16"),
    ],
)
def test_a_bad_deepstream_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_tracks(_kitti(tmp_path / "kitti", {"00_000_000000.txt": line}))


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="there is no track file or folder"):
        read_tracks(tmp_path / "absent.txt")
    with pytest.raises(SourceError, match="holds no tracks"):
        read_tracks(_file(tmp_path, "\n"))
    with pytest.raises(SourceError, match="holds no track files; expected one a frame"):
        read_tracks(tmp_path / "empty")
    binary = tmp_path / "tracks.bin"
    binary.write_bytes(b"\x00\xff\xfe\x80")
    with pytest.raises(SourceError, match="is not a text file"):
        read_tracks(binary)


def test_real_track_files_are_read_whole(shared_data: Path) -> None:
    counts = {path.stem: len(read_tracks(path).ids) for path in (shared_data / "clips").glob("*.txt")}
    assert counts == {
        "intel_car-detection_30s": 4,
        "suburban_a_640x352": 30,
        "tfl_6600_junction": 25,
        "tfl_625_201709281436": 61,
    }
