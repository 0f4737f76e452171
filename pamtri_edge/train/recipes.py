# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Recipes of training: the paper's, the values of the original's code, and a compact one for a CPU."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import pairwise
from typing import Any, Final, Literal

from pamtri_edge.errors import InputError
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.train.augment import AugmentSpec
from pamtri_edge.train.losses import Head, LossSpec
from pamtri_edge.train.photometry import Degradation, Light
from pamtri_edge.train.pose_inputs import TruthNoise
from pamtri_edge.words import TrainPrecision

Optimizer = Literal["adam", "adamw"]
Decay = Literal["steps", "cosine"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Attributes:
        name: `paper`, `code`, `compact`, or one's own.
        epochs: how often the data are gone through; a number of steps or of minutes may replace it.
        batch: pictures of a batch.
        optimizer: `adam` (weight decay added to the gradient) or `adamw` (taken off the weights).
        rate: learning rate at its highest.
        weight_decay: of the optimizer.
        decay: the rate falls to a tenth at each of `drops`, or follows half a cosine to 0.
        drops: when it falls, as parts of the training.
        warm_up: part of the training in which the rate rises from 0.
        head_rate: how many times faster than a backbone of its own learns what follows it.
        clip: longest gradient that is followed as it is; None for any.
        sizes: sides of the pictures in pixels and from which part of the training on, in order.
        precision: arithmetic of the network: `auto` takes bf16 where the processor computes in it.
        augment: what happens to the pictures.
    """

    name: str
    epochs: float
    batch: int = 32
    optimizer: Optimizer = "adam"
    rate: float = 3e-4
    weight_decay: float = 0.0
    decay: Decay = "steps"
    drops: tuple[float, ...] = ()
    warm_up: float = 0.0
    head_rate: float = 1.0
    clip: float | None = None
    sizes: tuple[tuple[float, int], ...] = ((0.0, IMAGE_SIZE),)
    precision: TrainPrecision = "fp32"
    augment: AugmentSpec = field(default_factory=AugmentSpec)

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.sizes]
        if not starts or starts[0] != 0.0:
            raise InputError(f"sizes={self.sizes}: the first must apply from the start, part 0.0.")
        if any(later <= start for start, later in pairwise(starts)) or starts[-1] >= 1.0:
            raise InputError(
                f"sizes={self.sizes}: each begins later than the one before, and before the end, part 1.0."
            )
        wrong = [side for _, side in self.sizes if side % 32 or not 64 <= side <= 512]
        if wrong:
            raise InputError(f"pictures of {wrong[0]} pixels; their side is a multiple of 32 from 64 to 512.")
        if min(self.epochs, self.rate, self.head_rate) <= 0 or not 0 <= self.warm_up < 1:
            raise InputError(
                f"epochs={self.epochs:g}, rate={self.rate:g}, head_rate={self.head_rate:g}, "
                f"warm_up={self.warm_up:g}: the first three are above 0, warm_up a part from 0 to below 1."
            )
        if self.weight_decay < 0 or (self.clip is not None and self.clip <= 0):
            raise InputError(
                f"weight_decay={self.weight_decay:g}, clip={self.clip}: the first is 0 or more, the second, "
                "where it is given, above 0."
            )

    def size(self, progress: float) -> int:
        """Return the side of the pictures at a part 0..1 of the training."""
        return [side for start, side in self.sizes if start <= progress][-1]

    def learning_rate(self, progress: float) -> float:
        """Return the learning rate at a part 0..1 of the training."""
        if progress < self.warm_up:
            return self.rate * max(progress / self.warm_up, 1e-3)
        if self.decay == "steps":
            return self.rate * 0.1 ** sum(progress >= drop for drop in self.drops)
        after = (progress - self.warm_up) / (1.0 - self.warm_up)
        return self.rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, after)))


@dataclass(frozen=True, kw_only=True)
class PoseRecipe(Recipe):
    """How a pose network is trained.

    Attributes:
        hidden: weight of keypoints that are not visible, see `pose.target_weights`.
        foreground: how much more a cell counts at a peak than far from it.
    """

    hidden: float = 0.0
    foreground: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ReidRecipe(Recipe):
    """How a re-identification network is trained.

    Attributes:
        pictures: K, pictures of each vehicle in a batch; P is `batch / K`.
        loss: what is minimized.
        alike: share of batches of vehicles that look alike, see `sampler.VehiclesByPictures`.
        one_color: share of batches of vehicles of one color.
        traffic: how far colors come as often as in traffic, from 0 (as in the data) to 1.
        frozen: so many first blocks of the backbone, and the stem, do not learn; see `reid.freeze`.
        frozen_norms: the backbone's batch normalizations keep their statistics.
        noise: how ground truth is blurred where it stands in for a pose network.
    """

    pictures: int = 4
    loss: LossSpec = field(default_factory=LossSpec)
    alike: float = 0.0
    one_color: float = 0.0
    traffic: float = 0.0
    frozen: int = 0
    frozen_norms: bool = False
    noise: TruthNoise = field(default_factory=TruthNoise)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pictures < 2 or self.batch % self.pictures or self.batch < 2 * self.pictures:
            raise InputError(
                f"a batch of {self.batch} pictures, {self.pictures} of each vehicle; give a multiple of the "
                "latter (2 or more), of at least two vehicles."
            )
        shares = (self.alike, self.one_color, self.traffic)
        if min(shares) < 0 or max(shares) > 1 or self.alike + self.one_color > 1 or self.frozen < 0:
            raise InputError(
                f"alike={self.alike:g}, one_color={self.one_color:g}, traffic={self.traffic:g}, "
                f"frozen={self.frozen}: the first two are shares of the batches and at most 1 together, "
                "traffic is a part from 0 to 1, frozen a number of blocks."
            )

    @property
    def vehicles(self) -> int:
        """P, the vehicles of a batch."""
        return self.batch // self.pictures


_POSE_AUGMENT: Final = AugmentSpec(
    flip=0.5, zoom_in=0.25, zoom_out=0.25, rotate=30.0, rotate_share=0.6, erase=0.0
)
"""The original's: scale by up to a quarter, turns of up to 60 degrees, mirroring."""

_REID_AUGMENT: Final = AugmentSpec(flip=0.5, zoom_in=0.11, shift=0.05)
"""The original's random crop of 256 out of 288 pixels, and mirroring."""

_WIDE_AUGMENT: Final = AugmentSpec(
    flip=0.5,
    zoom_in=0.14,
    zoom_out=0.10,
    shift=0.06,
    rotate=4.0,
    light=Light(brightness=0.12, contrast=0.25, gamma=0.35, white_balance=0.08, saturation=0.3, hue=6.0),
    degradation=Degradation(blur=0.3, low_resolution=0.4, compression=0.3, noise=0.3),
    gray=0.02,
    erase=0.3,
)
"""What lies between drawn and real pictures, as far as augmentation can vary it."""

_CAMERA_AUGMENT: Final = replace(
    _WIDE_AUGMENT,
    shift=0.08,
    light=replace(_WIDE_AUGMENT.light, brightness=0.18, contrast=0.35),
    degradation=Degradation(blur=0.3, low_resolution=0.5, smallest=0.1, compression=0.4, noise=0.3),
)
"""Cheaper cameras and looser boxes yet: vehicles are told apart far down a street too, keypoints found only
near by."""

POSE: Final[Mapping[str, PoseRecipe]] = {
    "paper": PoseRecipe(
        name="paper",
        epochs=210,
        rate=1e-3,
        drops=(170 / 210, 200 / 210),
        augment=_POSE_AUGMENT,
    ),
    "code": PoseRecipe(
        name="code",
        epochs=210,
        batch=64,
        rate=1e-3,
        drops=(170 / 210, 200 / 210),
        augment=_POSE_AUGMENT,
    ),
    "compact": PoseRecipe(
        name="compact",
        epochs=4,
        optimizer="adamw",
        rate=2e-3,
        weight_decay=0.01,
        decay="cosine",
        warm_up=0.03,
        clip=1.0,
        sizes=((0.0, 128), (0.6, 192), (0.8, 256)),
        precision="auto",
        hidden=1.0,
        foreground=3.0,
        augment=_WIDE_AUGMENT,
    ),
}
"""The paper gives 210 epochs, batch 32 and rate 1e-3; when the rate falls is known from its code alone. The
code takes 32 pictures on each of two GPUs."""

REID: Final[Mapping[str, ReidRecipe]] = {
    "paper": ReidRecipe(
        name="paper",
        epochs=60,
        weight_decay=5e-4,
        drops=(20 / 60, 40 / 60),
        augment=replace(_REID_AUGMENT, erase=0.3),
    ),
    "code": ReidRecipe(
        name="code",
        epochs=120,
        weight_decay=5e-4,
        drops=(30 / 120, 60 / 120),
        augment=_REID_AUGMENT,
    ),
    "compact": ReidRecipe(
        name="compact",
        epochs=12,
        batch=64,
        optimizer="adamw",
        rate=1e-3,
        weight_decay=0.02,
        decay="cosine",
        warm_up=0.05,
        clip=5.0,
        sizes=((0.0, 96), (0.4, 128), (0.8, 192), (0.93, 256)),
        precision="auto",
        loss=LossSpec(
            head=Head.COSINE, scale=20.0, angular_margin=0.1, smoothing=0.05, unit=True, attributes=0.25
        ),
        alike=0.4,
        augment=_CAMERA_AUGMENT,
    ),
}
"""The paper mentions occlusion among its augmentations, the code has none."""


def plain(value: Any) -> Any:
    """Return a recipe or another specification as JSON would hold it: for records and comparisons."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not (field.metadata.get("later") and getattr(value, field.name) == field.default)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def differences(old: Any, new: Any, *, name: str = "") -> list[str]:
    """Return a line for every field in which two plain values differ: its name, before and now."""
    if isinstance(old, dict) and isinstance(new, dict):
        lines = []
        for key in dict.fromkeys([*old, *new]):
            inner = f"{name}.{key}" if name else str(key)
            lines += differences(old.get(key), new.get(key), name=inner)
        return lines
    return [] if old == new else [f"{name}: {_said(old)} before, {_said(new)} now"]


def _said(value: Any) -> str:
    return "not given" if value is None else repr(value)
