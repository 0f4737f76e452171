# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which events are compared, and which pairs of them may be one vehicle: by time, color and type."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.events import Event, parse_utc
from pamtri_edge.nearest import Allowed

_log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What a comparison needs of an event beside its embedding.

    Attributes:
        camera: which camera saw it.
        track_id: number of the track.
        start_s: time of its first frame, in seconds of the stream.
        below_gate: no view was good enough.
        color: the most probable color; None where the bundle gives none.
        type: likewise.
        start_posix: the moment of its first frame, in seconds since 1970; None where it is not known.
    """

    camera: str
    track_id: int
    start_s: float
    below_gate: bool
    color: str | None
    type: str | None
    start_posix: float | None = None


@dataclass(frozen=True)
class Span:
    """From when until when events are compared, by the time of their first frame.

    Attributes:
        begin: seconds of the stream, or a moment; None for from the start.
        end: likewise, for up to the end. Of the same kind.
    """

    begin: float | datetime | None = None
    end: float | datetime | None = None

    def holds(self, event: Event) -> bool:
        """Tell whether an event lies within.

        Raises:
            InputError: the span is of moments, and the event has no clock.
        """
        if isinstance(self.begin or self.end, datetime):
            if event.start_utc is None:
                raise InputError(
                    f"the events of camera {event.camera!r} have no date and time, so that --from and "
                    "--until need seconds of the video; or run it with --start-utc."
                )
            at: float | datetime = parse_utc(event.start_utc)
        else:
            at = event.start_s
        after = self.begin is None or self.begin <= at  # type: ignore[operator]
        return after and (self.end is None or at <= self.end)  # type: ignore[operator]


def read_span(begin: str | None, end: str | None) -> Span | None:
    """Read a span from two texts: seconds of the stream, or ISO 8601; None where both are None.

    Raises:
        InputError: a text is neither, they are of different kinds, or it ends before it begins.
    """
    if begin is None and end is None:
        return None
    span = Span(_moment(begin), _moment(end))
    if span.begin is not None and span.end is not None:
        if isinstance(span.begin, datetime) != isinstance(span.end, datetime):
            raise InputError(
                f"--from is {begin!r}, --until {end!r}; expected both in seconds, or both as ISO 8601."
            )
        if span.end < span.begin:  # type: ignore[operator]
            raise InputError(f"the time ends before it begins: --from {begin}, --until {end}.")
    return span


def read_window(text: str) -> tuple[float, float]:
    """Read a window of times of travel, two numbers of seconds with a comma.

    Raises:
        InputError: it is not of that form, or ends before it begins.
    """
    parts = text.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)):
        raise InputError(f"the window is {text!r}; expected two numbers of seconds, such as 5,120 or -60,60.")
    if numbers[1] < numbers[0]:
        raise InputError(f"the window {text} ends before it begins; expected the smaller number first.")
    return numbers[0], numbers[1]


@dataclass(frozen=True)
class Rules:
    """Which pairs of events may be one vehicle.

    Attributes:
        window: seconds from the first frame at the first camera to that at the second, least and most; None
            for any.
        same_color: both have the same most probable color.
        same_type: likewise the type.
    """

    window: tuple[float, float] | None = None
    same_color: bool = False
    same_type: bool = False

    def allowed(self, first: Sequence[Seen], second: Sequence[Seen]) -> Allowed | None:
        """Return what tells which pairs of two sets may be; None where all may.

        Raises:
            InputError: the events of a set lack what a rule needs.
        """
        checks = []
        if self.window is not None:
            checks.append(_within(self.window, *_times(first, second)))
        for asked, name in ((self.same_color, "color"), (self.same_type, "type")):
            if asked:
                checks.append(_equal(_numbers(name, first, second)))
        if not checks:
            return None

        return lambda rows, columns: reduce(and_, (check(rows, columns) for check in checks))


Check = Callable[[slice, slice], NDArray[np.bool_]]


def _within(window: tuple[float, float], first: NDArray[np.float64], second: NDArray[np.float64]) -> Check:
    def check(rows: slice, columns: slice) -> NDArray[np.bool_]:
        passed = second[None, columns] - first[rows, None]
        return np.asarray((passed >= window[0]) & (passed <= window[1]))

    return check


def _equal(sides: tuple[NDArray[np.int64], NDArray[np.int64]]) -> Check:
    return lambda rows, columns: np.asarray(sides[0][rows, None] == sides[1][None, columns])


def _times(first: Sequence[Seen], second: Sequence[Seen]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when each was first seen, by one clock."""
    clock = all(one.start_posix is not None for side in (first, second) for one in side)
    if not clock:
        _log.warning(
            "no date and time in the events: the window counts seconds of both videos, as if they began at "
            "one moment (pamtri run --start-utc says when)"
        )
    sides = [
        np.array([one.start_posix if clock else one.start_s for one in side], np.float64)
        for side in (first, second)
    ]
    return sides[0], sides[1]


def _numbers(
    name: str, first: Sequence[Seen], second: Sequence[Seen]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for each label; one that is not known differs from all."""
    known: dict[str, int] = {}
    sides = []
    for missing, side in ((-1, first), (-2, second)):
        labels = [getattr(one, name) for one in side]
        if side and all(label is None for label in labels):
            raise InputError(
                f"the events of camera {side[0].camera!r} tell no {name}, so that --same-{name} leaves "
                "nothing; leave it out."
            )
        sides.append(
            np.array(
                [missing if one is None else known.setdefault(one, len(known)) for one in labels], np.int64
            )
        )
    return sides[0], sides[1]


def _moment(text: str | None) -> float | datetime | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return parse_utc(text)
    if not math.isfinite(seconds):
        raise InputError(f"{text!r} is no time; expected seconds of the video, or ISO 8601.")
    return seconds
