# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Tracks teach without labels: one track is one vehicle, two seen at once are two, the rest is unknown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pamtri_edge import samples
from pamtri_edge.datasets.unlabeled import TrackChoice, read_unlabeled
from pamtri_edge.errors import InputError
from pamtri_edge.models import TINY
from pamtri_edge.train import Budget, ReidJob, Training, TrainSpec, mixed, read_data
from pamtri_edge.train.losses import LossSpec
from pamtri_edge.train.sampler import WithTracks, surely_differ
from pamtri_edge.words import ReidLoss

FRAMES = 24
SPANS = {1: (0, 15), 2: (4, 20), 3: (17, 23), 4: (0, 23)}
"""First and last frame of each track: 1 and 3 are never seen at once."""


def write_clip(folder: Path, *, spans=SPANS, frames=FRAMES) -> tuple[Path, Path]:
    """Write a folder of frames in which drawn vehicles move, and their tracks."""
    images = folder / "frames"
    images.mkdir(parents=True)
    lines = []
    for frame in range(frames):
        picture = np.full((160, 300, 3), 110, np.uint8)
        for place, (track, (first, last)) in enumerate(spans.items()):
            if first <= frame <= last:
                drawn = samples.vehicle(track + 20, azimuth=4.0 * frame, width=44, height=34)
                x, y = 4 + 10 * frame, 38 * place + 2
                box = picture[y : y + 34, x : x + 44]
                box[:] = np.where(drawn[..., 3:] > 0, drawn[..., 2::-1], box)
                lines.append(f"{frame + 1},{track},{x},{y},44,34,1,-1,-1,-1")
        cv2.imwrite(str(images / f"{frame:04d}.png"), picture)
    tracks = folder / "tracks.txt"
    tracks.write_text("\n".join(lines) + "\n")
    return images, tracks


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clip"))


CHOICE = TrackChoice(least_boxes=5, crops=6)


@pytest.fixture(scope="module")
def footage(clip):
    return read_unlabeled([clip], choice=CHOICE)


@pytest.fixture(scope="module")
def both(veri, footage):
    return mixed([read_data(veri), footage])


def test_every_track_gives_crops_from_all_of_its_way(footage):
    assert len(footage.identities) == 4
    assert footage.classes == 0
    assert np.bincount(footage.labels).tolist() == [6, 6, 6, 6]
    assert footage.samples[0].seen == (0, 0, 15)
    picture, keypoints = footage.read(0, 0, 256)
    assert picture.shape == (34, 44, 3)
    assert keypoints is None
    drawn = samples.vehicle(21, azimuth=0.0, width=44, height=34)
    expected = np.where(drawn[..., 3:] > 0, drawn[..., :3], 110)
    assert np.abs(picture.astype(int) - expected).mean() < 8, "the crop, but for compression"


def test_tracks_of_two_clips_are_kept_apart(clip):
    data = read_unlabeled([clip, clip], choice=CHOICE)
    assert len(data.identities) == 8
    assert {sample.camera for sample in data.samples} == {0, 1}


def test_only_tracks_seen_at_once_surely_differ(both):
    assert both.classes == 6
    first = [int(np.flatnonzero(both.labels == label)[0]) for label in range(10)]
    differ = surely_differ(both.seen[[*first[:2], *first[6:]]])
    assert differ[:2].all(), "a told identity is neither another one nor a track"
    never = np.argwhere(~differ[2:, 2:]).tolist()
    assert never == [[0, 2], [2, 0]], "the first and the third"


def test_a_batch_is_half_told_and_half_tracks_seen_together(both):
    sampler = WithTracks(both, vehicles=4, pictures=2, seed=1)
    batches = sampler.epoch(0)
    assert batches
    for batch, again in zip(batches, sampler.epoch(0), strict=True):
        np.testing.assert_array_equal(batch, again)
        labels = both.labels[batch].reshape(4, 2)
        assert (labels == labels[:, :1]).all()
        assert ((labels[:, 0] < 6) == [True, True, False, False]).all()
        assert surely_differ(both.seen[batch[4:]]).all(), "tracks of a batch were seen at once"
    with pytest.raises(InputError, match="half of tracks, hold no pairs; take 4 vehicles, a --batch of 8"):
        WithTracks(both, vehicles=2, pictures=2)


def test_tracks_alone_make_batches_too(footage):
    batches = WithTracks(footage, vehicles=3, pictures=2).epoch(0)
    assert all(len(set(footage.labels[batch].tolist())) == 3 for batch in batches)


@pytest.mark.parametrize("alone", [True, False])
def test_a_network_is_tuned_on_tracks(footage, both, quick_reid, tmp_path, alone):
    recipe = replace(quick_reid, batch=8, rate=3e-3, loss=LossSpec(kind=ReidLoss.BOTH))
    job = ReidJob(replace(TINY[1], keypoints=False, heatmaps=False), footage if alone else both, recipe)
    assert job.network.spec.vehicles == (1 if alone else 6)
    first = job.network.stem[0].weight
    before = first.detach().clone()
    assert Training(job, TrainSpec(output=tmp_path, budget=Budget(steps=2))).run()
    assert not first.equal(before)


def test_what_tracks_cannot_teach_is_refused(footage, quick_reid):
    recipe = replace(quick_reid, batch=8)
    with pytest.raises(InputError, match="nobody knows the keypoints of tracks"):
        ReidJob(TINY[1], footage, recipe)
    bare = replace(TINY[1], keypoints=False, heatmaps=False)
    with pytest.raises(InputError, match="tracks have no classes: what is learned of them are triplets"):
        ReidJob(bare, footage, replace(recipe, loss=LossSpec(triplet=0.0)))


def test_tracks_that_never_meet_teach_nothing(tmp_path):
    apart = write_clip(tmp_path, spans={1: (0, 9), 2: (12, 20)})
    with pytest.raises(InputError, match="no two usable tracks are seen at once"):
        read_unlabeled([apart], choice=CHOICE)
    with pytest.raises(InputError, match="no two usable tracks"):
        read_unlabeled([apart], choice=TrackChoice(least_side=400))
