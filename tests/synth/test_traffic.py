# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Traffic videos: who is where in which frame is what tracks and identities say."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest

from pamtri_edge.errors import InputError
from pamtri_edge.evaluate.truth import read_identities
from pamtri_edge.synth.traffic.camera import Placed, TrafficCamera
from pamtri_edge.synth.traffic.plan import TrafficPlan, camera_name, comes, drives, pose_camera
from pamtri_edge.synth.traffic.videos import traffic_vehicles, write_traffic
from pamtri_edge.tracks import read_tracks
from pamtri_edge.video.files import VideoFile

PLAN = TrafficPlan(vehicles=4, seconds=6.0, fps=5.0, width=160, height=96)
LENGTHS = [4.5, 4.2, 5.0, 12.0]


def fleet(lengths):
    return [
        SimpleNamespace(mesh=SimpleNamespace(length=length), color="red", type="bus" if length > 8 else "suv")
        for length in lengths
    ]


class FakeCamera:
    """Draws every vehicle as a block that moves along with it."""

    def __init__(self, plan, camera, vehicles):
        self.plan = plan

    def frame(self, index, poses):
        picture = np.full((self.plan.height, self.plan.width, 3), 90, np.uint8)
        placed = []
        for number, pose in poses:
            x = round(2 * (pose.x + 38))
            picture[30:60, x : x + 24] = 250
            placed.append(Placed(number, (x + 0.2, 29.8, x + 24.1, 60.0)))
        return picture, placed


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of two cameras' videos, and what was told while they were written."""
    folder, told = tmp_path_factory.mktemp("traffic") / "clips", []

    def tell(done, total):
        told.append((done, total))

    write_traffic(PLAN, folder, vehicles=fleet(LENGTHS), open_camera=FakeCamera, on_progress=tell)
    return folder, told


@pytest.fixture
def folder(written):
    return written[0]


def test_the_files_are_those_that_run_and_match_read(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        *("camera-a.mp4", "camera-a.txt", "camera-b.mp4", "camera-b.txt", "identities.csv"),
    ]
    with (folder / "identities.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["camera", "track_id", "identity", "color", "type"]
    for camera in ("camera-a", "camera-b"):
        mine = [row for row in rows if row["camera"] == camera]
        assert sorted(row["identity"] for row in mine) == ["1", "2", "3", "4"]
        assert [row["track_id"] for row in mine] == ["1", "2", "3", "4"]
    told = {(row["camera"], int(row["track_id"])): row["identity"] for row in rows}
    assert read_identities(folder / "identities.csv") == told


def pictures_and_boxes(folder, name):
    """Return each frame of a video with a mask of its tracks' boxes and the boxes; the tracks first."""
    tracks, source = read_tracks(folder / f"{name}.txt"), VideoFile(folder / f"{name}.mp4")
    found = []
    for frame in source.frames():
        mask, boxes = np.zeros(frame.picture.shape[:2], bool), tracks.at(frame.index)
        for x1, y1, x2, y2 in (map(int, box.box) for box in boxes):
            mask[max(y1, 0) : y2, max(x1, 0) : x2] = True
        found.append((frame.picture, mask, boxes))
    source.close()
    return tracks, found


def test_tracks_lie_on_their_vehicles_in_every_frame(folder):
    for name in ("camera-a", "camera-b"):
        tracks, frames = pictures_and_boxes(folder, name)
        assert tracks.ids == (1, 2, 3, 4)
        assert len(frames) == PLAN.frames == 30
        for picture, mask, _ in frames:
            assert ((picture[..., 1] > 170) != mask).mean() < 0.02


def test_lines_are_motchallenge_with_cocos_classes(folder):
    with (folder / "identities.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["camera"] == "camera-a"]
    cells = [line.split(",") for line in (folder / "camera-a.txt").read_text().splitlines()]
    assert {len(row) for row in cells} == {9}
    assert min(int(row[0]) for row in cells) == 1
    classes = {row["track_id"]: "5" if row["type"] == "bus" else "2" for row in rows}
    assert {row[1]: row[7] for row in cells} == classes


def test_vehicles_never_meet_and_all_pass():
    for camera in range(4):
        ways = drives(PLAN, camera, LENGTHS)
        assert sorted(way.vehicle for way in ways) == [0, 1, 2, 3]
        seen = set()
        for time_s in np.arange(0.0, 30.0, 0.1):
            poses = [(way, pose) for way in ways if (pose := way.pose(time_s))]
            seen |= {way.vehicle for way, _ in poses}
            for k, (one, here) in enumerate(poses):
                for other, there in poses[k + 1 :]:
                    apart = abs(here.x - there.x), abs(here.y - there.y)
                    room = (LENGTHS[one.vehicle] + LENGTHS[other.vehicle]) / 2
                    assert apart[0] > room + 1.0 or apart[1] > 2.6
        assert seen == {0, 1, 2, 3}


def test_equal_track_numbers_do_not_give_the_answer_away():
    plan = TrafficPlan(vehicles=12, seconds=20.0)
    orders = {tuple(way.vehicle for way in drives(plan, camera, [4.5] * 12)) for camera in range(2)}
    assert len(orders) == 2


def test_headings_follow_the_way():
    for way in drives(PLAN, 0, LENGTHS):
        for time_s in (way.start_s + 1.0, way.start_s + 2.0):
            here, soon = way.pose(time_s), way.pose(time_s + 1e-3)
            assert here.heading == pytest.approx(np.arctan2(soon.y - here.y, soon.x - here.x), abs=1e-3)


def test_cameras_see_vehicles_come_and_go_from_their_left():
    for camera in range(4):
        seen = pose_camera(PLAN, camera)
        middle = seen.project(np.array([[0.0, 0.0, 0.7]]))[0]
        assert 0 < middle[0] < PLAN.width
        assert 0 < middle[1] < PLAN.height
        assert middle[2] > 0
        assert seen.eye[1] > 3.5
        far = seen.project(np.array([[-30.0 if comes(camera) else 30.0, 0.0, 0.7]]))[0]
        assert 0 < far[2] < middle[2]


def test_names_of_cameras_are_letters():
    assert [camera_name(k) for k in (0, 1, 25)] == ["camera-a", "camera-b", "camera-z"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vehicles": 0}, "vehicles is 0; accepted: 1 to 1000"),
        ({"cameras": 27}, "cameras is 27; accepted: 1 to 26"),
        ({"seconds": 0.0}, "seconds is 0"),
        ({"fps": 0.5}, "fps is 0.5; accepted: 1 to 60"),
        ({"width": 641}, "641x360 pixels; video needs even numbers"),
        ({"height": 10}, "height is 10"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TrafficPlan(**options)


def test_more_vehicles_than_the_road_holds_are_refused_before_a_folder_is_touched(tmp_path):
    plan = TrafficPlan(vehicles=60, seconds=6.0)
    (tmp_path / "identities.csv").write_text("of the traffic before")
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(InputError, match="60 vehicles in 6 seconds would drive into each other"):
            write_traffic(plan, folder, vehicles=fleet([4.5] * 60), open_camera=FakeCamera)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["of the traffic before"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file cannot be made"):
        write_traffic(PLAN, tmp_path / "file", vehicles=fleet(LENGTHS), open_camera=FakeCamera)


def test_a_failure_half_way_leaves_no_video_and_no_identities(tmp_path):
    class Failing(FakeCamera):
        def frame(self, index, poses):
            if index == 10:
                raise KeyboardInterrupt
            return super().frame(index, poses)

    write_traffic(PLAN, tmp_path, vehicles=fleet(LENGTHS), open_camera=FakeCamera)
    (tmp_path / "camera-a.mp4").unlink()
    with pytest.raises(KeyboardInterrupt):
        write_traffic(PLAN, tmp_path, vehicles=fleet(LENGTHS), open_camera=Failing)
    assert not (tmp_path / "camera-a.mp4").exists()
    assert not (tmp_path / "identities.csv").exists()
    assert not list(tmp_path.glob(".*"))


def test_progress_counts_frames(written):
    assert written[1] == [(k + 1, 60) for k in range(60)]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Return a plan, its vehicles, and the folder of two cameras' videos as the renderer draws them."""
    plan = TrafficPlan(vehicles=3, seconds=5.2, fps=3.0, width=320, height=180, supersampling=1)
    vehicles = traffic_vehicles(plan)
    folder = tmp_path_factory.mktemp("rendered")
    write_traffic(plan, folder, vehicles=vehicles)
    return plan, vehicles, folder


@pytest.mark.parametrize("name", ["camera-a", "camera-b"])
def test_rendered_vehicles_move_inside_their_boxes_and_nothing_else_does(rendered, name):
    plan, _, folder = rendered
    tracks, frames = pictures_and_boxes(folder, name)
    assert tracks.ids == (1, 2, 3)
    assert len(frames) == plan.frames
    background = np.median(np.stack([picture for picture, _, _ in frames]), axis=0)
    largest = dict.fromkeys(tracks.ids, 0.0)
    for picture, mask, boxes in frames:
        change = np.abs(picture.astype(float) - background).max(axis=2)
        for box in boxes:
            x1, y1, x2, y2 = box.box
            if min(x1, y1) >= 0 and x2 <= plan.width and y2 <= plan.height:
                largest[box.track_id] = max(largest[box.track_id], min(x2 - x1, y2 - y1))
        assert (change[~mask] > 40).mean() < 0.03  # shadows reach past the boxes
        if mask.sum() > 2000:
            assert (change[mask] > 15).mean() > 0.25  # a gray one on gray asphalt
    assert min(largest.values()) >= 24  # in frames of half the usual size


def test_a_frame_is_the_same_whatever_was_drawn_before_it(rendered):
    plan, vehicles, _ = rendered
    ways = drives(plan, 0, [vehicle.mesh.length for vehicle in vehicles])
    before, now = (
        [(way.vehicle, pose) for way in ways if (pose := way.pose(time_s))] for time_s in (1.8, 2.0)
    )
    assert now
    first, second = (TrafficCamera(plan, 0, vehicles) for _ in range(2))
    second.frame(9, before)
    (one, placed), (other, again) = (camera.frame(10, now) for camera in (first, second))
    np.testing.assert_array_equal(one, other)
    assert placed == again


def test_two_cameras_differ_in_what_they_see_of_a_street(rendered):
    plan, *_ = rendered
    empty = [TrafficCamera(plan, number, []).frame(0, [])[0].astype(float) for number in range(2)]
    assert np.abs(empty[0] - empty[1]).mean() > 10
    means = [picture.mean(axis=(0, 1)) for picture in empty]
    assert np.abs(means[0] / means[0].sum() - means[1] / means[1].sum()).max() > 0.002  # white balance
