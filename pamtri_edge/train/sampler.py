# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures make a batch. Every epoch is a pure function of seed and number, so any of them can resume.

*P x K*, for re-identification: P vehicles with K pictures each, so that a batch holds pairs of the same and
of different vehicles. *With tracks*: some of them are tracks of one's own cameras, though nobody has told
which vehicle is which. *Shuffled*, for pose: every picture once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.datasets.data_set import UNKNOWN, DataSet
from pamtri_edge.datasets.unlabeled import seen_at_once
from pamtri_edge.errors import InputError
from pamtri_edge.vehicle import COLORS

Indices = NDArray[np.int64]

_SALT: Final = 5  # keeps these draws apart from those of augmentation
_TRACK_SALT: Final = 23
_MOST: Final = 1000  # types

_SHARES: Final = {
    "white": 0.24, "gray": 0.24, "black": 0.22, "blue": 0.10, "red": 0.09,
    "green": 0.03, "brown": 0.03, "yellow": 0.02, "golden": 0.02, "orange": 0.01,
}  # fmt: skip
"""Of new cars, roughly, as makers of paint publish them; silver is gray."""


class Sampler(Protocol):
    """Gives the batches of an epoch: arrays of indices into the data set."""

    def epoch(self, number: int) -> list[Indices]:
        """Return the batches of an epoch, counted from 0."""


@dataclass(frozen=True)
class Shuffled:
    """Every picture once an epoch, in batches of one size; what is left over waits for another epoch.

    Attributes:
        count: pictures of the data set.
        batch: pictures of a batch; no more than there are.
        seed: another seed, another order.
    """

    count: int
    batch: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 2 or self.batch < 2:
            raise InputError(
                f"{self.count} pictures in batches of {self.batch}; batch normalization needs at least 2."
            )

    def epoch(self, number: int) -> list[Indices]:
        """Return the batches of an epoch, counted from 0."""
        order = np.random.default_rng([self.seed, number, _SALT]).permutation(self.count).astype(np.int64)
        size = min(self.batch, self.count)
        return list(order[: self.count // size * size].reshape(-1, size))


@dataclass(frozen=True, eq=False)
class Looks:
    """Which vehicles share a batch, and how often each is shown.

    What tells vehicles of one color and type apart is their details, where color would do among others. In
    a batch of one color alone, shape counts too.

    Attributes:
        marks: (N,) the color and (N,) the type of each picture, below 0 where unknown.
        shares: of batches whose vehicles come from as few colors as possible, and of those that come from as
            few pairs of color and type.
        weights: (N,) how often each picture's vehicle is dealt in an epoch, on average; None for once.
    """

    marks: tuple[NDArray[np.int64], NDArray[np.int64]]
    shares: tuple[float, float]
    weights: NDArray[np.float64] | None = None

    def drawn(self, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Draw what makes vehicles alike in the next batch: (N,) groups, or None for no matter."""
        one_color, one_look = self.shares
        if not one_color + one_look:
            return None
        chance = rng.random()
        color, kind = self.marks
        if chance < one_look:
            return color * _MOST + kind
        return color if chance < one_look + one_color else None

    def of(self, indices: Indices) -> Looks:
        """Return the same for some of the pictures."""
        weights = None if self.weights is None else self.weights[indices]
        return Looks((self.marks[0][indices], self.marks[1][indices]), self.shares, weights)


def traffic_weights(data: DataSet, traffic: float) -> NDArray[np.float64] | None:
    """Return how often each picture's vehicle is to be shown, 1 on average over the vehicles of known color.

    Most vehicles are white, black, gray or silver. Where all colors come alike, color alone tells most
    vehicles apart, and little else is learned.

    Args:
        data: the pictures.
        traffic: from 0, as they come (then None), to 1, colors as often as in traffic.
    """
    known = data.colors != UNKNOWN
    if not traffic or not known.any():
        return None
    _, first = np.unique(data.labels, return_index=True)
    colors = data.colors[first]
    counts = np.bincount(colors[colors != UNKNOWN], minlength=len(COLORS))
    shares = np.array([_SHARES[color] for color in COLORS]) * (counts > 0)
    wanted = shares / shares.sum() * counts.sum()
    of_color = (1.0 - traffic) + traffic * wanted / np.maximum(counts, 1)
    return np.where(known, of_color[data.colors], 1.0)


@dataclass(frozen=True, eq=False)
class VehiclesByPictures:
    """P vehicles x K pictures, as the original's RandomIdentitySampler.

    The pictures of a vehicle are shuffled and dealt in hands of K (a vehicle with fewer gives some twice,
    a rest of fewer than K waits); a batch takes one hand from each of P vehicles, until fewer than P have
    any left. Every epoch has a batch.

    Attributes:
        labels: (N,) the class of each picture's vehicle.
        vehicles: P.
        pictures: K.
        seed: another seed, another order.
        looks: which vehicles share a batch, and how often each is shown; None for chance alone.
    """

    labels: NDArray[np.int64]
    vehicles: int = 8
    pictures: int = 4
    seed: int = 0
    looks: Looks | None = None

    def __post_init__(self) -> None:
        if self.vehicles < 2 or self.pictures < 2:
            raise InputError(
                f"batches of {self.vehicles} vehicles x {self.pictures} pictures hold no pairs; "
                "take at least 2 x 2."
            )
        if (found := len(self._members)) < self.vehicles:
            raise InputError(
                f"there are {found} vehicles, fewer than the {self.vehicles} of a batch (P); give "
                f"more data, or at most {found} vehicles a batch."
            )

    @cached_property
    def _members(self) -> dict[int, Indices]:
        return {int(label): np.flatnonzero(self.labels == label) for label in np.unique(self.labels)}

    def epoch(self, number: int) -> list[Indices]:
        """Return the batches of an epoch, counted from 0: (P * K,) indices, vehicle by vehicle."""
        rng = np.random.default_rng([self.seed, number, _SALT])
        hands = {label: self._hands(indices, rng) for label, indices in self._members.items()}
        hands = {label: dealt for label, dealt in hands.items() if dealt}
        missing = self.vehicles - len(hands)
        if missing > 0:  # weights left too few of a small set: an epoch without a batch would teach nothing
            waiting = [label for label in self._members if label not in hands]
            for label in rng.permutation(waiting)[:missing].tolist():
                hands[label] = self._deal(self._members[label], rng)
        batches = []
        while len(hands) >= self.vehicles:
            chosen = self._choose(list(hands), rng)
            batches.append(np.concatenate([hands[label].pop() for label in chosen]))
            hands = {label: left for label, left in hands.items() if left}
        return batches

    def _hands(self, indices: Indices, rng: np.random.Generator) -> list[Indices]:
        """Deal a vehicle's pictures as often as its weight says: 1.4 is once, often twice."""
        weights = None if self.looks is None else self.looks.weights
        if weights is None:
            return self._deal(indices, rng)
        times = int(weights[indices[0]] + rng.random())
        return [hand for _ in range(times) for hand in self._deal(indices, rng)]

    def _deal(self, indices: Indices, rng: np.random.Generator) -> list[Indices]:
        if len(indices) < self.pictures:
            return [rng.choice(indices, self.pictures, replace=True).astype(np.int64)]
        shuffled = rng.permutation(indices).astype(np.int64)
        whole = len(shuffled) // self.pictures * self.pictures
        return list(shuffled[:whole].reshape(-1, self.pictures))

    def _choose(self, labels: list[int], rng: np.random.Generator) -> list[int]:
        shuffled = [labels[index] for index in rng.permutation(len(labels))]
        alike = None if self.looks is None else self.looks.drawn(rng)
        if alike is None:
            return shuffled[: self.vehicles]
        # A stable sort by group, begun at a random group: neighbors look alike.
        group_of = {label: int(alike[self._members[label][0]]) for label in shuffled}
        groups = sorted(set(group_of.values()))
        turn = int(rng.integers(len(groups)))
        place = {group: (index - turn) % len(groups) for index, group in enumerate(groups)}
        return sorted(shuffled, key=lambda label: place[group_of[label]])[: self.vehicles]


@dataclass(frozen=True, eq=False)
class WithTracks:
    """Batches of told identities and of tracks seen at once, half and half; or of tracks alone.

    Attributes:
        data: the pictures of both.
        vehicles: P.
        pictures: K.
        seed: another seed, another order.
        looks: which told vehicles share a batch.

    Raises:
        InputError: half a batch is too small for two told vehicles.
    """

    data: DataSet
    vehicles: int
    pictures: int
    seed: int = 0
    looks: Looks | None = None

    def __post_init__(self) -> None:
        if len(self._told) and self.vehicles < 3:
            raise InputError(
                f"batches of {self.vehicles} vehicles x {self.pictures} pictures, half of them told and half "
                f"of tracks, hold no pairs; take 4 vehicles, a --batch of {4 * self.pictures}, or more."
            )

    @cached_property
    def _told(self) -> Indices:
        return np.flatnonzero(self.data.seen[:, 0] < 0)

    @cached_property
    def _tracks(self) -> tuple[Indices, ...]:
        labels = self.data.labels
        tracks = np.unique(labels[self.data.seen[:, 0] >= 0])
        return tuple(np.flatnonzero(labels == label) for label in tracks)

    @cached_property
    def _meets(self) -> NDArray[np.bool_]:
        return seen_at_once(self.data.seen[[indices[0] for indices in self._tracks]])

    def epoch(self, number: int) -> list[Indices]:
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
                [batch, self._of_tracks(share, np.random.default_rng([self.seed, number, k, _TRACK_SALT]))]
            )
            for k, batch in enumerate(told)
        ]

    def _of_tracks(self, count: int, rng: np.random.Generator) -> Indices:
        """Return pictures of so many tracks, as many of them as possible seen with the first."""
        chosen: list[int] = []
        waiting = [int(track) for track in rng.permutation(len(self._tracks))]
        while waiting and len(chosen) < count:
            first = waiting[0]
            company = [first, *(track for track in waiting[1:] if self._meets[first, track])]
            chosen += company[: count - len(chosen)]
            waiting = [track for track in waiting if track not in chosen]
        return np.concatenate([self._dealt(self._tracks[track], rng) for track in chosen])

    def _dealt(self, indices: Indices, rng: np.random.Generator) -> Indices:
        few = len(indices) < self.pictures
        return rng.choice(indices, self.pictures, replace=few).astype(np.int64)


def surely_differ(seen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pictures of different labels surely show two vehicles: (N, N) bool.

    All of told identities, and a track against one of these; two tracks only if they were seen at once.
    """
    told = seen[:, 0] < 0
    return np.asarray(told[:, None] | told | seen_at_once(seen))
