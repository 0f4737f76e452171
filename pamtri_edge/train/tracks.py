# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Batches that tracks of one's own cameras take part in, though nobody has told which vehicle is which."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import DataSet
from pamtri_edge.datasets.unlabeled import seen_at_once
from pamtri_edge.errors import InputError
from pamtri_edge.train.sampler import Batch, Looks, VehiclesByPictures

_SALT: Final = 23


@dataclass(frozen=True, eq=False)
class WithTracks:
    """Batches of told identities and of tracks seen at once, half and half; or of tracks alone.

    Attributes:
        data: the pictures of both.
        vehicles: P.
        pictures: K.
        seed: another seed, another order.
        looks: which told vehicles share a batch, see `sampler.Looks`.

    Raises:
        InputError: half a batch is too small for two told vehicles.
    """

    data: DataSet
    vehicles: int
    pictures: int
    seed: int = 0
    looks: Looks | None = None
    _told: NDArray[np.int64] = field(init=False, repr=False)
    _tracks: tuple[NDArray[np.int64], ...] = field(init=False, repr=False)
    _meets: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        labels, seen = self.data.labels, self.data.seen
        told = np.flatnonzero(seen[:, 0] < 0)
        if len(told) and self.vehicles < 3:
            raise InputError(
                f"batches of {self.vehicles} vehicles x {self.pictures} pictures, half of them told and half "
                f"of tracks, hold no pairs; take 4 vehicles, a --batch of {4 * self.pictures}, or more."
            )
        tracks = tuple(np.flatnonzero(labels == label) for label in np.unique(labels[seen[:, 0] >= 0]))
        spans = np.array([seen[indices[0]] for indices in tracks], np.int64)
        object.__setattr__(self, "_told", told)
        object.__setattr__(self, "_tracks", tracks)
        object.__setattr__(self, "_meets", seen_at_once(spans))

    def epoch(self, number: int) -> list[Batch]:
        """Return the batches of an epoch, counted from 0: (P * K,) indices, vehicle by vehicle."""
        share = self.vehicles // 2 if len(self._told) else self.vehicles
        if len(self._told):
            sampler = VehiclesByPictures(
                self.data.labels[self._told],
                self.vehicles - share,
                self.pictures,
                self.seed,
                looks=None if self.looks is None else self.looks.of(self._told),
            )
            told = [self._told[batch] for batch in sampler.epoch(number)]
        else:
            crops = sum(len(indices) for indices in self._tracks)
            told = [np.zeros(0, np.int64)] * max(1, crops // (self.vehicles * self.pictures))
        return [
            np.concatenate(
                [batch, self._of_tracks(share, np.random.default_rng([self.seed, number, k, _SALT]))]
            )
            for k, batch in enumerate(told)
        ]

    def _of_tracks(self, count: int, rng: np.random.Generator) -> Batch:
        """Return pictures of so many tracks, as many of them as possible seen with the first."""
        chosen: list[int] = []
        waiting = [int(track) for track in rng.permutation(len(self._tracks))]
        while waiting and len(chosen) < count:
            first = waiting[0]
            company = [first, *(track for track in waiting[1:] if self._meets[first, track])]
            chosen += company[: count - len(chosen)]
            waiting = [track for track in waiting if track not in chosen]
        return np.concatenate([self._dealt(self._tracks[track], rng) for track in chosen])

    def _dealt(self, indices: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        few = len(indices) < self.pictures
        return rng.choice(indices, self.pictures, replace=few).astype(np.int64)


def surely_differ(seen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pictures of different labels surely show two vehicles: (N, N) bool.

    All of told identities, and a track against one of these; two tracks only if they were seen at once.
    """
    told = seen[:, 0] < 0
    return np.asarray(told[:, None] | told | seen_at_once(seen))
