# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which vehicle of one camera is which of another: embeddings compared by their cosine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.events import Event
from pamtri_edge.manifest import Manifest, Matching
from pamtri_edge.nearest import Allowed, nearest
from pamtri_edge.reidentification import Reidentification, Vehicle

Floats = NDArray[np.float32]

_MOST_COSINES: Final = 2**28


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Embeddings of N vehicles and the space that they live in.

    Attributes:
        vectors: (N, D) float32, of unit length.
        space: id of the weights; embeddings of different weights do not compare.
        matching: the threshold that the bundle suggests, or None.
    """

    vectors: Floats = field(repr=False)
    space: str
    matching: Matching | None = None

    @classmethod
    def of(cls, vectors: ArrayLike | Reidentification, manifest: Manifest) -> Embeddings:
        """Return what a bundle gave: a `Reidentification` or its array (N, D), with the bundle's manifest.

        Raises:
            InputError: the array has another shape, or a vector no direction.
        """
        found = vectors.to_numpy().embeddings if isinstance(vectors, Reidentification) else vectors
        array = _units(found)
        if array.shape[1] != manifest.embedding_dim and len(array):
            raise InputError(
                f"the embeddings have {array.shape[1]} numbers, those of {manifest.name} have "
                f"{manifest.embedding_dim}: they are not from this bundle."
            )
        return cls(array, manifest.embedding_space, manifest.matching)

    @classmethod
    def of_space(cls, vectors: ArrayLike, space: str, matching: Matching | None = None) -> Embeddings:
        """Return embeddings (N, D) of a space that is known by its id.

        Raises:
            InputError: the array has another shape, or a vector no direction.
        """
        return cls(_units(vectors), space, matching)

    @classmethod
    def of_events(cls, events: Iterable[Event], matching: Matching | None = None) -> Embeddings:
        """Return the embeddings of events, in their order.

        Raises:
            InputError: there are none, or they are of several spaces.
        """
        listed = list(events)
        spaces = {event.embedding_space: event for event in listed}
        if not listed:
            raise InputError("there are no events, so nothing can be compared.")
        if len(spaces) > 1:
            first, second = list(spaces.values())[:2]
            raise InputError(
                f"the events are of {len(spaces)} embedding spaces: {_called(first)} and {_called(second)}. "
                "Embeddings of different weights do not compare; run both videos with one bundle."
            )
        lengths = {len(event.embedding) for event in listed}
        if len(lengths) > 1:
            raise InputError(f"the events' embeddings have {sorted(lengths)} numbers; expected one length.")
        return cls(_units([event.embedding for event in listed]), listed[0].embedding_space, matching)

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True)
class Match:
    """Two sightings of what is taken for one vehicle.

    Attributes:
        first: its row in the first set.
        second: its row in the second.
        cosine: of the two embeddings, -1 to 1.
    """

    first: int
    second: int
    cosine: float


@dataclass(frozen=True, eq=False)
class Matches:
    """What was found.

    Attributes:
        pairs: the matches, the most alike first.
        threshold: the cosine that they had to reach; None where only being mutual nearest counted.
        false_match_rate: how often a pair of different vehicles reaches it, on the bundle's validation
            set; None where the threshold is not the bundle's.
        first: (A, D) float32, the embeddings of the first set, of unit length.
        second: (B, D) float32, of the second.
    """

    pairs: tuple[Match, ...]
    threshold: float | None
    false_match_rate: float | None
    first: Floats = field(repr=False)
    second: Floats = field(repr=False)

    @cached_property
    def cosines(self) -> Floats:
        """(A, B) float32, of every vehicle of the first set with every one of the second.

        Raises:
            InputError: there are too many to hold.
        """
        return _cosines(self.first, self.second)

    def __len__(self) -> int:
        return len(self.pairs)

    def of_first(self, row: int) -> Match | None:
        """Return the match of a vehicle of the first set, if it has one."""
        return next((pair for pair in self.pairs if pair.first == row), None)


def similarity(
    a: Embeddings | Reidentification | Sequence[Event],
    b: Embeddings | Reidentification | Sequence[Event] | None = None,
) -> Floats:
    """Return how alike the vehicles of two sets are, each with each: the cosine of their embeddings.

    Args:
        a: the first set, of A vehicles: what `Reidentifier.embed` gave, embeddings, or events.
        b: the second, of B vehicles; None compares the first with itself.

    Returns:
        (A, B) float32, -1 to 1; 1 for the same embedding.

    Raises:
        InputError: the sets are of different embedding spaces, or there are too many cosines to hold.
    """
    first = _embeddings(a, None)
    second = first if b is None else _embeddings(b, None)
    _check_spaces(first, second, None)
    return _cosines(first.vectors, second.vectors)


def match(
    a: Embeddings | Reidentification | Sequence[Event],
    b: Embeddings | Reidentification | Sequence[Event],
    *,
    threshold: float | None = None,
    manifest: Manifest | None = None,
    allowed: Allowed | NDArray[np.bool_] | None = None,
) -> Matches:
    """Find which vehicle of one set is which of another.

    Two vehicles match if each is the most alike to the other among all (mutual nearest neighbors; of
    vehicles that are exactly as much alike, the first), and their cosine reaches the threshold. So a
    vehicle matches one other at most; which vehicles were seen by both cameras need not be known.

    Args:
        a: the first set: embeddings, what `Reidentifier.embed` gave, or events.
        b: the second.
        threshold: the least cosine, -1 to 1. None takes the one that the bundle suggests (of `manifest`,
            or that came with the embeddings); where there is none, every mutual pair matches.
        manifest: of the bundle that gave the embeddings.
        allowed: which pairs may match, such as those of one color: (A, B) bool, or a function that gives it
            for some rows and columns, so that large sets need no large array. None for all.

    Raises:
        InputError: the sets are of different embedding spaces, or not of the manifest's; the threshold is no
            cosine; a set of events is empty; `allowed` has another shape.
    """
    first, second = _embeddings(a, manifest), _embeddings(b, manifest)
    _check_spaces(first, second, manifest)
    suggested = manifest.matching if manifest is not None else first.matching or second.matching
    if threshold is not None:
        if not -1.0 <= threshold <= 1.0:
            raise InputError(f"the threshold is {threshold:g}; expected a cosine, -1 to 1.")
        suggested = None
    least = threshold if suggested is None else suggested.threshold
    asked = _asked(allowed, (len(first), len(second)))
    pairs = sorted(
        _mutual(first.vectors, second.vectors, least, asked), key=lambda pair: (-pair.cosine, pair.first)
    )
    rate = None if suggested is None else suggested.false_match_rate
    return Matches(tuple(pairs), least, rate, first.vectors, second.vectors)


def _cosines(first: Floats, second: Floats) -> Floats:
    count = len(first) * len(second)
    if count > _MOST_COSINES:
        raise InputError(
            f"{len(first)} x {len(second)} cosines take {4 * count / 2**30:.1f} GB; at most "
            f"{4 * _MOST_COSINES / 2**30:.0f} GB are computed at once. Compare fewer vehicles."
        )
    if not count:
        return np.zeros((len(first), len(second)), np.float32)
    return np.asarray(np.clip(first @ second.T, -1.0, 1.0), np.float32)


def _asked(allowed: Allowed | NDArray[np.bool_] | None, shape: tuple[int, int]) -> Allowed | None:
    """Return a function for what may be an array."""
    if allowed is None or not isinstance(allowed, np.ndarray):
        return allowed
    mask = allowed
    if mask.shape != shape or mask.dtype != np.bool_:
        raise InputError(
            f"allowed is an array of shape {mask.shape}, {mask.dtype}; expected {shape} of bool, a row a "
            "vehicle of the first set."
        )
    return lambda rows, columns: mask[rows, columns]


def _mutual(first: Floats, second: Floats, least: float | None, allowed: Allowed | None) -> Iterable[Match]:
    if not len(first) or not len(second):
        return
    found = nearest(first, second, allowed)
    mutual = (found.rows[found.columns] == np.arange(len(first))) & np.isfinite(found.cosines)
    if least is not None:
        mutual &= found.cosines >= least
    for row in np.flatnonzero(mutual).tolist():
        yield Match(row, int(found.columns[row]), float(found.cosines[row]))


def _check_spaces(first: Embeddings, second: Embeddings, manifest: Manifest | None) -> None:
    if first.space != second.space:
        raise InputError(
            f"the embeddings are of different spaces, {first.space!r} and {second.space!r}: the weights that "
            "gave them differ, so they do not compare. Embed both with one bundle."
        )
    if manifest is not None and manifest.embedding_space != first.space:
        raise InputError(
            f"the bundle {manifest.name} has the embedding space {manifest.embedding_space!r}, the "
            f"embeddings are of {first.space!r}: its threshold says nothing of them. Name the bundle that "
            "gave them."
        )
    dims = first.vectors.shape[1], second.vectors.shape[1]
    if len(first) and len(second) and dims[0] != dims[1]:
        raise InputError(f"the embeddings have {dims[0]} and {dims[1]} numbers; expected as many.")


def _embeddings(given: Any, manifest: Manifest | None) -> Embeddings:
    if isinstance(given, Embeddings):
        return given
    if isinstance(given, Reidentification) and given.embedding_space is not None:
        return Embeddings.of_space(given.to_numpy().embeddings, given.embedding_space, given.matching)
    if isinstance(given, (Reidentification, np.ndarray)):
        if manifest is not None:
            return Embeddings.of(given, manifest)
        raise InputError(
            "an array of embeddings does not say which weights gave it; pass the result of embed itself, or "
            "name its bundle: Embeddings.of(array, reidentifier.manifest)."
        )
    if isinstance(given, (str, os.PathLike)):
        raise InputError(
            f"{os.fspath(given)!r} is a path; read its events first: "
            "pamtri_edge.events.read_events('out/events.jsonl')."
        )
    events = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(event, Event) for event in events):
        kinds = ", ".join(sorted({type(event).__name__ for event in events}))
        single = any(isinstance(event, Vehicle) for event in events)
        hint = " Of a result choose some by a slice or a list: out[:1], out[[0, 2]]." if single else ""
        raise InputError(f"the set holds {kinds}; expected events, Embeddings, or the result of embed.{hint}")
    return Embeddings.of_events(events)


def _units(vectors: ArrayLike) -> Floats:
    """Return rows of unit length."""
    array = np.asarray(vectors, np.float32)
    if array.ndim != 2:
        raise InputError(f"embeddings have shape {array.shape}; expected (N, D), a row a vehicle.")
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    bad = ~(np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0))
    if bad.any():
        raise InputError(
            f"embedding {int(bad.argmax())} has length {lengths[bad][0, 0]:g}: it has no direction."
        )
    return np.asarray(array / lengths, np.float32)


def _called(event: Event) -> str:
    return f"{event.embedding_space!r} (bundle {event.bundle}, camera {event.camera})"
