# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.gate import GateSpec
from pamtri_edge.video.journal import Journal

BOX = (20.0, 20.0, 80.0, 80.0)


def _frame(index: int, shade: int = 100, rate: float = 10.0) -> Frame:
    picture = np.random.default_rng(index).integers(0, 20, (120, 400, 3)).astype(np.uint8) + np.uint8(shade)
    return Frame(index, index / rate, picture)


def _boxes(*ids: int) -> list[TrackBox]:
    return [TrackBox(i, (20.0 + 70 * k, 20.0, 80.0 + 70 * k, 80.0)) for k, i in enumerate(ids)]


def test_views_of_several_tracks_share_a_batch(fake_reidentifier: Any) -> None:
    fake = fake_reidentifier()
    journal = Journal(fake, batch=3)
    journal.observe(_frame(0), _boxes(1, 2))
    assert fake.batches == []
    journal.observe(_frame(1), _boxes(1, 2, 3))
    assert fake.batches == [3]
    assert journal.known(1) is not None


def test_a_view_does_not_wait_longer_than_half_a_second_for_its_batch(fake_reidentifier: Any) -> None:
    fake = fake_reidentifier()
    journal = Journal(fake, batch=8)
    for index in range(7):
        assert fake.batches == ([] if index <= 5 else [1])
        journal.observe(_frame(index), _boxes(1))


def test_a_closed_track_comes_out_once_its_views_are_embedded(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier(), batch=2)
    journal.observe(_frame(0), _boxes(1))
    journal.observe(_frame(1), _boxes(1))
    journal.end([1])
    assert journal.take() == []
    journal.observe(_frame(2), [TrackBox(2, (200.0, 20.0, 260.0, 80.0))])
    (track,) = journal.take()
    assert (track.track_id, track.first_s, track.last_s, track.seen) == (1, 0.0, 0.1, 2)
    assert (track.embedded, track.below_gate) == (1, False)
    assert journal.take() == []


def test_a_track_below_the_gate_is_embedded_all_the_same(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier())
    journal.observe(_frame(0), [TrackBox(1, (20.0, 20.0, 40.0, 40.0))])
    journal.end_all()
    (track,) = journal.take()
    assert track.below_gate
    assert track.fused.best.failings == ("small",)
    assert track.embedded == 1


def test_keypoints_come_in_frame_pixels(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier())
    journal.observe(_frame(0), _boxes(1))
    journal.end_all()
    (track,) = journal.take()
    keypoints = track.fused.best.keypoints
    assert keypoints is not None
    assert keypoints[0].tolist() == pytest.approx([20 + 0.1 * 60, 20 + 0.1 * 60, 0.6])
    assert track.fused.best.rectangle == (20, 20, 80, 80)
    assert track.crop.shape == (60, 60, 3)


def test_a_bundle_without_pose_and_attributes_works(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier(attributes=False, pose=False))
    journal.observe(_frame(0), _boxes(1))
    journal.end_all()
    (track,) = journal.take()
    assert not track.below_gate
    assert (track.fused.color_probs, track.fused.best.keypoints, track.fused.best.quality) == (None,) * 3


def test_tracks_seen_too_briefly_are_dropped_and_never_embedded(fake_reidentifier: Any) -> None:
    fake = fake_reidentifier()
    journal = Journal(fake, batch=1, least_frames=3)
    for index in range(4):
        journal.observe(_frame(index), _boxes(1) + ([TrackBox(2, (200, 20, 260, 80))] if index < 2 else []))
    journal.end([1, 2])
    assert [track.track_id for track in journal.take()] == [1]
    assert sum(fake.batches) == 1
    assert (journal.counts["tracks"], journal.counts["short"]) == (2, 1)


def test_a_track_that_is_never_inside_the_frame_has_no_event_and_is_counted(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier())
    journal.observe(_frame(0), [TrackBox(1, (900.0, 20.0, 990.0, 80.0))])
    journal.end([1])
    assert journal.take() == []
    assert journal.counts["unseen"] == 1


def test_a_track_that_ended_and_is_seen_again_while_its_view_waits_is_closed_once(
    fake_reidentifier: Any,
) -> None:
    journal = Journal(fake_reidentifier(), batch=2)
    journal.observe(_frame(0), _boxes(1))
    journal.end([1])
    journal.observe(_frame(1), _boxes(2, 1))  # the view of track 2 fills the batch before 1 is offered
    assert [(track.track_id, track.seen) for track in journal.take()] == [(1, 2)]
    journal.end_all()
    assert [track.track_id for track in journal.take()] == [2]


def test_an_unknown_track_cannot_end(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier())
    journal.end([5])
    assert journal.take() == []
    assert journal.known(5) is None


def test_an_interruption_closes_what_is_known_without_the_network(fake_reidentifier: Any) -> None:
    fake = fake_reidentifier()
    journal = Journal(fake, batch=1, gate=GateSpec(reinfer_interval=0))
    journal.observe(_frame(0), _boxes(1))
    calls = len(fake.batches)
    journal.observe(_frame(1), [TrackBox(2, (200.0, 20.0, 220.0, 40.0))])  # too small to be embedded yet
    journal.abandon()
    assert [track.track_id for track in journal.take()] == [1]
    assert len(fake.batches) == calls
    assert (journal.counts["unfinished"], journal.counts["short"]) == (1, 0)


def test_an_interruption_counts_what_was_too_short_as_such(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier(), least_frames=3)
    journal.observe(_frame(0), _boxes(1))
    journal.abandon()
    assert (journal.counts["unfinished"], journal.counts["short"]) == (0, 1)


def test_the_crop_is_that_of_the_best_view(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier(), batch=1)
    for index, side in enumerate((50, 75, 110, 90)):
        journal.observe(_frame(index), [TrackBox(1, (5.0, 5.0, 5.0 + side, 5.0 + side))])
    journal.end([1])
    (track,) = journal.take()
    assert track.embedded == 3
    assert track.crop.shape == (110, 110, 3)
    assert track.fused.best.rectangle == (5, 5, 115, 115)


def test_a_view_has_its_own_copy_of_the_pixels(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier())
    frame = _frame(0)
    before = frame.picture[20:80, 20:80].copy()
    journal.observe(frame, _boxes(1))
    frame.picture[:] = 0
    journal.end_all()
    assert (journal.take()[0].crop == before).all()


def test_nothing_is_kept_of_a_track_that_is_over(fake_reidentifier: Any) -> None:
    journal = Journal(fake_reidentifier(), batch=4)
    for index in range(30):
        journal.observe(_frame(index), [TrackBox(index // 10, BOX)])
        if index % 10 == 9:
            journal.end([index // 10])
    journal.end_all()
    assert len(journal.take()) == 3
    assert [journal._kept, journal._best, journal._fused, journal.take()] == [{}, {}, {}, []]
