# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.follow import FileFollower
from pamtri_edge.video.frames import Frame

PICTURE = np.zeros((4, 4, 3), np.uint8)


def _frame(index: int) -> Frame:
    return Frame(index, index / 20, PICTURE)


@pytest.fixture
def follow(tmp_path: Path) -> Callable[..., FileFollower]:
    """Return what follows a file that has a box of each (frame, track)."""

    def make(*boxes: tuple[int, int]) -> FileFollower:
        (tmp_path / "t.txt").write_text("".join(f"{frame},{track},0,0,9,9\n" for frame, track in boxes))
        return FileFollower(read_tracks(tmp_path / "t.txt"))

    return make


def test_a_file_gives_its_boxes_and_ends_each_track_with_its_last(
    follow: Callable[..., FileFollower],
) -> None:
    follower = follow((1, 1), (2, 1), (2, 2), (4, 2))
    seen, ended = [], []
    for index in range(5):
        seen.append([box.track_id for box in follower.update(_frame(index))])
        ended.append(list(follower.ended(_frame(index))))
    assert seen == [[1], [1, 2], [], [2], []]
    assert ended == [[], [1], [], [2], []]


def test_a_track_whose_last_frame_was_lost_still_ends(follow: Callable[..., FileFollower]) -> None:
    follower = follow((1, 1), (2, 1))
    follower.update(_frame(0))
    assert list(follower.ended(_frame(0))) == []
    assert (
        list(follower.restart()) == []
    )  # the file says which boxes belong together, whatever the clock does
    follower.update(_frame(7))  # frame 1 could not be decoded
    assert list(follower.ended(_frame(7))) == [1]


def test_tracks_past_the_end_are_told_in_the_files_own_numbers(follow: Callable[..., FileFollower]) -> None:
    follower = follow((1, 1), (30, 1), (31, 2))
    assert follower.left_over(31) is None
    assert "has boxes up to frame 31, but the video ended with frame 25: 2 boxes of 2 tracks" in str(
        follower.left_over(25)
    )
