# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a training is given, and what it tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from pamtri_edge.datasets.data_set import DataSet
from pamtri_edge.errors import InputError
from pamtri_edge.models.hrnet import PoseNet
from pamtri_edge.models.multitask import ReidNet
from pamtri_edge.train.loader import Pictures
from pamtri_edge.train.recipes import Recipe
from pamtri_edge.train.sampler import Sampler
from pamtri_edge.train.weights import Origin
from pamtri_edge.words import TrainPrecision

Scores = dict[str, float]


class Job(Protocol):
    """A network with what it learns from.

    Attributes:
        kind: `pose` or `reid`.
        network: what is trained.
        extra: what is trained beside it and not kept, such as centers; it learns at a rate of its own.
        data: the pictures.
        sampler: which make a batch.
        recipe: how.
        origin: where the first weights come from.
    """

    kind: str
    network: PoseNet | ReidNet
    extra: nn.Module | None
    data: DataSet
    sampler: Sampler
    recipe: Recipe
    origin: Origin

    def learn(self) -> None:
        """Put the network into training mode."""

    def losses(self, batch: Pictures, images: Tensor) -> dict[str, Tensor]:
        """Return the terms whose sum is minimized, for images (N, 3, S, S), normalized."""

    def validate(self, size: int, precision: TrainPrecision) -> Scores | None:
        """Return how good the network is, `score` among the values, higher is better; None if unknown."""

    def config(self) -> Mapping[str, Any]:
        """Return what else the result depends on, as plain values."""

    def metadata(self) -> Mapping[str, str]:
        """Return what is kept with the weights."""


@dataclass(frozen=True)
class Budget:
    """When a training is over: after so many steps, or after so much time.

    Attributes:
        steps: number of steps; None where time decides.
        seconds: time spent in training, breaks not counted; None where steps decide. How far the learning
            rate has come then depends on the machine, and no two runs are alike.
    """

    steps: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.steps, self.seconds) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise InputError(
                f"a training needs a number of steps or of seconds above 0, and not both; found "
                f"steps={self.steps}, seconds={self.seconds}."
            )

    def progress(self, step: int, spent: float) -> float:
        """Return the part 0..1 that is done after so many steps and seconds."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.seconds is not None
        return min(1.0, spent / self.seconds)

    def left(self, step: int, spent: float, rate: float) -> float:
        """Return the seconds that are left, given the steps a second."""
        if self.steps is not None:
            return (self.steps - step) / max(rate, 1e-9)
        assert self.seconds is not None
        return max(0.0, self.seconds - spent)


@dataclass(frozen=True, kw_only=True)
class TrainSpec:
    """How a training is run; all but `budget`, `seed` and `hold` leave its result as it is.

    Attributes:
        output: folder of weights, state, record and curves.
        budget: when it is over.
        seed: another seed, another result.
        workers: threads that prepare pictures.
        checkpoint_seconds: a state is written so often.
        checkpoint_steps: a state is written after so many steps, if given.
        log_steps: steps over which losses are averaged for the curve.
        validations: how often the network is validated, evenly over the training; the last at its end.
        device: where it is trained.
        hold: keep all pictures on the device and augment them there; this draws other augmentations.
        overwrite: forget a training that the folder holds.
    """

    output: Path
    budget: Budget
    seed: int = 0
    workers: int = 2
    checkpoint_seconds: float = 60.0
    checkpoint_steps: int | None = None
    log_steps: int = 20
    validations: int = 10
    device: str = "cpu"
    hold: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class TrainProgress:
    """How far a training is.

    Attributes:
        step: steps done.
        progress: part 0..1 done.
        images_per_s: pictures a second, lately.
        left_s: seconds left.
        losses: by name, averaged over the last steps.
        size: side of the pictures.
        scores: of the last validation.
    """

    step: int
    progress: float
    images_per_s: float
    left_s: float
    losses: Mapping[str, float]
    size: int
    scores: Mapping[str, float]
