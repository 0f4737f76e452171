# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a synthetic data set is to hold: every picture by its number, before any is drawn.

A picture is known by its identity and its view. The plan says how many views an identity has, which
camera sees each, whether it is a query, and what it is called; all of it follows from the plan alone, so
that pictures can be drawn in any order, by any number of processes, today or tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from pamtri_edge.datasets.layout import GALLERY, MAX_CAMERA, PARTS, QUERY, TRAIN, Part, image_name
from pamtri_edge.errors import InputError
from pamtri_edge.synth.specification.streams import Stream
from pamtri_edge.vehicle import COLORS, TYPES, check_types
from pamtri_edge.words import Split

JOB_VIEWS: Final = 32
"""Most views in a job: a vehicle is built once for them, and a kill loses no more than these."""

FORMATS: Final = ("veri", "coco", "parquet")
"""Ways of writing labels."""

UNSEEN: Final = 1_000_000
"""Where identities, shapes and cameras of a test split begin: no train split reaches there."""

_MOST_OFFSET: Final = 10**9  # ids are numbers of 64 bits, and stand in the names of files


@dataclass(frozen=True)
class Job:
    """Some views of one identity, drawn in a row.

    Attributes:
        identity: number of the identity within the plan, from 0.
        first: its first view.
        views: how many.
    """

    identity: int
    first: int
    views: int

    @property
    def name(self) -> str:
        """A name that sorts as the jobs do."""
        return f"{self.identity:07d}-{self.first:08d}"


@dataclass(frozen=True, kw_only=True)
class SynthPlan:
    """A synthetic data set before it is drawn.

    Attributes:
        identities: vehicles.
        images: pictures in all, spread over the identities as evenly as it goes.
        seed: another seed, other vehicles and pictures.
        split: `train`, or `test` with shapes and cameras that no `train` split has.
        prior: where cameras stand: "veri", "cityflow", "overpass", "uniform", or the path of a JSON file.
        cameras: how many cameras there are; every one has its own place, lens and colors.
        backgrounds: a folder of pictures or a video to show behind the vehicles; None for drawn streets.
        size: side of the pictures, in pixels.
        supersampling: samples along a pixel's side.
        models: how many shapes the identities share, each in the ten colors; None: a shape of its own
            for every identity.
        meshes: a folder of meshes to use in the place of drawn vehicles.
        queries: of a test split, the queries of an identity, each from another camera.
        vehicle_offset: added to vehicle ids, which begin at 1.
        camera_offset: added to camera numbers, which begin at 1.
        formats: of `FORMATS`, which are written.
        masks: also write part masks.
        types: how often types come, of `vehicle.TYPES`, each 0..1; those left out share the rest as usual.

    Raises:
        InputError: a number out of its range, or numbers that do not go together.
    """

    identities: int = 402
    images: int = 41_000
    seed: int = 0
    split: Split = Split.TRAIN
    prior: str = "veri"
    cameras: int = 20
    backgrounds: Path | None = None
    size: int = 256
    supersampling: int = 2
    models: int | None = None
    meshes: Path | None = None
    queries: int = 4
    vehicle_offset: int = 0
    camera_offset: int = 0
    formats: tuple[str, ...] = FORMATS
    masks: bool = False
    types: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _at_least("identities", self.identities, 1, most=UNSEEN)
        _at_least("cameras", self.cameras, 1)
        _at_least("seed", self.seed, 0, most=2**32)
        _at_least("size", self.size, 32, most=1024)
        if self.size % 2:
            raise InputError(f"size is {self.size}; accepted: even numbers of pixels.")
        _at_least("supersampling", self.supersampling, 1, most=4)
        _at_least("queries", self.queries, 1)
        _at_least("vehicle_offset", self.vehicle_offset, 0, most=_MOST_OFFSET)
        _at_least("camera_offset", self.camera_offset, 0)
        if self.models is not None:
            _at_least("models", self.models, 1, most=UNSEEN)
        unknown = [name for name in self.formats if name not in FORMATS]
        if unknown or not self.formats:
            raise InputError(
                f"formats {', '.join(self.formats) or '(none)'}; accepted: one or more of "
                f"{', '.join(FORMATS)}."
            )
        _check_shares(self.types)
        if self.types and self.meshes is not None:
            raise InputError("types and meshes do not go together: meshes have the types of their files.")
        if self.images < self.identities:
            raise InputError(
                f"{self.images} images cannot show {self.identities} identities; ask for at least one image "
                "an identity (the paper has about a hundred)."
            )
        if self.split is Split.TEST and (self.images < 2 * self.identities or self.cameras < 2):
            raise InputError(
                f"a test split of {self.identities} identities needs at least {2 * self.identities} images "
                f"and 2 cameras, because a query is sought among other cameras' images; {self.images} images "
                f"and {self.cameras} cameras were asked for."
            )
        if self.camera_offset + self.cameras > MAX_CAMERA:
            raise InputError(
                f"cameras would be numbered up to {self.camera_offset + self.cameras}, and file names hold "
                f"three digits ({MAX_CAMERA}); use fewer cameras or a smaller offset."
            )

    @property
    def parts(self) -> tuple[Part, ...]:
        """The folders that it becomes."""
        return PARTS[self.split]

    def views(self, identity: int) -> int:
        """Return how many views an identity has."""
        even, more = divmod(self.images, self.identities)
        return even + (identity < more)

    def jobs(self) -> Iterator[Job]:
        """Give all the work, in order."""
        for identity in range(self.identities):
            views = self.views(identity)
            pieces = -(-views // JOB_VIEWS)
            ends = [views * piece // pieces for piece in range(pieces + 1)]
            for first, end in pairwise(ends):
                yield Job(identity, first, end - first)

    def camera(self, identity: int, view: int) -> int:
        """Return which camera sees a view, from 0: an identity meets all cameras before one again."""
        rng = np.random.default_rng([self.seed, self._begin + identity, Stream.CAMERAS])
        return int(rng.permutation(self.cameras)[view % self.cameras])

    def part(self, identity: int, view: int) -> Part:
        """Return where a view belongs.

        The queries of an identity are its first views, each from another camera; at least one view is
        left for the gallery. As in VeRi, the gallery also has views of the query's camera.
        """
        if self.split is Split.TRAIN:
            return TRAIN
        queries = min(self.queries, self.cameras - 1, self.views(identity) - 1)
        return QUERY if view < queries else GALLERY

    def image_name(self, identity: int, view: int) -> str:
        """Return the file name of a view."""
        camera = self.camera_id(self.camera(identity, view))
        digits = max(4, len(str(self.vehicle_id(self.identities - 1))))
        return image_name(self.vehicle_id(identity), camera, view, digits=digits)

    def vehicle_id(self, identity: int) -> int:
        """Return the id that file names and labels give to an identity."""
        return self.vehicle_offset + identity + 1

    def camera_id(self, camera: int) -> int:
        """Return the number that file names and labels give to a camera."""
        return self.camera_offset + camera + 1

    def drawn_identity(self, identity: int) -> int:
        """Return the number from which an identity is drawn: its own, apart for each split."""
        return self._begin + identity

    def drawn_camera(self, camera: int) -> int:
        """Return the number from which a camera is drawn, likewise."""
        return self._begin + camera

    def drawn_model(self, identity: int) -> int | None:
        """Return the number from which an identity's shape is drawn; None for one of its own.

        Every so many identities share a shape and differ in color, as the paper's 42 models in 10 colors.
        """
        return None if self.models is None else self._begin + identity % self.models

    def color(self, identity: int) -> str | None:
        """Return the color of an identity; None where chance decides."""
        if self.models is None:
            return None
        model, turn = identity % self.models, identity // self.models
        return COLORS[(model + turn) % len(COLORS)]

    @property
    def _begin(self) -> int:
        return UNSEEN if self.split is Split.TEST else 0

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object; of files it has the names, not where they lie."""
        return {
            "identities": self.identities,
            "images": self.images,
            "seed": self.seed,
            "split": self.split.value,
            "camera": Path(self.prior).name,
            "cameras": self.cameras,
            "backgrounds": None if self.backgrounds is None else self.backgrounds.name,
            "size": self.size,
            "supersampling": self.supersampling,
            "models": self.models,
            "meshes": None if self.meshes is None else self.meshes.name,
            "queries": self.queries if self.split is Split.TEST else None,
            "vehicle_offset": self.vehicle_offset,
            "camera_offset": self.camera_offset,
            "formats": list(self.formats),
            "masks": self.masks,
            "types": dict(sorted(self.types.items())),
        }


def _check_shares(types: Mapping[str, float]) -> None:
    check_types(types)
    total = sum(types.values())
    if not all(0.0 <= share <= 1.0 for share in types.values()) or total > 1.0 + 1e-9:
        given = ", ".join(f"{name}={share:g}" for name, share in types.items())
        raise InputError(f"shares of types are {given}; each is a part of 1, and so is their sum.")
    if types and len(types) == len(TYPES) and total < 1.0 - 1e-6:
        raise InputError(f"shares of all types sum to {total:g}; expected 1 where none is left out.")


def _at_least(name: str, value: int, least: int, *, most: int | None = None) -> None:
    if value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise InputError(f"{name.replace('_', ' ')} is {value}; accepted: {limits}.")
