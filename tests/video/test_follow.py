# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np

from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.frames import Frame

PICTURE = np.zeros((4, 4, 3), np.uint8)


def _frame(index: int) -> Frame:
    return Frame(index, index / 20, PICTURE)


def test_a_file_gives_its_boxes_and_ends_each_track_with_its_last(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1,1,0,0,9,9\n2,1,0,0,9,9\n2,2,0,0,9,9\n4,2,0,0,9,9\n")
    follower = FileFollower(read_tracks(path))
    seen, ended = [], []
    for index in range(5):
        seen.append([box.track_id for box in follower.update(_frame(index))])
        ended.append(list(follower.ended(_frame(index))))
    assert seen == [[1], [1, 2], [], [2], []]
    assert ended == [[], [1], [], [2], []]


def test_a_track_whose_last_frame_was_lost_still_ends(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1,1,0,0,9,9\n2,1,0,0,9,9\n")
    follower = FileFollower(read_tracks(path))
    follower.update(_frame(0))
    assert list(follower.ended(_frame(0))) == []
    follower.update(_frame(7))  # frame 1 could not be decoded
    assert list(follower.ended(_frame(7))) == [1]


def test_tracks_past_the_end_are_told_in_the_files_own_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1,1,0,0,9,9\n30,1,0,0,9,9\n31,2,0,0,9,9\n")
    follower = FileFollower(read_tracks(path))
    assert follower.left_over(31) is None
    message = follower.left_over(25)
    assert message is not None
    assert "has boxes up to frame 31, but the video ended with frame 25: 2 boxes of 2 tracks" in message


def test_a_restart_leaves_the_tracks_of_a_file_together(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1,1,0,0,9,9\n3,1,0,0,9,9\n")
    follower = FileFollower(read_tracks(path))
    follower.update(_frame(0))
    assert list(follower.restart()) == []
    follower.update(_frame(2))
    assert list(follower.ended(_frame(2))) == [1]
