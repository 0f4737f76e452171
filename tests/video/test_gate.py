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
from pamtri_edge.video.gate import GateSpec, Sighting, detail, sightings

SPEC = GateSpec()
PICTURE = np.random.default_rng(5).integers(0, 255, (400, 400, 3), dtype=np.uint8)  # sharp everywhere


class TrackGate:
    """The core's gate, with what it asks of the pixels."""

    def __init__(self, spec: GateSpec, *, trained: bool) -> None:
        self.core = _core.TrackGate(spec.for_core(), trained)
        self.offered = 0

    def offer(self, sighting: Sighting, picture: NDArray[np.uint8]) -> _core.View | None:
        x1, y1, x2, y2 = sighting.rectangle
        seen = sighting.for_core()
        wanted = detail(picture[y1:y2, x1:x2]) if self.core.wants_detail(seen) else None
        self.offered += 1
        before = set(self.core.held())
        verdict = self.core.offer(seen, wanted, self.offered)
        kept = before | ({self.offered} if verdict.keep else set())
        gone = [view.ticket for view in verdict.send] + verdict.drop
        assert sorted(gone + self.core.held()) == sorted(kept)  # each is held, sent or dropped, once
        assert len(verdict.send) <= 1
        return verdict.send[0] if verdict.send else None

    def close(self) -> list[_core.View]:
        kept = self.core.held()
        verdict = self.core.close()
        assert sorted([view.ticket for view in verdict.send] + verdict.drop) == sorted(kept)
        assert self.core.held() == []
        return verdict.send


def _sighting(side: int, time_s: float = 0.0, *, cut: bool = False, overlap: float = 0.0) -> Sighting:
    return Sighting(1, time_s, (0, 0, side, side), cut, overlap)


def _gate(*, trained: bool = True, **numbers: float) -> TrackGate:
    return TrackGate(GateSpec(**numbers), trained=trained)  # type: ignore[arg-type]


def _offer(gate: TrackGate, sides: list[int], *, quality: float | None = 0.5, step: float = 0.1) -> list[int]:
    """Offer square views one after the other; return the sides of those that are embedded at once."""
    sent = []
    for index, side in enumerate(sides):
        view = gate.offer(_sighting(side, index * step), PICTURE)
        if view is not None:
            sent.append(_least_side(view.sighting))
            gate.core.answer(quality)
    return sent


def _least_side(sighting: _core.Sighting) -> int:
    x1, y1, x2, y2 = sighting.rectangle
    return min(x2 - x1, y2 - y1)


def _sides(views: list[_core.View]) -> list[int]:
    return [_least_side(view.sighting) for view in views]


def _side(view: _core.View | None) -> int | None:
    return None if view is None else _least_side(view.sighting)


def test_the_first_view_that_is_large_enough_is_embedded_at_once() -> None:
    assert _offer(_gate(), [30, 47, 48, 49]) == [48]


def test_a_further_view_must_be_clearly_better() -> None:
    # 1.4 times 50 is 70, 1.4 times 70 is 98: twice the area each time
    assert _offer(_gate(), list(range(50, 101))) == [50, 70, 98]


def test_a_vehicle_that_stands_is_embedded_once() -> None:
    gate = _gate()
    assert _offer(gate, [80] * 500) == [80]
    assert gate.close() == []


def test_one_view_is_kept_for_the_end_so_that_the_best_is_never_missed() -> None:
    gate = _gate(max_views=3)
    assert _offer(gate, [50, 80, 120, 180, 200, 150]) == [50, 80]
    assert _sides(gate.close()) == [200]


def test_at_the_end_a_slightly_better_view_is_enough() -> None:
    worse, better = _gate(), _gate()
    _offer(worse, [100, 109])
    _offer(better, [100, 112])
    assert worse.close() == []
    assert _sides(better.close()) == [112]


def test_a_track_of_which_nothing_passed_gives_its_best_views_the_very_best_first() -> None:
    gate = _gate()
    assert _offer(gate, [20, 25, 35, 30, 10]) == []  # two in each period of 0.2 s
    views = gate.close()
    assert _sides(views) == [35, 25, 10]
    assert {view.failings for view in views} == {("small",)}


def test_of_a_long_track_below_the_gate_the_views_are_spread_over_its_whole_time() -> None:
    for frames in (50, 100, 200, 1000):
        gate = _gate(below_gate_views=4)
        _offer(gate, [40 - index * 30 // frames for index in range(frames)])
        times = sorted(view.sighting.time_s for view in gate.close())
        assert 3 <= len(times) <= 4
        assert times[0] == 0.0  # the best of all is the first
        assert max(np.diff([*times, frames * 0.1])) <= 0.5 * frames * 0.1


def test_views_below_the_gate_are_let_go_once_one_passes() -> None:
    gate = _gate()
    assert _offer(gate, [20, 30, 40, 44, 45, 46, 60]) == [60]
    assert gate.core.held() == []
    assert _offer(gate, [40, 30]) == []
    assert gate.close() == []


def test_a_view_that_passes_and_waits_for_the_end_stands_alone() -> None:
    gate = _gate(max_views=1)
    assert _offer(gate, [30, 50, 40, 60, 45]) == []
    assert _sides(gate.close()) == [60]


@pytest.mark.parametrize(("most", "below", "views"), [(5, 4, 4), (5, 1, 1), (2, 4, 2), (1, 4, 1), (9, 9, 9)])
def test_views_below_the_gate_are_bounded_by_both_numbers(most: int, below: int, views: int) -> None:
    for frames in range(1, 30):
        gate = _gate(max_views=most, below_gate_views=below)
        _offer(gate, [30] * frames, step=1.0)
        assert min(frames, views) / 2 < len(gate.close()) <= views


def test_a_track_without_any_view_gives_none() -> None:
    assert _gate().close() == []


def test_cut_or_covered_views_wait_for_a_better_one() -> None:
    gate = _gate()
    assert gate.offer(_sighting(120, cut=True), PICTURE) is None
    assert gate.offer(_sighting(120, overlap=0.5), PICTURE) is None
    assert _side(gate.offer(_sighting(60), PICTURE)) == 60  # smaller, but whole


def test_a_view_that_passes_is_kept_before_a_larger_one_that_does_not() -> None:
    gate = _gate()
    _offer(gate, [60])
    gate.offer(_sighting(70), PICTURE)
    gate.offer(_sighting(200, cut=True), PICTURE)
    assert _sides(gate.close()) == [70]


def test_with_untrained_weights_the_gate_goes_by_size_alone() -> None:
    gate = _gate(trained=False)
    view = gate.offer(_sighting(120, cut=True, overlap=0.5), PICTURE)
    assert _side(view) == 120
    assert view is not None
    gate.core.answer(0.0)
    assert gate.core.judge(view, 0.0)[1] == ()
    again = gate.offer(_sighting(120, 9.0, cut=True, overlap=0.5), PICTURE)
    assert again is None  # the pose quality, which means nothing, gives no further try


def test_poor_pose_quality_gives_a_view_about_as_good_another_try() -> None:
    sides = [100] * 11  # one second
    assert _offer(_gate(), sides, quality=0.5) == [100]
    assert _offer(_gate(), sides, quality=0.2) == [100, 100, 100]  # at 0.0, 0.5 and 1.0 s


def test_another_try_waits_for_the_answer_to_the_first() -> None:
    gate = _gate()
    assert _side(gate.offer(_sighting(100, 0.0), PICTURE)) == 100
    assert gate.offer(_sighting(100, 5.0), PICTURE) is None
    gate.core.answer(0.2)
    assert _side(gate.offer(_sighting(100, 6.0), PICTURE)) == 100


def test_tries_are_bounded() -> None:
    gate = _gate(max_views=4)
    assert len(_offer(gate, [100] * 200, quality=0.0)) == 3
    assert len(gate.close()) == 1


def test_a_view_that_showed_no_vehicle_is_not_good() -> None:
    gate = _gate()
    view = gate.offer(_sighting(100), PICTURE)
    assert view is not None
    assert gate.core.judge(view, SPEC.min_quality - 0.01)[1] == ("pose-unsure",)
    assert gate.core.judge(view, SPEC.min_quality)[1] == ()
    assert gate.core.judge(view, None)[1] == ()  # a bundle without pose


def test_a_view_below_the_gate_says_all_that_it_lacks() -> None:
    gate = _gate()
    gate.offer(_sighting(30, cut=True, overlap=0.5), PICTURE)
    (view,) = gate.close()
    assert gate.core.judge(view, 0.0)[1] == ("small", "cut", "covered", "pose-unsure")
    assert set(gate.core.judge(view, 0.0)[1]) == set(GATE_REASONS)


def test_of_equal_sizes_the_sharper_view_is_kept() -> None:
    rows, columns = np.indices((100, 100)) // 10
    sharp = np.repeat(((rows + columns) % 2 * 200).astype(np.uint8)[..., None], 3, axis=2)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 4), np.uint8)
    gate = _gate(min_side=500, below_gate_views=1)
    gate.offer(_sighting(100, 0.0), blurred)
    gate.offer(_sighting(100, 1.0), sharp)
    gate.offer(_sighting(100, 2.0), blurred)
    (view,) = gate.close()
    assert view.sighting.time_s == 1.0
    assert detail(blurred) < 0.6 * detail(sharp)


def test_detail_does_not_depend_on_brightness_or_contrast() -> None:
    dark = (PICTURE // 4 + 10).astype(np.uint8)
    assert detail(dark) == pytest.approx(detail(PICTURE), rel=0.05)
    assert detail(np.full((50, 50, 3), 99, np.uint8)) == 0.0


def test_pixels_beyond_what_the_network_sees_bring_nothing() -> None:
    gate = _gate()
    view = gate.offer(_sighting(256), PICTURE)
    assert view is not None
    assert gate.offer(_sighting(400, 1.0), PICTURE) is None
    assert view.worth == pytest.approx(256, rel=0.01)


def test_sizes_and_numbers_below_one_are_refused() -> None:
    with pytest.raises(
        InputError, match="min_side is 0, max_views 5 and below_gate_views 4; each must be at least 1"
    ):
        GateSpec(min_side=0)


def _frame(width: int = 200, height: int = 100) -> Frame:
    return Frame(3, 0.12, np.zeros((height, width, 3), np.uint8))


def test_sightings_are_measured_inside_the_frame() -> None:
    (found,) = sightings(_frame(), [TrackBox(7, (150.4, 20.2, 230.0, 60.9))])
    assert found == Sighting(7, 0.12, (150, 20, 200, 61), cut=True, overlap=0.0)


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
    assert sightings(_frame(), [TrackBox(1, box)])[0].cut is cut


def test_overlap_is_the_part_that_another_box_covers() -> None:
    large, small = TrackBox(1, (0, 0, 100, 100)), TrackBox(2, (80, 0, 120, 100))
    first, second = sightings(_frame(), [large, small])
    assert first.overlap == pytest.approx(0.2)
    assert second.overlap == pytest.approx(0.5)


def test_boxes_outside_the_frame_are_left_out() -> None:
    boxes = [TrackBox(1, (300, 0, 320, 20)), TrackBox(2, (5, 5, 50, 50)), TrackBox(3, (5, 5, 5, 9))]
    assert [found.track_id for found in sightings(_frame(), boxes)] == [2]


def test_the_rule_of_deepstream_rounds_to_even() -> None:
    (found,) = sightings(_frame(), [TrackBox(1, (11.5, 20.0, 50.2, 61.9))], rule=CropRule.NVINFER)
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
    for sighting in many[:: len(many) // 20]:
        near = [box for box in boxes if np.abs(np.subtract(box.box, boxes[sighting.track_id].box)).max() < 20]
        (alone,) = (s for s in sightings(frame, near) if s.track_id == sighting.track_id)
        assert sighting.overlap == alone.overlap
