# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import tracemalloc

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import _core
from pamtri_edge.errors import InputError
from pamtri_edge.events import GATE_REASONS
from pamtri_edge.geometry import CropRule
from pamtri_edge.tracks import TrackBox
from pamtri_edge.video.frames import Frame
from pamtri_edge.video.gate import GateSpec, detail, sightings

SPEC = GateSpec()
PICTURE = np.random.default_rng(5).integers(0, 255, (400, 400, 3), dtype=np.uint8)  # sharp everywhere


class TrackGate:
    """The core's gate, with what it asks of the pixels; without turns, unless they are asked for."""

    def __init__(self, spec: GateSpec, *, trained: bool) -> None:
        self.core = _core.TrackGate(spec.for_core(), trained)
        self.offered = 0

    def offer(self, sighting: _core.Sighting, picture: NDArray[np.uint8] = PICTURE) -> _core.View | None:
        x1, y1, x2, y2 = sighting.rectangle
        wanted = detail(picture[y1:y2, x1:x2]) if self.core.wants_detail(sighting) else None
        self.offered += 1
        before = _numbers(self.core.held())
        verdict = self.core.offer(sighting, wanted, self.offered)
        self.in_turn = verdict.in_turn
        kept = before + ([self.offered] if verdict.keep else [])
        after = _numbers(_ticket(verdict.send), verdict.drop, self.core.held())
        assert sorted(after) == sorted(kept)  # each is held, sent or dropped, once
        return verdict.send

    def close(self) -> _core.View | None:
        kept = self.core.held()
        verdict = self.core.close()
        assert _numbers(_ticket(verdict.send), verdict.drop) == _numbers(kept)
        assert self.core.held() is None
        return verdict.send


def _numbers(*tickets: int | None) -> list[int]:
    return [ticket for ticket in tickets if ticket is not None]


def _ticket(view: _core.View | None) -> int | None:
    return None if view is None else view.ticket


def _sighting(side: int, time_s: float = 0.0, *, cut: bool = False, overlap: float = 0.0) -> _core.Sighting:
    return _core.Sighting(time_s, (0, 0, side, side), cut, overlap)


def _gate(*, trained: bool = True, **numbers: float) -> TrackGate:
    return TrackGate(GateSpec(**{"reinfer_interval": 0, **numbers}), trained=trained)  # type: ignore[arg-type]


def _offer(gate: TrackGate, sides: list[int]) -> list[int]:
    """Offer square views one after the other; return the sides of those that are embedded at once."""
    views = [gate.offer(_sighting(side, index * 0.1)) for index, side in enumerate(sides)]
    return [_least_side(view.sighting) for view in views if view is not None]


def _turns(gate: TrackGate, frames: int, side: int = 30) -> list[int]:
    """Return which of so many equal sightings are embedded, and see that all of them are in turn."""
    chosen = []
    for index in range(frames):
        if gate.offer(_sighting(side, index * 0.04)) is not None:
            assert gate.in_turn == bool(chosen)  # the first goes first
            chosen.append(index)
    return chosen


def _least_side(sighting: _core.Sighting) -> int:
    x1, y1, x2, y2 = sighting.rectangle
    return min(x2 - x1, y2 - y1)


def _side(view: _core.View | None) -> int | None:
    return None if view is None else _least_side(view.sighting)


def test_the_first_view_that_is_large_enough_is_embedded_at_once() -> None:
    assert _offer(_gate(), [30, 47, 48, 49]) == [48]


def test_a_further_view_must_be_clearly_better() -> None:
    # 1.4 times 50 is 70, 1.4 times 70 is 98: twice the area each time
    assert _offer(_gate(), list(range(50, 101))) == [50, 70, 98]


def test_one_view_is_kept_for_the_end_so_that_the_best_is_never_missed() -> None:
    gate = _gate(max_views=3)
    assert _offer(gate, [50, 80, 120, 180, 200, 150]) == [50, 80]
    assert _side(gate.close()) == 200


def test_at_the_end_a_slightly_better_view_is_enough() -> None:
    worse, better = _gate(), _gate()
    _offer(worse, [100, 109])
    _offer(better, [100, 112])
    assert worse.close() is None
    assert _side(better.close()) == 112


def test_without_turns_a_track_of_which_nothing_passed_gives_its_best_view() -> None:
    gate = _gate()
    assert _offer(gate, [20, 25, 35, 30, 10]) == []
    view = gate.close()
    assert _side(view) == 35
    assert view is not None
    assert view.failings == ("small",)


def test_a_track_is_embedded_at_once_and_then_after_so_many_frames_whatever_it_shows() -> None:
    assert _turns(_gate(reinfer_interval=7, reinfer_growth=0), 40) == [0, 7, 14, 21, 28, 35]


def test_turns_come_more_and_more_rarely() -> None:
    turns = _turns(_gate(reinfer_interval=5, reinfer_growth=0.2, max_views=1000), 3000)
    assert turns[:6] == [0, 5, 10, 15, 20, 25]
    assert np.all(np.diff(turns) >= 0.2 * np.array(turns[1:]) - 1e-9)
    assert len(turns) < 35  # of a vehicle that stands for two minutes


def test_a_vehicle_that_stands_has_no_turn_until_it_moves() -> None:
    gate = _gate(reinfer_interval=2, reinfer_growth=0, reinfer_overlap=0.8)
    places = [0, 0, 0, 0, 1, 2, 3, 3, 0, 0, 0]  # 1 pixel of 10: the boxes share 0.82, and 0.67 with 2
    views = [
        gate.offer(_core.Sighting(0.1 * index, (left, 0, left + 10, 10), False, 0.0))
        for index, left in enumerate(places)
    ]
    assert [index for index, view in enumerate(views) if view is not None] == [0, 5, 8]


def test_a_view_that_is_embedded_for_its_worth_puts_the_next_turn_off() -> None:
    gate = _gate(reinfer_interval=5)
    assert _offer(gate, [30, 30, 30, 60, 60, 60, 60, 60, 61, 60, 60]) == [30, 60, 61]
    assert not gate.in_turn


def test_turns_leave_one_view_for_the_end() -> None:
    gate = _gate(reinfer_interval=2, max_views=4)
    assert len(_turns(gate, 50)) == 3
    _offer(gate, [40])
    assert _side(gate.close()) == 40


def test_a_view_that_passes_and_waits_for_the_end_stands_alone() -> None:
    gate = _gate(max_views=1)
    assert _offer(gate, [30, 50, 40, 60, 45]) == []
    assert _side(gate.close()) == 60


def test_a_track_without_any_view_gives_none() -> None:
    assert _gate().close() is None


def test_cut_or_covered_views_wait_for_a_better_one() -> None:
    gate = _gate()
    assert gate.offer(_sighting(120, cut=True)) is None
    assert gate.offer(_sighting(120, overlap=0.5)) is None
    assert _side(gate.offer(_sighting(60))) == 60  # smaller, but whole


def test_a_view_that_passes_is_kept_before_a_larger_one_that_does_not() -> None:
    gate = _gate()
    _offer(gate, [60])
    gate.offer(_sighting(70))
    gate.offer(_sighting(200, cut=True))
    assert _side(gate.close()) == 70


def test_with_untrained_weights_the_gate_goes_by_size_alone() -> None:
    gate = _gate(trained=False)
    view = gate.offer(_sighting(120, cut=True, overlap=0.5))
    assert _side(view) == 120
    assert view is not None
    assert gate.core.judge(view, 0.0) == (1.0, view.worth, ())  # the pose quality means nothing


def test_embedded_views_count_by_their_pose_quality_and_compare_by_worth_as_well() -> None:
    gate = _gate()
    view = gate.offer(_sighting(100))
    assert view is not None
    assert gate.core.judge(view, 0.4) == (0.4, pytest.approx(0.4 * view.worth), ())
    assert gate.core.judge(view, None) == (1.0, view.worth, ())  # a bundle without pose


def test_a_view_that_showed_no_vehicle_is_not_good() -> None:
    gate = _gate()
    view = gate.offer(_sighting(100))
    assert view is not None
    assert gate.core.judge(view, SPEC.min_quality - 0.01)[2] == ("pose-unsure",)
    assert gate.core.judge(view, SPEC.min_quality)[2] == ()


def test_a_view_below_the_gate_says_all_that_it_lacks() -> None:
    gate = _gate()
    gate.offer(_sighting(30, cut=True, overlap=0.5))
    view = gate.close()
    assert view is not None
    assert gate.core.judge(view, 0.0)[2] == ("small", "cut", "covered", "pose-unsure")
    assert set(gate.core.judge(view, 0.0)[2]) == set(GATE_REASONS)


def test_of_equal_sizes_the_sharper_view_is_kept() -> None:
    rows, columns = np.indices((100, 100)) // 10
    sharp = np.repeat(((rows + columns) % 2 * 200).astype(np.uint8)[..., None], 3, axis=2)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 4), np.uint8)
    gate = _gate(min_side=500)
    gate.offer(_sighting(100, 0.0), blurred)
    gate.offer(_sighting(100, 1.0), sharp)
    gate.offer(_sighting(100, 2.0), blurred)
    view = gate.close()
    assert view is not None
    assert view.sighting.time_s == 1.0
    assert detail(blurred) < 0.6 * detail(sharp)


def test_detail_does_not_depend_on_brightness_or_contrast() -> None:
    dark = (PICTURE // 4 + 10).astype(np.uint8)
    assert detail(dark) == pytest.approx(detail(PICTURE), rel=0.05)
    assert detail(np.full((50, 50, 3), 99, np.uint8)) == 0.0


def test_pixels_beyond_what_the_network_sees_bring_nothing() -> None:
    gate = _gate()
    view = gate.offer(_sighting(256))
    assert view is not None
    assert gate.offer(_sighting(400, 1.0)) is None
    assert view.worth == pytest.approx(256, rel=0.01)


def test_sizes_and_numbers_below_one_are_refused() -> None:
    with pytest.raises(InputError, match="min_side is 0 and max_views 5; each must be at least 1"):
        GateSpec(min_side=0, max_views=5)
    with pytest.raises(
        InputError, match=r"max_views is 3000000000; expected a whole number up to 2147483647"
    ):
        GateSpec(max_views=3_000_000_000)
    with pytest.raises(InputError, match=r"sharp is '1'; expected a number\."):
        GateSpec(sharp="1")  # type: ignore[arg-type]


def _frame(width: int = 200, height: int = 100) -> Frame:
    return Frame(3, 0.12, np.zeros((height, width, 3), np.uint8))


def test_sightings_are_measured_inside_the_frame() -> None:
    ((track, found),) = sightings(_frame(), [TrackBox(7, (150.4, 20.2, 230.0, 60.9))])
    assert (track, found.time_s, found.rectangle) == (7, 0.12, (150, 20, 200, 61))
    assert (found.cut, found.overlap) == (True, 0.0)


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((10, 10, 50, 50), False),
        ((1, 10, 50, 50), True),
        ((10, 1, 50, 50), True),
        ((10, 10, 199, 50), True),
        ((10, 10, 50, 99), True),
    ],
)
def test_boxes_at_the_border_are_cut(box: tuple[float, float, float, float], cut: bool) -> None:
    ((_, found),) = sightings(_frame(), [TrackBox(1, box)])
    assert found.cut is cut


def test_boxes_outside_the_frame_are_left_out() -> None:
    boxes = [TrackBox(1, (300, 0, 320, 20)), TrackBox(2, (5, 5, 50, 50)), TrackBox(3, (5, 5, 5, 9))]
    assert [track for track, _ in sightings(_frame(), boxes)] == [2]


def test_the_rule_of_deepstream_rounds_to_even() -> None:
    ((_, found),) = sightings(_frame(), [TrackBox(1, (11.5, 20.0, 50.2, 61.9))], rule=CropRule.NVINFER)
    assert found.rectangle == (12, 20, 50, 60)


def test_thousands_of_boxes_are_compared_in_blocks_to_the_same_result() -> None:
    corners = np.random.default_rng(0).uniform(0, 900, (3000, 2))
    boxes = [TrackBox(n, (x, y, x + 20, y + 20)) for n, (x, y) in enumerate(corners.tolist())]
    frame = Frame(0, 0.0, np.zeros((960, 960, 3), np.uint8))
    tracemalloc.start()
    try:
        many = sightings(frame, boxes)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    for track, sighting in many[:: len(many) // 20]:
        near = [box for box in boxes if np.abs(np.subtract(box.box, boxes[track].box)).max() < 20]
        assert sighting.overlap == dict(sightings(frame, near))[track].overlap
