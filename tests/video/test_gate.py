# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

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


def _offer(gate: TrackGate, sides: Sequence[int]) -> list[int]:
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


@pytest.mark.parametrize(
    ("numbers", "sides", "at_once", "at_end"),
    [
        ({}, [30, 47, 48, 49], [48], None),
        # 1.4 times 50 is 70, 1.4 times 70 is 98: twice the area each time
        ({}, range(50, 101), [50, 70, 98], None),
        ({"max_views": 3}, [50, 80, 120, 180, 200, 150], [50, 80], 200),
        ({}, [100, 109], [100], None),
        ({}, [100, 112], [100], 112),
        ({}, [20, 25, 35, 30, 10], [], 35),
        ({"max_views": 1}, [30, 50, 40, 60, 45], [], 60),
        ({"reinfer_interval": 5}, [30, 30, 30, 60, 60, 60, 60, 60, 61, 60, 60], [30, 60, 61], None),
        ({}, [], [], None),
    ],
    ids=[
        *(
            "the first large enough",
            "clearly better ones",
            "the best is kept for the end",
            "too little better",
        ),
        *("slightly better at the end", "none passed", "one that passes stands alone"),
        *("one for its worth puts the turn off", "no view"),
    ],
)
def test_views_that_pass_are_embedded_at_once_if_clearly_better_and_the_best_of_the_rest_at_the_end(
    numbers: dict[str, float], sides: Sequence[int], at_once: list[int], at_end: int | None
) -> None:
    gate = _gate(**numbers)
    assert _offer(gate, sides) == at_once
    assert _side(gate.close()) == at_end


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


def test_turns_leave_one_view_for_the_end() -> None:
    gate = _gate(reinfer_interval=2, max_views=4)
    assert len(_turns(gate, 50)) == 3
    _offer(gate, [40])
    assert _side(gate.close()) == 40


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


def test_embedded_views_count_by_their_pose_quality_and_compare_by_worth_as_well() -> None:
    gate = _gate()
    view = gate.offer(_sighting(100))
    assert view is not None
    assert gate.core.judge(view, 0.4) == (0.4, pytest.approx(0.4 * view.worth), ())
    assert gate.core.judge(view, None) == (1.0, view.worth, ())  # a bundle without pose
    assert gate.core.judge(view, SPEC.min_quality - 0.01)[2] == ("pose-unsure",)
    assert gate.core.judge(view, SPEC.min_quality)[2] == ()


def test_a_view_below_the_gate_says_all_that_it_lacks_and_untrained_weights_go_by_size_alone() -> None:
    for trained, told in ((True, tuple(GATE_REASONS)), (False, ("small",))):
        gate = _gate(trained=trained)
        gate.offer(_sighting(30, cut=True, overlap=0.5))
        view = gate.close()
        assert view is not None
        assert gate.core.judge(view, 0.0)[2] == told
    view = gate.offer(_sighting(120, cut=True, overlap=0.5))
    assert view is not None
    assert gate.core.judge(view, 0.0) == (1.0, view.worth, ())  # the pose quality means nothing


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


FRAME = Frame(3, 0.12, np.zeros((100, 200, 3), np.uint8))


@pytest.mark.parametrize(
    ("box", "rule", "rectangle", "cut"),
    [
        ((150.4, 20.2, 230.0, 60.9), CropRule.EXACT, (150, 20, 200, 61), True),
        ((11.5, 20.0, 50.2, 61.9), CropRule.NVINFER, (12, 20, 50, 60), False),
        ((1, 10, 50, 50), CropRule.EXACT, (1, 10, 50, 50), True),
        ((10, 1, 50, 50), CropRule.EXACT, (10, 1, 50, 50), True),
        ((10, 10, 199, 50), CropRule.EXACT, (10, 10, 199, 50), True),
        ((10, 10, 50, 99), CropRule.EXACT, (10, 10, 50, 99), True),
    ],
)
def test_sightings_are_measured_inside_the_frame_and_cut_at_its_border(
    box: tuple[float, float, float, float], rule: CropRule, rectangle: tuple[int, ...], cut: bool
) -> None:
    outside = [TrackBox(1, (300, 0, 320, 20)), TrackBox(3, (5, 5, 5, 9))]
    ((track, found),) = sightings(FRAME, [*outside, TrackBox(7, box)], rule=rule)
    assert (track, found.time_s, found.rectangle) == (7, 0.12, rectangle)
    assert (found.cut, found.overlap) == (cut, 0.0)


def test_thousands_of_boxes_are_compared_in_blocks_to_the_same_result() -> None:
    corners = np.random.default_rng(0).uniform(0, 900, (3000, 2))
    boxes = [TrackBox(n, (x, y, x + 20, y + 20)) for n, (x, y) in enumerate(corners.tolist())]
    frame = Frame(0, 0.0, np.zeros((960, 960, 3), np.uint8))
    many = sightings(frame, boxes)
    for track, sighting in many[:: len(many) // 20]:
        near = [box for box in boxes if np.abs(np.subtract(box.box, boxes[track].box)).max() < 20]
        assert sighting.overlap == dict(sightings(frame, near))[track].overlap
