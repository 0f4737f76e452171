# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The tracks of a video as a test set: which tracks, which views, and what simple features reach on them."""

import cv2
import numpy as np
import pytest

from pamtri_edge.datasets.footage import TrackRule, choose_views, read_footage
from pamtri_edge.errors import InputError, SourceError
from pamtri_edge.evaluate.baselines import BASELINES
from pamtri_edge.evaluate.measure import evaluate
from pamtri_edge.tracks import read_tracks

WIDTH, HEIGHT, FRAMES = 160, 90, 40
COLORS = {7: (200, 30, 30), 9: (30, 30, 200)}


def place(track, frame):
    """Return the box of a track, x, y, w, h: 7 goes right, 9 goes left."""
    return (4 + 2 * frame if track == 7 else 120 - 2 * frame, 10 if track == 7 else 55, 30, 24)


def lines(tracks=(7, 9), frames=FRAMES, box=place):
    return "".join(
        f"{frame + 1},{track},{x},{y},{w},{h}\n"
        for frame in range(frames)
        for track in tracks
        for x, y, w, h in [box(track, frame)]
    )


@pytest.fixture
def tracks(tmp_path):
    """Return a function that writes and reads a track file."""

    def make(text):
        path = tmp_path / "tracks.txt"
        path.write_text(text)
        return read_tracks(path)

    return make


@pytest.fixture
def street(tmp_path):
    """Return a folder of images of both vehicles, and their tracks."""
    folder = tmp_path / "street"
    folder.mkdir()
    for frame in range(FRAMES):
        picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
        for track, color in COLORS.items():
            x, y, w, h = place(track, frame)
            picture[y : y + h, x : x + w] = color
        cv2.imwrite(str(folder / f"{frame:04d}.png"), picture[..., ::-1])
    (tmp_path / "street.txt").write_text(lines())
    return folder, tmp_path / "street.txt"


def test_queries_are_of_the_first_fifth_and_the_gallery_of_the_last(tracks):
    queries, gallery = choose_views(tracks(lines()), WIDTH, HEIGHT)
    assert [view.track_id for view in queries] == [7, 7, 7, 9, 9, 9]
    assert [view.frame for view in queries] == [0, 3, 7] * 2
    assert [view.frame for view in gallery] == [32, 35, 39] * 2
    assert queries[0].box == (4, 10, 34, 34)


def test_boxes_are_clipped_to_the_frame_and_rounded(tracks):
    text = lines(box=lambda track, frame: (-5.4 + 2 * frame, 10.4, 30.0, 24.3))
    queries, _ = choose_views(tracks(text), WIDTH, HEIGHT)
    assert queries[0].box == (0, 10, 25, 35)


def test_short_small_and_standing_tracks_take_no_part(tracks):
    def box(track, frame):
        if track == 1:
            return (50, 10, 30, 24)  # stands
        if track == 2:
            return (2 * frame, 60, 19, 24)  # too narrow
        return place(track, frame)

    text = lines((1, 2, 7, 9), box=box) + lines((3,), frames=19, box=lambda _, frame: place(7, frame))
    queries, _ = choose_views(tracks(text), WIDTH, HEIGHT)
    assert {view.track_id for view in queries} == {7, 9}
    loose = TrackRule(least_boxes=19, least_side=19, travel=0)
    assert {view.track_id for view in choose_views(tracks(text), WIDTH, HEIGHT, loose)[0]} == {1, 2, 3, 7, 9}


def test_too_few_tracks_are_refused_and_the_rule_is_said(tracks):
    with pytest.raises(
        InputError, match=r"1 of 1 tracks can be used; at least 2 .* 20 boxes .* move by 0.75"
    ):
        choose_views(tracks(lines((7,))), WIDTH, HEIGHT)


def test_the_views_are_cut_from_their_frames(street):
    told = []
    data = read_footage(*street, progress=lambda done, total: told.append((done, total)))
    assert (data.name, data.across_cameras, data.identities) == ("street", False, 2)
    assert data.query.names[0] == "track 7, frame 0"
    for side in (data.query, data.gallery):
        for index, vehicle in enumerate(side.vehicles):
            assert (side.read(index) == COLORS[{1: 7, 2: 9}[int(vehicle)]]).all()
    assert told[-1] == (FRAMES, FRAMES)
    assert evaluate(data, BASELINES["histogram"]).retrieval.mAP == 1.0  # red is not blue


def test_ids_of_64_bits_are_told_apart(street, tmp_path):
    path = tmp_path / "big.txt"
    path.write_text(lines().replace(",7,", f",{2**63 + 1},").replace(",9,", f",{2**63 + 2},"))
    data = read_footage(street[0], path)
    assert sorted(set(data.query.vehicles.tolist())) == [1, 2]
    assert str(2**63 + 2) in data.query.names[-1]


def test_footage_that_cannot_be_that_of_the_tracks_is_refused(street, tmp_path):
    folder, tracks_file = street
    with pytest.raises(InputError, match="is a stream, whose frames have no fixed numbers"):
        read_footage("rtsp://127.0.0.1:1/none", tracks_file)
    path = tmp_path / "long.txt"
    path.write_text(lines(frames=60, box=lambda track, frame: place(track, frame // 2)))
    with pytest.raises(SourceError, match=r"has no frame .* are these the tracks of this video"):
        read_footage(folder, path)
    cv2.imwrite(str(folder / "0020.png"), np.full((HEIGHT * 2, WIDTH * 2, 3), 90, np.uint8))
    with pytest.raises(SourceError, match=r"frames of 160 x 90 pixels and, from frame 20 on .*another size"):
        read_footage(folder, tracks_file)


@pytest.mark.parametrize(
    ("clip", "identities", "figures"),
    [
        ("suburban_a_640x352", 7, {"thumbnail": (38.7, 33.3), "histogram": (30.4, 19.0)}),
        ("tfl_6600_junction", 14, {"thumbnail": (40.7, 33.3), "histogram": (40.7, 28.6)}),
    ],
)
def test_simple_features_reach_on_real_footage_what_they_reached_before(
    shared_data, clip, identities, figures
):
    pytest.importorskip("av", reason="reading a video takes PyAV")
    clips = shared_data / "clips"
    data = read_footage(clips / f"{clip}.mp4", clips / f"{clip}.txt")
    assert data.identities == identities
    for name, (mean, first) in figures.items():
        found = evaluate(data, BASELINES[name]).retrieval
        # Which bins and which of the fifth's views were taken is not known to the pixel. (The histogram of
        # the junction is 37.4 with the frames of swscale's fast conversion, a level off in places.)
        assert 100 * found.mAP == pytest.approx(mean, abs=2.5)
        assert 100 * found.rank(1) == pytest.approx(first, abs=5)
