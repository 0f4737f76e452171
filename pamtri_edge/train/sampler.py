# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures make a batch. Every epoch is a pure function of seed and number, so any of them can resume.

*P x K*, for re-identification: P vehicles with K pictures each, so that a batch holds pairs of the same and
of different vehicles. *Shuffled*, for pose: every picture once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError

Batch = NDArray[np.int64]

_SALT: Final = 5  # keeps these draws apart from those of augmentation
_MOST: Final = 1000  # types


class Sampler(Protocol):
    """Gives the batches of an epoch: arrays of indices into the data set."""

    def epoch(self, number: int) -> list[Batch]:
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

    def epoch(self, number: int) -> list[Batch]:
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

    def of(self, indices: NDArray[np.int64]) -> Looks:
        """Return the same for some of the pictures."""
        weights = None if self.weights is None else self.weights[indices]
        return Looks((self.marks[0][indices], self.marks[1][indices]), self.shares, weights)


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
    _members: dict[int, NDArray[np.int64]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        members = {int(label): np.flatnonzero(self.labels == label) for label in np.unique(self.labels)}
        object.__setattr__(self, "_members", members)
        if self.vehicles < 2 or self.pictures < 2:
            raise InputError(
                f"batches of {self.vehicles} vehicles x {self.pictures} pictures hold no pairs; "
                "take at least 2 x 2."
            )
        if len(members) < self.vehicles:
            raise InputError(
                f"there are {len(members)} vehicles, fewer than the {self.vehicles} of a batch (P); give "
                f"more data, or at most {len(members)} vehicles a batch."
            )

    def epoch(self, number: int) -> list[Batch]:
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

    def _hands(self, indices: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Deal a vehicle's pictures as often as its weight says: 1.4 is once, often twice."""
        weights = None if self.looks is None else self.looks.weights
        if weights is None:
            return self._deal(indices, rng)
        times = int(weights[indices[0]] + rng.random())
        return [hand for _ in range(times) for hand in self._deal(indices, rng)]

    def _deal(self, indices: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
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
