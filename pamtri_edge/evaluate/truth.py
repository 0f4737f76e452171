# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Matches of two cameras against the truth: which track of which camera is which vehicle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from pamtri_edge.datasets.labels import table_rows
from pamtri_edge.errors import InputError
from pamtri_edge.gallery import Matches
from pamtri_edge.metrics.ranking import Retrieval, retrieval

COLUMNS: Final = ("camera", "track_id", "identity")
"""Columns that a file of identities must have; others are left alone."""

_NUMBER: Final = re.compile(r"(\d{1,20})(?:\.0*)?", re.ASCII)  # tables with gaps have whole numbers as 7.0

Identities = Mapping[tuple[str, int], str]
"""The vehicle that a track (camera, number) is."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """How good matches are.

    Attributes:
        right: for each match, in its order, whether it is right; None where the truth lacks a track.
        common: how many tracks of the first camera show a vehicle that the second saw too.
        retrieval: the first camera's vehicles looked up among the second's; None where no vehicle is
            known to both.
    """

    right: tuple[bool | None, ...]
    common: int
    retrieval: Retrieval | None

    @property
    def correct(self) -> int:
        """How many matches are right."""
        return sum(found is True for found in self.right)

    @property
    def wrong(self) -> int:
        """How many matches are wrong."""
        return sum(found is False for found in self.right)

    def to_json(self) -> dict[str, Any]:
        """Return the figures."""
        found = self.retrieval
        return {
            "correct": self.correct,
            "wrong": self.wrong,
            "common": self.common,
            "mAP": None if found is None else found.mAP,
            "rank1": None if found is None else found.rank(1),
        }


def read_identities(path: str | Path) -> Identities:
    """Read which track is which vehicle: a CSV with the columns camera, track_id and identity.

    Commas, semicolons or tabs are between them.

    Raises:
        InputError: the file cannot be read, lacks a column, or a row does not fit.
    """
    rows = table_rows(Path(path), expected="a table of identities")
    header = next((row for _, row in rows), [])
    names = [name.strip().casefold() for name in header]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}; its first line is {','.join(header)[:80]!r}, "
            f"expected is one with {', '.join(COLUMNS)}."
        )
    places = [names.index(name) for name in COLUMNS]
    found: dict[tuple[str, int], str] = {}
    for where, row in rows:
        camera, track, identity = (row[k].strip() if k < len(row) else "" for k in places)
        number = _NUMBER.fullmatch(track)
        if not camera or not identity or number is None:
            raise InputError(
                f"{where}: found {camera!r}, {track!r}, {identity!r}; expected all three, the second "
                "a number."
            )
        if (key := (camera, int(number[1]))) in found:
            raise InputError(f"{where}: track {track} of {camera} has been named before in this file.")
        found[key] = identity
    if not found:
        raise InputError(f"{path} names no track.")
    return found


class Tracked(Protocol):
    """What has a camera and a track, such as an event."""

    @property
    def camera(self) -> str:
        """Which camera saw it."""

    @property
    def track_id(self) -> int:
        """Number of the track."""


def judge(
    matches: Matches, first: Sequence[Tracked], second: Sequence[Tracked], truth: Identities
) -> Verdict:
    """Hold matches against the truth.

    Args:
        matches: of the two cameras' events.
        first: events of the first camera, in the order that the matches count them in.
        second: events of the second.
        truth: which track is which vehicle.

    Raises:
        InputError: the truth knows no track of one of the cameras.
    """
    sides = _vehicles(first, truth), _vehicles(second, truth)
    numbers = {name: number for number, name in enumerate(sorted({*sides[0], *sides[1]} - {None}, key=str))}
    ids = [np.array([-1 if name is None else numbers[name] for name in side], np.int64) for side in sides]
    right = [
        None if min(ids[0][pair.first], ids[1][pair.second]) < 0
        else bool(ids[0][pair.first] == ids[1][pair.second])
        for pair in matches.pairs
    ]  # fmt: skip
    common = int((np.isin(ids[0], ids[1]) & (ids[0] >= 0)).sum())
    found = retrieval(1.0 - matches.cosines, ids[0], ids[1]) if common else None
    return Verdict(tuple(right), common, found)


def _vehicles(events: Sequence[Tracked], truth: Identities) -> list[str | None]:
    named = [truth.get((event.camera, event.track_id)) for event in events]
    if not any(name is not None for name in named):
        cameras = sorted({camera for camera, _ in truth})
        raise InputError(
            f"the truth knows no track of {events[0].camera!r}; it has the cameras "
            f"{', '.join(map(repr, cameras))}."
        )
    return named
