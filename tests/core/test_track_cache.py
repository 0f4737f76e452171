# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The cache of tracks, whatever comes: budget, answers, views, memory."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge import _core
from pamtri_edge.errors import InputError

EMBEDDING = np.float32([0.6, 0.8])
FIRST = 2**63 + 5  # ids of trackers fill 64 bits
STEP_S = 0.1


class Driver:
    """Drives a cache as the owner of the pixels does, and checks what must hold at every step."""

    def __init__(self, bounds: tuple[int, int] | None = None, **numbers: float) -> None:
        spec = _core.TracksSpec()
        if bounds:
            spec.gate.max_views, spec.gate.reinfer_interval = bounds
        for name, value in numbers.items():
            setattr(spec, name, value)
        self.spec = spec
        self.tracks = _core.Tracks(spec)
        self.kept: dict[int, int] = {}  # ticket -> handle: views whose pixels are kept
        self.given: set[int] = set()
        self.closed: list[_core.Closed] = []
        self.embedded: list[tuple[float, int, int]] = []  # when, of which track, its side
        self.sides: dict[int, int] = {}  # of tickets
        self.time_s = 0.0
        self.quality = 0.5

    def frame(self, time_s: float, boxes: list[tuple[int, int, int]]) -> None:
        """Show a frame: (source, id, side) of each box."""
        self.time_s = time_s
        for source, track_id, side in boxes:
            handle = self.tracks.see(source, track_id, time_s)
            sighting = _core.Sighting(time_s, (0, 0, side, side), False, 0.0)
            wanted = self.tracks.wants_detail(handle, sighting)
            choice = self.tracks.offer(handle, sighting, 1.0 if wanted else None)
            if choice.keep is not None:
                assert choice.keep not in self.kept
                self.kept[choice.keep] = handle
                self.sides[choice.keep] = side
            self.let_go(choice.dropped)
        self.embed(self.tracks.due(time_s))
        for choice in self.tracks.expire(time_s):
            self.let_go(choice.dropped)
        self.collect()

    def finish(self) -> None:
        for handle in self.tracks.open():
            self.let_go(self.tracks.end(handle).dropped)
        while tickets := self.tracks.due(math.inf):
            self.embed(tickets)
        self.collect()

    def let_go(self, tickets: list[int]) -> None:
        for ticket in tickets:
            del self.kept[ticket]  # it was there, and is let go once

    def embed(self, tickets: list[int]) -> None:
        assert len(tickets) <= self.spec.batch
        assert self.given.isdisjoint(tickets)
        self.given.update(tickets)
        for ticket in tickets:
            answered = self.tracks.answer(ticket, self.quality, EMBEDDING, None, None)
            assert answered.handle == self.kept.pop(ticket)
            self.embedded.append((self.time_s, answered.handle, self.sides[ticket]))
        self.tracks.settle()
        self.collect()

    def collect(self) -> None:
        for track in self.tracks.take_closed():
            self.let_go(track.dropped)
            self.closed.append(track)


_ids = st.integers(FIRST, FIRST + 4) | st.just(_core.UNTRACKED)
_boxes = st.lists(st.tuples(st.integers(0, 2), _ids, st.integers(1, 300)), max_size=6)
_frames = st.lists(_boxes, max_size=25)


_bounds = st.tuples(st.integers(1, 5), st.integers(0, 5))  # views of a track, frames from one to the next


@given(
    _frames, _bounds, st.integers(1, 5), st.integers(1, 3), st.sampled_from([0.0, 0.25]), st.integers(0, 3)
)
def test_no_batch_is_over_budget_no_view_is_embedded_twice_and_every_track_is_answered(
    frames: list[list[tuple[int, int, int]]],
    bounds: tuple[int, int],
    batch: int,
    least: int,
    expiry_s: float,
    most: int,
) -> None:
    driver = Driver(bounds, batch=batch, least_frames=least, expiry_s=expiry_s, most_tracks=most)
    for index, boxes in enumerate(frames):
        driver.frame(index * STEP_S, boxes)
    driver.finish()
    assert driver.tracks.open() == []
    assert driver.tracks.waiting == 0
    assert not driver.kept
    for track in driver.closed:
        long_enough = track.id == _core.UNTRACKED or track.seen >= least
        assert track.fate == ("done" if long_enough else "short")
        assert (track.embedded > 0) == (track.fate == "done")
        assert track.embedded <= driver.spec.gate.max_views
        assert track.embedded == sum(handle == track.handle for _, handle, _ in driver.embedded)
    seen = Counter((source, track_id) for boxes in frames for source, track_id, _ in boxes)
    found: Counter[tuple[int, int]] = Counter()
    for track in driver.closed:
        found[track.source, track.id] += track.seen
    assert found == seen


def test_views_in_turn_let_others_go_first_and_fill_their_batches() -> None:
    driver = Driver(batch=3)
    tracks = driver.tracks
    far = tracks.see(0, 1, 0.0)
    for index in range(4 * driver.spec.gate.reinfer_interval):
        sighting = _core.Sighting(index * 0.01, (0, 0, 20, 20), False, 0.0)
        tracks.offer(far, sighting, 1.0 if tracks.wants_detail(far, sighting) else None)  # tickets 1 to 4
    for track in (2, 3):
        near = tracks.see(0, track, 0.3)
        tracks.offer(near, _core.Sighting(0.3, (0, 0, 60, 60), False, 0.0), 1.0)
    assert [tracks.due(0.3) for _ in range(3)] == [[1, 5, 6], [2, 3, 4], []]
    assert tracks.waiting == 6


def test_what_is_embedded_does_not_depend_on_what_the_network_says() -> None:
    def chosen(quality: float) -> list[tuple[float, int, int]]:
        driver = Driver(batch=1)
        driver.quality = quality
        sides = np.random.default_rng(3).integers(20, 200, (60, 2))
        for index, (first, second) in enumerate(sides.tolist()):
            driver.frame(index * STEP_S, [(0, 1, first), (0, 2, second)])
        driver.finish()
        return driver.embedded

    assert chosen(0.0) == chosen(0.9)


def test_one_id_in_two_sources_is_two_tracks() -> None:
    driver = Driver()
    for index in range(3):
        driver.frame(index * STEP_S, [(0, FIRST, 60), (1, FIRST, 60)])
    assert driver.tracks.find(0, FIRST) != driver.tracks.find(1, FIRST)
    assert driver.tracks.find(2, FIRST) is None
    driver.finish()
    assert [(track.source, track.id, track.seen) for track in driver.closed] == [(0, FIRST, 3), (1, FIRST, 3)]


def test_every_sighting_that_no_tracker_follows_is_a_track_of_its_own() -> None:
    driver = Driver(least_frames=3)
    for index in range(4):
        driver.frame(index * STEP_S, [(0, _core.UNTRACKED, 60), (0, _core.UNTRACKED, 70)])
    driver.finish()
    assert [(track.fate, track.seen, track.embedded) for track in driver.closed] == [("done", 1, 1)] * 8


def test_a_track_that_is_not_seen_again_expires_and_its_id_begins_anew() -> None:
    driver = Driver(batch=1, expiry_s=1.0)
    driver.frame(0.0, [(0, FIRST, 60)])
    first = driver.tracks.find(0, FIRST)
    driver.frame(0.9, [])
    assert driver.tracks.find(0, FIRST) == first
    driver.frame(1.0, [])
    assert [track.fate for track in driver.closed] == ["done"]
    driver.frame(1.1, [(0, FIRST, 60)])
    assert driver.tracks.find(0, FIRST) not in (None, first)


def test_the_track_unseen_for_longest_makes_room() -> None:
    driver = Driver(batch=1, most_tracks=2)
    driver.frame(0.0, [(0, 1, 60), (0, 2, 60)])
    driver.frame(0.1, [(0, 1, 60), (0, 3, 60)])
    assert [track.id for track in driver.closed] == [2]


def test_memory_stays_that_of_the_open_tracks() -> None:
    driver = Driver(batch=2, expiry_s=0.2, most_tracks=8)
    for index in range(2000):
        driver.frame(index * STEP_S, [(0, index // 2, 60), (0, _core.UNTRACKED, 60)])
        assert len(driver.tracks.open()) <= 8 + driver.spec.batch
        assert driver.tracks.waiting < driver.spec.batch + 2
        assert len(driver.kept) <= 24


def test_an_answer_is_taken_once() -> None:
    driver = Driver(batch=1)
    driver.frame(0.0, [(0, 1, 60)])
    with pytest.raises(InputError, match="view 1 is not due: it was answered already"):
        driver.tracks.answer(1, 0.5, EMBEDDING, None, None)


@pytest.mark.parametrize(("told", "taken"), [(-0.5, 0.0), (0.4, 0.4), (1.5, 1.0), (math.nan, 0.0)])
def test_pose_quality_is_clipped_before_anything_goes_by_it(told: float, taken: float) -> None:
    driver = Driver(batch=1)
    handle = driver.tracks.see(0, 1, 0.0)
    driver.tracks.offer(handle, _core.Sighting(0.0, (0, 0, 60, 60), False, 0.0), 1.0)
    answered = driver.tracks.answer(*driver.tracks.due(0.0), told, EMBEDDING, None, None)
    assert answered.quality == taken
    assert (answered.weight, answered.worth) == pytest.approx((taken, 60 * taken))
    assert answered.failings == (("pose-unsure",) if taken == 0.0 else ())


def test_an_answer_that_is_none_leaves_the_track_as_it_was() -> None:
    driver = Driver(batch=1)
    handle = driver.tracks.see(0, 1, 0.0)
    driver.tracks.offer(handle, _core.Sighting(0.0, (0, 0, 60, 60), False, 0.0), 1.0)
    (ticket,) = driver.tracks.due(0.0)
    with pytest.raises(InputError, match="an embedding of length 0"):
        driver.tracks.answer(ticket, 0.5, 0 * EMBEDDING, None, None)
    assert driver.tracks.known(handle) is None
    assert driver.tracks.answer(ticket, 0.5, EMBEDDING, None, None).best


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("batch", 0, "batch is 0"), ("expiry_s", -1.0, "0 or more"), ("longest_wait_s", math.nan, "0 or more")],
)
def test_numbers_that_cannot_be_meant_are_refused(name: str, value: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Driver(**{name: value})
