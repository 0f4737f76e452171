# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What networks are trained on: pictures of vehicles with what is known of them, from one or several sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pamtri_edge.errors import InputError
from pamtri_edge.pictures import read_picture

UNKNOWN: Final = -1
"""Stands for a color or type that nobody has told; no loss is taken on it."""

NO_CAMERA: Final = -1
"""Stands for a camera that nobody has told."""

Crop = tuple[NDArray[np.uint8], NDArray[np.float32] | None]
"""A picture (H, W, 3) uint8 RGB, and its keypoints (36, 3) in crop units where they are known."""

ReadCrop = Callable[[int, int, int], Crop]
"""From the index of a sample, the epoch and the wanted side to its crop."""


@dataclass(frozen=True)
class Sample:
    """One picture of a vehicle.

    Attributes:
        path: the picture's file: the crop that a detector would cut.
        vehicle: its identity, 0 or more; the same number means the same vehicle within one `DataSet`.
        camera: number of the camera, or `NO_CAMERA`.
        color: index into `vehicle.COLORS`, or None.
        type: index into `vehicle.TYPES`, or None.
        keypoints: (36, 3) float32 x, y in crop units and visibility or confidence; or None.
        seen: of a track: number of the clip, first and last frame. Two tracks are surely two vehicles only
            if they were seen at once; None for an identity that somebody has told.
    """

    path: Path
    vehicle: int
    camera: int = NO_CAMERA
    color: int | None = None
    type: int | None = None
    keypoints: NDArray[np.float32] | None = None
    seen: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class DataSet:
    """Pictures to train or test with.

    Attributes:
        name: what it is called in messages: its folder, or several.
        samples: the pictures.
        read: gives the crops where they do not come from files; their keypoints come with them.
    """

    name: str
    samples: tuple[Sample, ...]
    read: ReadCrop | None = None

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.samples)

    @cached_property
    def identities(self) -> tuple[int, ...]:
        """All vehicles: the place of a vehicle here is its class. Tracks come behind told identities."""
        order = {sample.vehicle: (sample.seen is not None, sample.vehicle) for sample in self.samples}
        return tuple(sorted(order, key=order.__getitem__))

    @cached_property
    def classes(self) -> int:
        """How many of the identities are told, and so are classes to learn; the rest are tracks."""
        return len({sample.vehicle for sample in self.samples if sample.seen is None})

    @cached_property
    def seen(self) -> NDArray[np.int64]:
        """(N, 3) clip, first and last frame of each picture's track; -1 for told identities."""
        return np.array([sample.seen or (-1, -1, -1) for sample in self.samples], np.int64).reshape(-1, 3)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(N,) the class of each picture's vehicle."""
        place = {vehicle: index for index, vehicle in enumerate(self.identities)}
        return np.array([place[sample.vehicle] for sample in self.samples], np.int64)

    @cached_property
    def cameras(self) -> NDArray[np.int64]:
        """(N,) the camera of each picture."""
        return np.array([sample.camera for sample in self.samples], np.int64)

    @cached_property
    def colors(self) -> NDArray[np.int64]:
        """(N,) the color of each picture, `UNKNOWN` where it is not known."""
        return _optional([sample.color for sample in self.samples])

    @cached_property
    def types(self) -> NDArray[np.int64]:
        """(N,) the type of each picture, `UNKNOWN` where it is not known."""
        return _optional([sample.type for sample in self.samples])

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:...` of the names and labels, by which a resumed run knows its data again."""
        digest = hashlib.sha256()
        for sample in self.samples:
            facts = (sample.path.name, sample.vehicle, sample.camera, sample.color, sample.type, sample.seen)
            digest.update(repr(facts).encode())
            if sample.keypoints is not None:
                digest.update(sample.keypoints.astype("<f4").tobytes())
        return f"sha256:{digest.hexdigest()}"

    def with_keypoints(self) -> DataSet:
        """Return the pictures whose keypoints are known.

        Raises:
            InputError: there is none.
        """
        if self.read is not None:
            return self
        kept = tuple(sample for sample in self.samples if sample.keypoints is not None)
        if not kept:
            raise InputError(
                f"{self.name}: none of {len(self)} pictures has keypoints; a pose network learns from a "
                "CSV of image, width, height and x, y, visible of 36 keypoints, as `pamtri synth` writes it."
            )
        return replace(self, samples=kept)


def check_identities(data: DataSet, *, least: int = 2, pictures: int = 1) -> None:
    """Refuse a set with too few vehicles to tell apart.

    Args:
        data: the set.
        least: the vehicles of a batch.
        pictures: of each in it.

    Raises:
        InputError: there are fewer than `least` identities.
    """
    count = len(data.identities)
    if count < 2:
        raise InputError(
            f"{data.name}: all {len(data)} pictures show one vehicle; re-identification is learned from the "
            "difference between vehicles, so at least 2 are needed, better hundreds."
        )
    if count < least:
        raise InputError(
            f"{data.name}: {count} vehicles, but a batch takes {least} of {pictures} pictures each; give "
            f"more data, or a smaller --batch, {count * pictures} at most."
        )


def mixed(sets: Sequence[DataSet]) -> DataSet:
    """Return several sets as one, such as real and synthetic pictures; vehicles of two sets never coincide.

    Raises:
        InputError: there are none, or no pictures in them.
    """
    if not sets:
        raise InputError("no data was given; name at least one folder of pictures.")
    samples: list[Sample] = []
    offset = 0
    for data in sets:
        samples += [replace(sample, vehicle=sample.vehicle + offset) for sample in data.samples]
        offset += max((sample.vehicle for sample in data.samples), default=-1) + 1
    if not samples:
        raise InputError(f"{', '.join(data.name for data in sets)}: no pictures.")
    read = _dispatched(sets) if any(data.read is not None for data in sets) else None
    return DataSet(" + ".join(data.name for data in sets), tuple(samples), read)


def crop_of(data: DataSet, index: int, epoch: int, size: int) -> Crop:
    """Return a picture of a set with its keypoints, from wherever it comes.

    Args:
        data: the set.
        index: place of the sample.
        epoch: which time it is asked for; only pictures drawn on the spot depend on it.
        size: side that the picture will be brought to.

    Raises:
        InputError: its file cannot be read or decoded.
    """
    if data.read is not None:
        return data.read(index, epoch, size)
    sample = data.samples[index]
    return read_picture(sample.path, least=size), sample.keypoints


def _dispatched(sets: Sequence[DataSet]) -> ReadCrop:
    ends = np.cumsum([len(data) for data in sets])

    def read(index: int, epoch: int, size: int) -> Crop:
        place = int(np.searchsorted(ends, index, side="right"))
        before = int(ends[place - 1]) if place else 0
        return crop_of(sets[place], index - before, epoch, size)

    return read


def _optional(values: Sequence[int | None]) -> NDArray[np.int64]:
    return np.array([UNKNOWN if value is None else value for value in values], np.int64)
