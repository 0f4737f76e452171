# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from itertools import pairwise

import pytest

from pamtri_edge._core import FrameClock
from pamtri_edge.video.clock import USUAL_RATE, believable, measured_rate

STEADY = [k / 25 for k in range(8)]


def _read(stamps: Sequence[float | None]) -> tuple[list[float], list[int]]:
    """Return the times, and where the clock jumped."""
    clock = FrameClock(25.0, 10.0)
    ticks = [clock.tick(stamp) for stamp in stamps]
    return [time_s for time_s, _ in ticks], [index for index, (_, jumped) in enumerate(ticks) if jumped]


def test_a_clock_without_a_rate_goes_by_the_usual_one() -> None:
    clock = FrameClock(None, 10.0)
    assert [clock.tick(None)[0] for _ in range(3)] == pytest.approx([k / USUAL_RATE for k in range(3)])


def test_stamps_that_go_on_are_believed_from_the_first_on() -> None:
    assert _read([5.0, 5.04, 5.5, 9.0]) == (pytest.approx([0.0, 0.04, 0.5, 4.0]), [])


@pytest.mark.parametrize("leap", [-0.32, -3_600.0, 60.0, 95_443.7, 1e15], ids=lambda leap: f"{leap:g} s")
def test_after_a_leap_time_goes_on_by_one_frame(leap: float) -> None:
    second = [STEADY[-1] + 1 / 25 + leap + k / 25 for k in range(8)]
    times, jumps = _read([*STEADY, *second])
    assert times == pytest.approx([k / 25 for k in range(16)], abs=0.2)
    assert all(after > before for before, after in pairwise(times))
    assert jumps == [8]


def test_one_wild_stamp_costs_nothing_but_two_jumps() -> None:
    times, jumps = _read([0.0, 0.04, 1e6, 0.12, 0.16])
    assert times == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
    assert jumps == [2, 3]


@pytest.mark.parametrize(
    "stamps",
    [
        [None] * 8,
        [0.0] * 8,
        [k * 1e-5 for k in range(8)],
        [0.0, None, None, 0.12, None, 0.2, 0.24, 0.28],
        [0.0, 0.0, 0.08, 0.08] + [0.16] * 4,
    ],
    ids=["no stamp", "one stamp", "stamps of nothing", "missing stamps", "each stamp twice"],
)
def test_where_stamps_are_missing_or_stand_still_time_goes_on_by_the_rate(stamps: list[float | None]) -> None:
    assert _read(stamps) == (pytest.approx(STEADY), [])


def test_a_clock_that_stood_still_and_goes_on_is_followed_without_a_jump() -> None:
    times, jumps = _read([0.0, 0.0, 0.0, 0.0, 0.04, 0.08, 5.0])
    assert times == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 5.0])
    assert jumps == []


def test_stamps_a_little_out_of_order_are_no_jump() -> None:
    times, jumps = _read([0.0, 0.04, 0.12, 0.08, 0.16, 0.2])
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(0.2, abs=0.09)
    assert jumps == []


def test_a_pause_of_a_variable_rate_is_time_that_passed() -> None:
    assert _read([0.0, 0.04, 9.0, 9.04]) == (pytest.approx([0.0, 0.04, 9.0, 9.04]), [])
    slow = FrameClock(1 / 60, 60.0)  # a frame a minute, some left out
    assert [slow.tick(stamp)[0] for stamp in (0.0, 60.0, 600.0)] == [0.0, 60.0, 600.0]


def test_lost_frames_before_a_jump_take_their_time() -> None:
    clock = FrameClock(25.0, 10.0)
    assert clock.tick(3.0) == (0.0, False)
    time_s, jumped = clock.tick(1.0, missed=4)
    assert (time_s, jumped) == (pytest.approx(0.2), True)


def test_rates_of_slow_and_fast_cameras_are_believed_and_those_that_cannot_be_are_not() -> None:
    assert [believable(rate) for rate in (0.01, 29.97, 240)] == [0.01, 29.97, 240.0]
    assert not any(believable(rate) for rate in (None, 0, -25, 241, float("nan"), float("inf")))


@pytest.mark.parametrize(
    ("times", "rate"),
    [
        ([k / 29.97 for k in (3, 1, 2, 0, 4, 6, 5)], 29.97),
        ([round(k / 29.97, 3) for k in range(60)], 29.97),
        ([0.0, 0.0, 0.04, 0.04, 0.08, 7.0, 7.04, 7.08], 25.0),
        ([0.0, 0.04, 0.08, 0.12, 1e6], 25.0),
    ],
    ids=["out of order", "in milliseconds", "stamps twice and a pause", "a wild stamp"],
)
def test_a_rate_is_measured_from_most_stamps(times: list[float], rate: float) -> None:
    assert measured_rate(times) == pytest.approx(rate, rel=0.002)


def test_frames_that_are_stamped_in_bursts_are_counted_each() -> None:
    times = [0.12 * (k // 3) for k in range(60)]
    assert (measured_rate(times), measured_rate(times, repeats=True)) == pytest.approx(
        (8.333, 25.4), rel=0.02
    )


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 1.0, 1.0], [0.0, 0.04], [0.0, 1e-6, 2e-6]])
def test_too_few_or_impossible_stamps_give_no_rate(times: list[float]) -> None:
    assert measured_rate(times) is None
