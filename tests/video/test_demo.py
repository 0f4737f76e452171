# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import csv
from pathlib import Path

import numpy as np
import pytest

from pamtri_edge.tracks import read_tracks
from pamtri_edge.video import demo
from pamtri_edge.video.files import VideoFile


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "made"
    demo.make(folder)
    return folder


def test_two_cameras_see_the_same_vehicles(folder: Path) -> None:
    with (folder / "identities.csv").open() as file:
        rows = list(csv.DictReader(file))
    seen = {
        camera: {row["identity"] for row in rows if row["camera"] == camera}
        for camera in ("camera-a", "camera-b")
    }
    assert seen["camera-a"] == seen["camera-b"]
    assert len(seen["camera-a"]) == 6
    order = {camera: [row["identity"] for row in rows if row["camera"] == camera] for camera in seen}
    assert order["camera-a"] != order["camera-b"]  # equal track numbers would give the answer away


@pytest.mark.parametrize("name", ["camera-a", "camera-b"])
def test_tracks_lie_on_their_vehicles_in_every_frame(folder: Path, name: str) -> None:
    tracks = read_tracks(folder / f"{name}.txt")
    assert tracks.ids == (1, 2, 3, 4, 5, 6)
    source = VideoFile(folder / f"{name}.mp4")
    frames = list(source.frames())
    source.close()
    assert len(frames) == round(demo.SECONDS * demo.FPS) == 110
    assert tracks.last_index < len(frames)
    background = np.median(np.stack([frame.picture for frame in frames[::6]]), axis=0)
    for frame in frames:
        moved = np.abs(frame.picture.astype(float) - background).max(axis=2) > 40
        mask = np.zeros(moved.shape, bool)
        for x1, y1, x2, y2 in (box.box for box in tracks.at(frame.index)):
            mask[max(int(y1), 0) : int(y2), max(int(x1), 0) : int(x2)] = True
        assert moved[~mask].mean() < 0.01
        if mask.sum() > 4000:
            assert moved[mask].mean() > 0.25


def test_vehicles_come_near_enough_to_be_recognised(folder: Path) -> None:
    for name in ("camera-a", "camera-b"):
        tracks = read_tracks(folder / f"{name}.txt")
        largest = dict.fromkeys(tracks.ids, 0.0)
        for index in range(tracks.last_index + 1):
            for box in tracks.at(index):
                x1, y1, x2, y2 = box.box
                if min(x1, y1) >= 2 and x2 <= demo.WIDTH - 2 and y2 <= demo.HEIGHT - 2:
                    largest[box.track_id] = max(largest[box.track_id], min(x2 - x1, y2 - y1))
        assert min(largest.values()) >= 48


def test_the_demonstration_is_the_same_every_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "SECONDS", 0.4)
    demo.make(tmp_path)
    assert (tmp_path / "identities.csv").read_bytes() == (folder / "identities.csv").read_bytes()
    for name in ("camera-a", "camera-b"):
        again = (tmp_path / f"{name}.txt").read_text()
        assert again
        assert (folder / f"{name}.txt").read_text().startswith(again)
        first, second = (
            next(iter(VideoFile(place / f"{name}.mp4", duration=0.01).frames())).picture
            for place in (folder, tmp_path)
        )
        assert (first == second).all()


def test_a_call_without_a_folder_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main([]) == 2
    assert "usage: python -m pamtri_edge.video.demo FOLDER" in capsys.readouterr().err
